pub fn next(&mut self, ran: Duration) -> Duration {
    SHORTEST
}
