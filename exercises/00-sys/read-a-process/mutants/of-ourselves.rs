fs::read_link(format!("/proc/self/fd/{number}"))
