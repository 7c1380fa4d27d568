chdir(root)?;
mount::mount(".", Path::new("/"), "", MsFlags::MS_MOVE, "")?;
mount::chroot(Path::new("."))
