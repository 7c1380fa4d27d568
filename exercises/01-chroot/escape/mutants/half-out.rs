fs::create_dir("/below")?;
mount::chroot(Path::new("/below"))?;
for _ in 0..64 {
    process::chdir(Path::new(".."))?;
}
Ok(())
