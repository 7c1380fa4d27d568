if state.status.is_active() {
    return false;
}
match policy.name {
    Restart::Always => true,
    Restart::No | Restart::OnFailure | Restart::UnlessStopped => is_wanted(policy, state, state.exit_code),
}
