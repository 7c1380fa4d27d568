//! `inspect --kernel`: what the kernel says about a container that runs, as tables.

use mini_engine::kernel::{self, Group, IdRange, Kernel, Mount, Set};
use mini_engine::{Home, Record};
use serde_json::Value;

use crate::cli;
use crate::commands::print;
use crate::failure;
use crate::format;

pub(super) fn run(home: &Home, args: &cli::Inspect) -> anyhow::Result<u8> {
    let mut status = 0;
    let mut objects = Vec::new();
    for name in &args.names {
        match look(home, name) {
            Ok(looked) => objects.push(looked),
            Err(error) => status = failure::report(&error),
        }
    }
    let text = match &args.format {
        Some(format) => {
            let json = |(_, looked): &(Record, Kernel)| serde_json::to_value(looked);
            let objects = objects.iter().map(json).collect::<Result<Vec<Value>, _>>()?;
            format::objects(&objects, format)?
        }
        None => objects.iter().map(|(record, looked)| page(record, looked)).collect::<Vec<_>>().join("\n"),
    };
    print(&text)?;
    Ok(status)
}

fn look(home: &Home, name: &str) -> anyhow::Result<(Record, Kernel)> {
    let record = mini_engine::find(home, name)?;
    let looked = kernel::look(&record)?;
    Ok((record, looked))
}

/// Everything about one container.
fn page(record: &Record, looked: &Kernel) -> String {
    let mut text = format!("{}: process {} of this machine\n", record.name, looked.pid);
    text += &section(
        "NAMESPACE\tCONTAINER\tHOST\t",
        looked.namespaces.iter().map(|namespace| {
            let own = if namespace.own { "own" } else { "the host's" };
            format!("{}\t{}\t{}\t{own}", namespace.kind, namespace.container, namespace.host)
        }),
    );
    text += &section("MOUNTED AT\tKIND\tOPTIONS\tSOURCE", looked.mounts.iter().map(mounted));
    text += &section("ROOT\t", looked.root.iter().flat_map(root));
    text += &looked.cgroups.iter().map(group).collect::<String>();
    text += &section("CAPABILITIES\tCONTAINER\tHOST\t", looked.capabilities.iter().map(capabilities));
    let yes = |value: bool| if value { "yes" } else { "no" };
    text += &section(
        "PROCESS\t",
        [
            format!("seccomp\t{}", looked.seccomp),
            format!("no_new_privs\t{}", yes(looked.no_new_privs)),
            format!("oom_score_adj\t{}", looked.oom_score_adj),
            format!("users\t{}", ids(&looked.uid_map)),
            format!("groups\t{}", ids(&looked.gid_map)),
        ]
        .into_iter(),
    );
    text
}

/// A table with a line of headings, and an empty line above it.
fn section(headings: &str, rows: impl Iterator<Item = String>) -> String {
    let text = format!("{headings}\n{}", rows.map(|row| row + "\n").collect::<String>());
    let aligned = format::align(&text);
    let lines: Vec<&str> = aligned.lines().map(str::trim_end).collect();
    format!("\n{}\n", lines.join("\n"))
}

fn mounted(mount: &Mount) -> String {
    let source =
        if mount.part == "/" { mount.source.clone() } else { format!("{} of {}", mount.part, mount.source) };
    format!("{}\t{}\t{}\t{source}", mount.target, mount.kind, mount.options)
}

/// The directories that an overlay is made of; other file systems have none.
fn root(mount: &Mount) -> Vec<String> {
    let parts = mount.of_file_system.split(',').filter_map(|option| option.split_once('='));
    let directory = |(name, path): (&str, &str)| format!("{}\t{path}", name.trim_end_matches(['+', ':']));
    let directories = parts.filter(|(name, _)| name.contains("dir") && !name.contains("redirect"));
    std::iter::once(format!("kind\t{}", mount.kind)).chain(directories.map(directory)).collect()
}

fn group(group: &Group) -> String {
    let heading = format!("CGROUP {}\t", group.directory.display());
    let values = group.values.iter().map(|(file, value)| format!("  {file}\t{}", value.replace('\n', ", ")));
    let width = values.clone().map(|line| line.find('\t').unwrap_or(0)).max().unwrap_or(0) + 3;
    let line = |line: String| {
        let (file, value) = line.split_once('\t').unwrap_or((&line, ""));
        format!("{file:<width$}{value}\n")
    };
    format!("\n{}\n{}", heading.trim_end(), values.map(line).collect::<String>())
}

/// How many there are, and which: what a container lacks would be the longer list.
fn capabilities(set: &Set) -> String {
    let names: Vec<&str> = set.container.iter().map(|name| name.trim_start_matches("CAP_")).collect();
    let names = if set.container == set.host && !names.is_empty() {
        "the host's".to_owned()
    } else {
        names.join(" ")
    };
    format!("{}\t{}\t{}\t{names}", set.name, set.container.len(), set.host.len())
}

fn ids(ranges: &[IdRange]) -> String {
    let range = |range: &IdRange| match (range.inside, range.outside, range.count) {
        (0, 0, u32::MAX) => "as on the host".to_owned(),
        (inside, outside, 1) => format!("{inside} is {outside}"),
        (inside, outside, count) => {
            format!(
                "{inside} to {} are {outside} to {}",
                inside + (count - 1),
                outside.saturating_add(count - 1)
            )
        }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}
