mini_sys::file::close_on_exec_from(3)
