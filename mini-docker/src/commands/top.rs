//! `top`: the processes of a container. docker-top(1), ps(1).

use std::time::Duration;

use anyhow::anyhow;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use mini_engine::events::{self, Event};
use mini_engine::exec::ExecError;
use mini_engine::top::{self, Process};
use mini_engine::{Home, find};

use crate::cli::Top;
use crate::commands::print;
use crate::ps_options::{self, Column, Field};

/// Docker's columns are so wide at least.
const WIDTH: usize = 20;

pub(crate) fn run(home: &Home, args: &Top) -> anyhow::Result<u8> {
    super::repair(home);
    let record = find(home, &args.container)?;
    if !record.state.status.is_up() {
        return Err(ExecError::NotRunning(record.id).into());
    }
    let columns = ps_options::columns(&args.options).map_err(|message| anyhow!(message))?;
    let pids = top::pids(&record)?;
    let table = table(&columns, &top::processes(&pids));
    events::emit(home, &Event::container(&record, "top"));
    print(&table)
}

/// The processes as ps(1) tells of them, in Docker's columns.
pub(crate) fn table(columns: &[Column], processes: &[Process]) -> String {
    let machine = Machine::now();
    let mut rows: Vec<Vec<String>> = vec![columns.iter().map(|column| column.heading.to_owned()).collect()];
    rows.extend(processes.iter().map(|process| {
        columns.iter().map(|column| machine.show(process, column.field)).collect::<Vec<String>>()
    }));
    let last = columns.len().saturating_sub(1);
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        (longest + 3).max(WIDTH)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = if column == last { 0 } else { widths[column] };
            text += &format!("{cell:<width$}");
        }
        text.push('\n');
    }
    text
}

/// What the numbers of a process are measured by.
struct Machine {
    now: Zoned,
    users: String,
    groups: String,
    /// In bytes.
    memory: u64,
}

impl Machine {
    fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let memory = read("/proc/meminfo");
        let total = memory.split_ascii_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
        Self {
            now: Timestamp::now().to_zoned(TimeZone::system()),
            users: read("/etc/passwd"),
            groups: read("/etc/group"),
            memory: total.unwrap_or(0) * 1024,
        }
    }

    fn show(&self, process: &Process, field: Field) -> String {
        match field {
            Field::Pid => process.pid.to_string(),
            Field::Ppid => process.ppid.to_string(),
            Field::Pgid => process.pgid.to_string(),
            Field::Sid => process.sid.to_string(),
            Field::User => name(&self.users, process.uids[1]),
            Field::RealUser => name(&self.users, process.uids[0]),
            Field::Uid => process.uids[1].to_string(),
            Field::RealUid => process.uids[0].to_string(),
            Field::Group => name(&self.groups, process.gids[1]),
            Field::RealGroup => name(&self.groups, process.gids[0]),
            Field::Gid => process.gids[1].to_string(),
            Field::RealGid => process.gids[0].to_string(),
            Field::Cpu => (thousandths(process) / 10).to_string(),
            Field::CpuExact => tenths(thousandths(process)),
            Field::Memory => tenths((process.resident * 1000).checked_div(self.memory).unwrap_or(0)),
            Field::Virtual => (process.virtual_memory / 1024).to_string(),
            Field::Resident => (process.resident / 1024).to_string(),
            Field::Pages => (process.virtual_memory / 4096).to_string(),
            Field::Terminal => terminal(process.tty),
            Field::State => state(process),
            Field::StateOnly => process.state.to_string(),
            Field::StartedShort => self.started(process, "%H:%M"),
            Field::StartedTime => self.started(process, "%H:%M:%S"),
            Field::StartedLong => self.begin(process).strftime("%a %b %e %H:%M:%S %Y").to_string(),
            Field::Used => clock(process.used),
            Field::UsedShort => {
                let seconds = process.used.as_secs();
                format!("{}:{:02}", seconds / 60, seconds % 60)
            }
            Field::Elapsed => {
                let clock = clock(process.age);
                clock.strip_prefix("00:").map_or(clock.clone(), str::to_owned)
            }
            Field::ElapsedSeconds => process.age.as_secs().to_string(),
            Field::Nice => process.nice.to_string(),
            // As ps(1) has them: higher is better in the one, and lower in the other.
            Field::Priority => (39 - process.priority).to_string(),
            Field::KernelPriority => (60 + process.priority).to_string(),
            Field::Threads => process.threads.to_string(),
            Field::Processor => process.processor.to_string(),
            // Bit 6: forked and not executed; bit 8: has used privileges.
            Field::Flags => ((process.flags >> 6) & 7).to_string(),
            Field::Nothing => "-".to_owned(),
            Field::Name => ended(process, process.name.clone()),
            Field::Arguments if process.arguments.is_empty() => ended(process, format!("[{}]", process.name)),
            Field::Arguments => process.arguments.join(" "),
        }
    }

    fn begin(&self, process: &Process) -> Zoned {
        top::started(process, self.now.timestamp()).to_zoned(self.now.time_zone().clone())
    }

    /// The time of today, the day of this year, or the year.
    fn started(&self, process: &Process, today: &str) -> String {
        let begin = self.begin(process);
        let format = if begin.date() == self.now.date() {
            today
        } else if begin.year() == self.now.year() {
            "%b%d"
        } else {
            "%Y"
        };
        begin.strftime(format).to_string()
    }
}

/// Processor time in thousandths of the time since it started.
fn thousandths(process: &Process) -> u64 {
    let age = process.age.as_millis().max(1);
    (process.used.as_millis() * 1000 / age).try_into().unwrap_or(u64::MAX)
}

fn tenths(thousandths: u64) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

/// `[DD-]HH:MM:SS`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let days = seconds / 86400;
    let prefix = if days > 0 { format!("{days}-") } else { String::new() };
    format!("{prefix}{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

fn ended(process: &Process, name: String) -> String {
    if process.state == 'Z' { format!("{name} <defunct>") } else { name }
}

/// The name that the host has for an id, cut to eight letters as ps(1) cuts it; the number without one.
fn name(file: &str, id: u32) -> String {
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    };
    match file.lines().find_map(name) {
        Some(name) if name.chars().count() > 8 => name.chars().take(7).chain(['+']).collect(),
        Some(name) => name,
        None => id.to_string(),
    }
}

/// A terminal by its device number: those of devpts are 136 and the seven that follow. Linux, devices.txt.
fn terminal(device: u64) -> String {
    let (major, minor) = mini_sys::file::device_numbers(device);
    match major {
        0 => "?".to_owned(),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        4 => format!("tty{minor}"),
        _ => "?".to_owned(),
    }
}

/// ps(1), "PROCESS STATE CODES".
fn state(process: &Process) -> String {
    let mut state = process.state.to_string();
    let marks = [
        ('<', process.nice < 0),
        ('N', process.nice > 0),
        ('L', process.locked),
        ('s', process.sid == process.pid),
        ('l', process.threads > 1),
        ('+', process.foreground == process.pgid),
    ];
    state.extend(marks.iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark));
    state
}
