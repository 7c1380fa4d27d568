chdir(root)?;
mount::chroot(Path::new("."))
