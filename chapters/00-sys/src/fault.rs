//! Dying on purpose, at a place with a name, so that a test can see who puts right what is left then.
//!
//! A program that is killed runs nothing more: no handler, no destructor. Whether its files are in order at every moment
//! shows when it is killed at each. In a release build nothing of this is there.

/// What says where to die: the place's name, a space, and a file. Who comes there first makes the file and dies; for
/// later ones it is there, and they go on.
pub const VARIABLE: &str = "MINI_DOCKER_DIE_AT";

/// A place at which a process may be killed.
pub fn point(name: &str) {
    if cfg!(debug_assertions)
        && let Some(wanted) = std::env::var_os(VARIABLE)
        && let Some((place, file)) = wanted.to_str().and_then(|text| text.split_once(' '))
        && place == name
        && std::fs::File::create_new(file).is_ok()
    {
        // Nothing can be done about a signal that cannot be sent, but to go on.
        let _ = crate::signal::kill(crate::Pid::this(), crate::signal::Signal::SIGKILL);
    }
}
