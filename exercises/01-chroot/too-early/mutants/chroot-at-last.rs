keep_mounts_private()?;
bind_on_itself(root)?;
chroot(root)
