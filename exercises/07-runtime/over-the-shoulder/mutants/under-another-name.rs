mini_sys::process::set_name(c"kworker/0:1")
