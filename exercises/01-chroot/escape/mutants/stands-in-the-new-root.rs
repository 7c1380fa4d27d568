fs::create_dir("/below")?;
mount::chroot(Path::new("/below"))?;
process::chdir(Path::new("/"))?;
for _ in 0..64 {
    process::chdir(Path::new(".."))?;
}
mount::chroot(Path::new("."))?;
Ok(())
