pub fn next(&mut self, ran: Duration) -> Duration {
    let pause = match self.last {
        None => SHORTEST,
        Some(last) => (last * 2).min(LONGEST),
    };
    self.last = Some(pause);
    pause
}
