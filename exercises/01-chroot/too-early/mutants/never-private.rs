bind_on_itself(root)?;
pivot(root)?;
detach_old_root()
