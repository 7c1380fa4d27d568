//! Flags as the man pages write them.

use bitflags::Flags;

/// The names of the flags that are set, joined by `|`, or `0`: `MS_NOSUID|MS_NODEV`.
pub fn names<F: Flags>(flags: &F) -> String {
    let names: Vec<&str> = flags.iter_names().map(|(name, _)| name).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("|") }
}

#[cfg(test)]
mod tests {
    use nix::mount::MsFlags;

    #[test]
    fn flags_read_as_in_the_man_page() {
        assert_eq!(super::names(&(MsFlags::MS_NOSUID | MsFlags::MS_NODEV)), "MS_NOSUID|MS_NODEV");
        assert_eq!(super::names(&MsFlags::empty()), "0");
    }
}
