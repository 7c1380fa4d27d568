if state.started_at.is_none() || state.status.is_active() {
    return false;
}
is_wanted(policy, state, state.exit_code)
