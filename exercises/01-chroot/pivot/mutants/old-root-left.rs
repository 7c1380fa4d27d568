chdir(Path::new("/"))
