while let Some(message) = self.queue.pop_front() {
    match message.send(&self.socket, false) {
        Ok(()) => {}
        Err(error) if error.errno() == Errno::EAGAIN => return,
        Err(_) => self.gone = true,
    }
}
