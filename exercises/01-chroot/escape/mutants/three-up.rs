fs::create_dir("/below")?;
mount::chroot(Path::new("/below"))?;
process::chdir(Path::new("../../.."))?;
mount::chroot(Path::new("."))?;
Ok(())
