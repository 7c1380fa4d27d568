let path = Path::new("/dev/console");
std::fs::File::create(path).map_err(|error| Error::from_io("creat(\"/dev/console\")", &error)).map(drop)
