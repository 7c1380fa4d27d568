//! `version`, `--version`. docker-version(1).

use serde_json::json;

use crate::cli::Format;
use crate::commands::print;
use crate::format;

/// The version of Docker's command line that ours follows.
const FOLLOWS: &str = "28.0";

/// The line of `--version`.
pub(crate) fn short() -> String {
    format!("mini-docker version {}\n", env!("CARGO_PKG_VERSION"))
}

pub(crate) fn run(args: &Format) -> anyhow::Result<u8> {
    let kernel = super::info::kernel();
    let arch = mini_images::config::architecture();
    if let Some(format) = &args.format {
        let one = json!({ "Version": env!("CARGO_PKG_VERSION"), "Os": "linux", "Arch": arch, "KernelVersion": kernel });
        let object = json!({ "Client": one, "Server": one });
        return print(&(format::object(&object, format)? + "\n"));
    }
    print(&format!(
        "Client and engine: mini-docker\n Version:           {}\n OS/Arch:           linux/{arch}\n \
         Kernel:            {kernel}\n Follows:           Docker {FOLLOWS}, OCI image and runtime specs 1.1\n \
         Daemon:            none\n",
        env!("CARGO_PKG_VERSION")
    ))
}
