//! The one thing about a network that needs no netlink: turning an interface on. netdevice(7).

use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::call::{Error, Result, call};

/// Turns on the interface `name` of this network namespace. netdevice(7), `SIOCSIFFLAGS`.
///
/// # Errors
/// `ENODEV` when there is no such interface, `EPERM` without `CAP_NET_ADMIN`, `EINVAL` for a name of 16
/// bytes or more.
pub fn interface_up(name: &str) -> Result<()> {
    let what = || format!("ioctl(SIOCSIFFLAGS, \"{name}\", IFF_UP|IFF_RUNNING)");
    let any = call(what, || socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None))?;
    // SAFETY: all of ifreq's fields are numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(Error::new(what(), Errno::EINVAL));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    call(what, || {
        // SAFETY: SIOCSIFFLAGS reads one ifreq from the pointer, which is valid for the whole call.
        Errno::result(unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) })
            .map(drop)
    })
}
