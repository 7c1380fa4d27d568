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
// ANCHOR: wanted
pub fn is_wanted(policy: &RestartPolicy, state: &State, status: i32) -> bool {
    if state.stopped_by_hand {
        return false;
    }
    match policy.name {
        Restart::No => false,
        Restart::Always | Restart::UnlessStopped => true,
        Restart::OnFailure => {
            let most = policy.maximum_retry_count;
            status != 0 && (most == 0 || state.restarts < most)
        }
    }
}
// ANCHOR_END: wanted

/// Whether the container is started when the machine has booted.
pub fn is_wanted_at_boot(policy: &RestartPolicy, state: &State) -> bool {
    // ANCHOR: at-boot
    if state.started_at.is_none() || state.status.is_active() {
        return false;
    }
    match policy.name {
        Restart::Always => true,
        Restart::No | Restart::OnFailure | Restart::UnlessStopped => {
            is_wanted(policy, state, state.exit_code)
        }
    }
    // ANCHOR_END: at-boot
}

/// The pauses between one start and the next, each twice the one before.
#[derive(Debug, Default)]
pub struct BackOff {
    last: Option<Duration>,
}

impl BackOff {
    /// The pause after a program that ran for so long.
    // ANCHOR: back-off
    pub fn next(&mut self, ran: Duration) -> Duration {
        let pause = match self.last.filter(|_| ran < LONG_ENOUGH) {
            None => SHORTEST,
            Some(last) => (last * 2).min(LONGEST),
        };
        self.last = Some(pause);
        pause
    }
    // ANCHOR_END: back-off
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(policy: &str, status: i32, restarts: u32) -> bool {
        let state = State { restarts, ..State::created() };
        is_wanted(&policy.parse().unwrap(), &state, status)
    }

    #[test]
    fn each_policy_starts_again_what_it_says() {
        let ends = [(0, 0), (1, 0), (1, 2), (1, 3)];
        let table = |policy| ends.map(|(status, restarts)| wanted(policy, status, restarts));
        assert_eq!(table("no"), [false; 4]);
        assert_eq!(table("always"), [true; 4]);
        assert_eq!(table("unless-stopped"), [true; 4]);
        assert_eq!(table("on-failure"), [false, true, true, true]);
        assert_eq!(table("on-failure:3"), [false, true, true, false]);
    }

    #[test]
    fn what_a_user_stopped_stays_stopped() {
        let state = State { stopped_by_hand: true, ..State::created() };
        for policy in ["always", "unless-stopped", "on-failure"] {
            assert!(!is_wanted(&policy.parse().unwrap(), &state, 1), "{policy}");
        }
        let state = State { started_at: Some(jiff::Timestamp::UNIX_EPOCH), ..state };
        let at_boot = |policy: &str| is_wanted_at_boot(&policy.parse().unwrap(), &state);
        assert_eq!(
            ["always", "unless-stopped", "on-failure", "no"].map(at_boot),
            [true, false, false, false]
        );
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_are_short_again_after_a_long_run() {
        let mut pauses = BackOff::default();
        let short = Duration::from_secs(1);
        let seen: Vec<u128> = (0..12).map(|_| pauses.next(short).as_millis()).collect();
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000];
        assert_eq!(seen, expected);
        assert_eq!(pauses.next(Duration::from_secs(10)), SHORTEST);
    }
}
