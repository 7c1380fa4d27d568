mini_sys::process::set_no_new_privs()
