//! Whether a container that has ended is started again, and after what pause: Docker's rules, as plain functions.
//! docker-run(1), "Restart policies"; book ch. 10.

use std::time::Duration;

use crate::config::{Restart, RestartPolicy};
use crate::record::State;

/// The first pause.
const SHORTEST: Duration = Duration::from_millis(100);

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Who has run for so long did not fail at once, and the next pause is short again.
const LONG_ENOUGH: Duration = Duration::from_secs(10);

/// Whether a program that has ended so is started again.
pub fn is_wanted(policy: &RestartPolicy, state: &State, status: i32) -> bool {
    todo!("wanted: after an end, by the policy and by what the user wants")
}

/// Whether the container is started when the machine has booted.
pub fn is_wanted_at_boot(policy: &RestartPolicy, state: &State) -> bool {
    todo!("at-boot: the machine has booted")
}

/// The pauses between one start and the next, each twice the one before.
#[derive(Debug, Default)]
pub struct BackOff {
    last: Option<Duration>,
}

impl BackOff {
    /// The pause after a program that ran for so long.
    pub fn next(&mut self, ran: Duration) -> Duration {
        todo!("back-off: the pause after a program that ran for so long")
    }
}
