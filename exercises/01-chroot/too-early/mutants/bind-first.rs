bind_on_itself(root)?;
keep_mounts_private()?;
pivot(root)?;
detach_old_root()
