std::path::Path::new(&format!("/proc/{}", self.pid)).exists()
