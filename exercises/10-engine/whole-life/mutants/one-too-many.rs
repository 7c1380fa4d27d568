pub fn is_wanted(policy: &RestartPolicy, state: &State, status: i32) -> bool {
    if state.stopped_by_hand {
        return false;
    }
    match policy.name {
        Restart::No => false,
        Restart::Always | Restart::UnlessStopped => true,
        Restart::OnFailure => {
            let most = policy.maximum_retry_count;
            status != 0 && (most == 0 || state.restarts <= most)
        }
    }
}
