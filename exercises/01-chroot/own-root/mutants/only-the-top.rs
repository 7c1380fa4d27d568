mount::mount("", Path::new("/"), "", MsFlags::MS_PRIVATE, "")
