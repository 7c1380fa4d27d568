//! Says why this machine refuses user namespaces.
//!
//! The kernel's answer is `EPERM` or `ENOSPC`, whoever turned them off: the distribution, an administrator, or
//! AppArmor. Each has a switch below `/proc/sys`, so the switches are read and the one that is off is named.
//! user_namespaces(7), namespaces(7); book ch. 2.

use std::path::Path;

use mini_sys::file;

/// A sysctl, the value with which it forbids, what that means, and the way out.
const SWITCHES: [(&str, &str, &str, &str); 3] = [
    (
        "user.max_user_namespaces",
        "0",
        "this machine allows no user namespaces",
        "as root, `sysctl -w user.max_user_namespaces=15000`",
    ),
    (
        "kernel.unprivileged_userns_clone",
        "0",
        "this machine allows user namespaces to root alone",
        "as root, `sysctl -w kernel.unprivileged_userns_clone=1`",
    ),
    (
        "kernel.apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor allows user namespaces only to programs that have a profile for it",
        "as root, add a profile with `userns,` for this program, or \
         `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
];

/// What forbids an ordinary user of this machine to make a user namespace, and the way out; none when nothing
/// that we know of does.
pub fn why_no_user_namespaces() -> Option<String> {
    let read = |name: &str| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        file::read_text(Path::new(&path)).ok()
    };
    if !Path::new("/proc/self/ns/user").exists() {
        return Some("this kernel was built without user namespaces (CONFIG_USER_NS)".to_owned());
    }
    diagnose(read)
}

fn diagnose(read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_off = |name: &str, off: &str| read(name).is_some_and(|value| value.trim() == off);
    let off = SWITCHES.iter().find(|(name, value, ..)| is_off(name, value));
    off.map(|(name, value, meaning, remedy)| format!("{meaning} ({name} is {value}); {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::diagnose;

    fn with(name: &'static str, value: &'static str) -> Option<String> {
        diagnose(move |asked| (asked == name).then(|| format!("{value}\n")))
    }

    #[test]
    fn each_switch_is_named_with_its_remedy() {
        let text = with("user.max_user_namespaces", "0").unwrap();
        assert_eq!(
            text,
            "this machine allows no user namespaces (user.max_user_namespaces is 0); \
             as root, `sysctl -w user.max_user_namespaces=15000`"
        );
        assert!(with("kernel.unprivileged_userns_clone", "0").is_some());
        assert!(with("kernel.apparmor_restrict_unprivileged_userns", "1").unwrap().contains("profile"));
    }

    #[test]
    fn switches_that_are_on_or_absent_forbid_nothing() {
        assert_eq!(with("user.max_user_namespaces", "96365"), None);
        assert_eq!(with("kernel.unprivileged_userns_clone", "1"), None);
        assert_eq!(with("kernel.apparmor_restrict_unprivileged_userns", "0"), None);
    }
}
