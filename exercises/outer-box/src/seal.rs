//! Locks the mounts of the box, so that nothing in it makes the machine writable again.
//!
//! Root can take a read-only attribute away as easily as it was set. But mounts that were copied into a mount
//! namespace of another user namespace are locked: their attributes stay as they are, for everybody, and so it
//! is with every further copy. So the mounts are copied into a namespace of such a kind, and from there back
//! into one of our own. mount_namespaces(7), "Restrictions on mount namespaces".

use std::os::fd::AsFd as _;

use mini_sys::clone::{self, CloneFlags};
use mini_sys::signal::Signal;
use mini_sys::{Errno, Result, ipc, namespace, pidfd};

/// Moves the calling process into a copy of its mounts that is locked.
///
/// A machine that forbids user namespaces has no such copy: then the mounts stay as they are.
///
/// # Errors
/// Those of setns(2) and unshare(2).
pub(crate) fn seal() -> Result<()> {
    let (wait, hold) = ipc::pipe()?;
    let made = clone::clone3_keeping(
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS,
        None,
        &clone::Keep::these([wait.as_fd()]),
        // Nothing is ever written: the read ends when the other side is closed, or its process ends.
        || {
            let _ = ipc::read(&wait, &mut [0]);
            clone::leave(0)
        },
    );
    let holder = match made {
        Err(error) if matches!(error.errno(), Errno::EPERM | Errno::ENOSPC | Errno::EUSERS) => return Ok(()),
        other => other?,
    };
    let entered = namespace::setns(&holder.pidfd, CloneFlags::CLONE_NEWNS);
    drop(hold);
    let _ = pidfd::pidfd_send_signal(&holder.pidfd, Signal::SIGKILL);
    let _ = pidfd::wait(&holder.pidfd);
    // The copy is owned by a user namespace that is gone; the next one is owned by ours.
    entered.and_then(|()| namespace::unshare(CloneFlags::CLONE_NEWNS))
}
