while let Some(message) = self.queue.pop_front() {
    if message.send(&self.socket, true).is_err() {
        self.gone = true;
        self.queue.clear();
    }
}
