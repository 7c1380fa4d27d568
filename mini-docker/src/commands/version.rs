//! `version`, `--version`. docker-version(1).

use serde_json::{Value, json};

use crate::cli::Format;
use crate::commands::print;
use crate::format;

/// The version of Docker's command line that ours follows.
const FOLLOWS: &str = "28.2";

/// The version of Docker's Engine API whose words and fields are used.
const API: &str = "1.50";
const OLDEST_API: &str = "1.24";

/// The line of `--version`.
pub(crate) fn short() -> String {
    format!("mini-docker version {}\n", env!("CARGO_PKG_VERSION"))
}

pub(crate) fn run(args: &Format) -> anyhow::Result<u8> {
    let version = gather();
    if let Some(format) = &args.format {
        return print(&(format::object(&version, format)? + "\n"));
    }
    let text = |of: &str, field: &str| version[of][field].as_str().unwrap_or_default().to_owned();
    let (number, system) = (text("Client", "Version"), format!("linux/{}", text("Client", "Arch")));
    print(&format!(
        "Client: mini-docker\n Version:           {number}\n API version:       {API}\n \
         Follows:           Docker {FOLLOWS}, OCI image and runtime specs 1.1\n OS/Arch:           {system}\n \
         Context:           default\n\nServer: mini-docker, without a daemon\n Engine:\n  \
         Version:          {number}\n  API version:      {API} (minimum version {OLDEST_API})\n  \
         OS/Arch:          {system}\n  Kernel:           {}\n  Experimental:     false\n",
        text("Server", "KernelVersion")
    ))
}

/// Docker's fields. What only a program in Go or a build on a server has is empty.
fn gather() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let arch = mini_images::config::architecture();
    let kernel = super::info::kernel();
    let details = json!({
        "ApiVersion": API,
        "Arch": arch,
        "BuildTime": "",
        "Experimental": "false",
        "GitCommit": "",
        "GoVersion": "",
        "KernelVersion": kernel,
        "MinAPIVersion": OLDEST_API,
        "Os": "linux",
    });
    json!({
        "Client": {
            "Version": version,
            "ApiVersion": API,
            "DefaultAPIVersion": API,
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": arch,
            "KernelVersion": kernel,
            "BuildTime": "",
            "Context": "default",
        },
        "Server": {
            "Platform": { "Name": "mini-docker" },
            "Components": [{ "Name": "Engine", "Version": version, "Details": details }],
            "Version": version,
            "ApiVersion": API,
            "MinAPIVersion": OLDEST_API,
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": arch,
            "KernelVersion": kernel,
            "BuildTime": "",
        },
    })
}
