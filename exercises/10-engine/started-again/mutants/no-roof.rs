pub fn next(&mut self, ran: Duration) -> Duration {
    let pause = match self.last.filter(|_| ran < LONG_ENOUGH) {
        None => SHORTEST,
        Some(last) => last * 2,
    };
    self.last = Some(pause);
    pause
}
