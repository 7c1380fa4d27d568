if state.started_at.is_none() || state.status.is_active() {
    return false;
}
match policy.name {
    Restart::Always | Restart::UnlessStopped => true,
    Restart::No | Restart::OnFailure => is_wanted(policy, state, state.exit_code),
}
