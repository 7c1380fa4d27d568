//! `completion`: the lines that teach a shell to complete words, and `man`: pages for man(1).

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::env::Shells;

use crate::cli::{Completion, Man, as_shown};
use crate::commands::print;
use crate::{complete, help};

pub(crate) fn run(args: &Completion) -> anyhow::Result<u8> {
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name()).context("this shell is not known")?;
    let mut text = Vec::new();
    shell.write_registration(complete::VARIABLE, "mini_docker", "mini-docker", "mini-docker", &mut text)?;
    print(&String::from_utf8(text)?)
}

pub(crate) fn man(args: &Man) -> anyhow::Result<u8> {
    let command = as_shown();
    let Some(directory) = &args.directory else {
        return print(&page(&command, "mini-docker")?);
    };
    let shown = directory.display();
    std::fs::create_dir_all(directory).with_context(|| format!("make `{shown}`"))?;
    write(&command, "mini-docker", directory)?;
    Ok(0)
}

/// The page of the command that is called `name`, and those of the commands in it.
fn write(command: &Command, name: &str, directory: &Path) -> anyhow::Result<()> {
    let file = directory.join(format!("{}.1", name.replace(' ', "-")));
    let page = page(command, name)?;
    std::fs::write(&file, page).with_context(|| format!("write `{}`", file.display()))?;
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.into_iter().try_for_each(|inner| write(inner, &format!("{name} {}", inner.get_name()), directory))
}

/// A page as man(7) wants it.
fn page(command: &Command, name: &str) -> anyhow::Result<String> {
    let version = format!("mini-docker {}", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command.clone()).source(version).manual("mini-docker");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    writeln!(page, ".SH SYNOPSIS\n{}", escaped(&help::usage(command, name)))?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let examples = if name.contains(' ') { help::examples::of(command.get_name()) } else { &[] };
    if !examples.is_empty() {
        writeln!(page, ".SH EXAMPLES\n.EX")?;
        examples.iter().try_for_each(|example| writeln!(page, "{}", escaped(example)))?;
        writeln!(page, ".EE")?;
    }
    Ok(String::from_utf8(page)?)
}

/// Text in which roff finds nothing to do.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
