//! Is the entry of an index chosen that the machine can run?

use std::fs;
use std::process::ExitCode;

use mini_layers::Digest;
use serde_json::{Value, json};

/// The entries of the index, and what is in them: operating system, processor, variant. Where two are alike the first
/// counts.
const ENTRIES: [(&str, &str, Option<&str>); 9] = [
    ("unknown", "unknown", None),
    ("windows", "amd64", None),
    ("linux", "arm", Some("v5")),
    ("linux", "arm", Some("v7")),
    ("linux", "amd64", None),
    ("linux", "amd64", None),
    ("linux", "arm64", None),
    ("linux", "arm64", Some("v8")),
    ("linux", "s390x", None),
];

/// What is asked for, which entry it is, and what leads to another.
const QUESTIONS: [(&str, Option<usize>, &str); 9] = [
    (
        "linux/amd64",
        Some(4),
        "the operating system is a part of the platform, and of two alike the first counts",
    ),
    ("windows/amd64", Some(1), "the operating system is a part of the platform"),
    ("linux/arm/v7", Some(3), "a variant that was asked for must be the entry's"),
    ("linux/arm/v5", Some(2), "a variant that was asked for must be the entry's"),
    ("linux/arm", Some(2), "no variant was asked for, so any will do, the first"),
    ("linux/arm64", Some(6), "no variant was asked for, so any will do, the first"),
    ("linux/arm64/v8", Some(6), "arm64 without a variant is a v8 too"),
    ("linux/arm/v6", None, "there is no such entry: an image for another machine is no help"),
    ("linux/riscv64", None, "there is no such entry: an image for another machine is no help"),
];

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let mut digests = Vec::new();
        let mut entries: Vec<Value> = Vec::new();
        for (os, architecture, variant) in ENTRIES {
            let digest = Digest::of(check.word().as_bytes()).to_string();
            let mut platform = json!({ "os": os, "architecture": architecture });
            if let Some(variant) = variant {
                platform["variant"] = variant.into();
            }
            entries.push(json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "size": 7, "digest": digest, "platform": platform,
            }));
            digests.push(digest);
        }
        let index = json!({ "schemaVersion": 2, "manifests": entries });
        let path = check.directory("index")?.join("index.json");
        fs::write(&path, index.to_string())?;

        let named = |digest: &str| {
            let Some(number) = digests.iter().position(|it| it == digest) else { return digest.to_owned() };
            let (os, architecture, variant) = ENTRIES[number];
            let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
            format!("entry {}, {os}/{architecture}{variant}", number + 1)
        };
        let questions = QUESTIONS.map(|(platform, ..)| platform.to_owned());
        let arguments = [path.display().to_string()].into_iter().chain(questions);
        let mut program = check.start("driver", arguments.collect::<Vec<_>>())?;
        for (platform, expected, cause) in QUESTIONS {
            let found = program.line()?;
            let expected = expected.map_or("none", |number| digests[number].as_str());
            check
                .invariant(3, format!("the entry for {platform} is chosen"))
                .expected(named(expected))
                .found(named(&found))
                .cause(cause)
                .holds(found == expected);
        }
        program.finish()?;
        Ok(())
    })
}
