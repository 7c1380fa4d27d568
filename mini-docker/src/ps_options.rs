//! The options of ps(1), as far as `top` takes them: which columns are shown. Nothing of the host is run.

/// A column: what it is called in an option, its heading, and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) heading: &'static str,
    /// What it shows.
    pub(crate) field: Field,
}

/// What can be told of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Pid,
    Ppid,
    Pgid,
    Sid,
    User,
    RealUser,
    Uid,
    RealUid,
    Group,
    RealGroup,
    Gid,
    RealGid,
    Cpu,
    CpuExact,
    Memory,
    Virtual,
    Resident,
    Pages,
    Terminal,
    State,
    StateOnly,
    StartedShort,
    StartedTime,
    StartedLong,
    Used,
    UsedShort,
    Elapsed,
    ElapsedSeconds,
    Nice,
    Priority,
    KernelPriority,
    Threads,
    Processor,
    Flags,
    Nothing,
    Name,
    Arguments,
}

use Field::*;

/// Names for `-o`, with the heading of each. ps(1), "STANDARD FORMAT SPECIFIERS".
const FIELDS: [(&str, &str, Field); 67] = [
    ("pid", "PID", Pid),
    ("tgid", "TGID", Pid),
    ("ppid", "PPID", Ppid),
    ("pgid", "PGID", Pgid),
    ("pgrp", "PGRP", Pgid),
    ("sid", "SID", Sid),
    ("sess", "SESS", Sid),
    ("session", "SESS", Sid),
    ("user", "USER", User),
    ("euser", "EUSER", User),
    ("uname", "USER", User),
    ("ruser", "RUSER", RealUser),
    ("uid", "UID", Uid),
    ("euid", "EUID", Uid),
    ("ruid", "RUID", RealUid),
    ("group", "GROUP", Group),
    ("egroup", "EGROUP", Group),
    ("rgroup", "RGROUP", RealGroup),
    ("gid", "GID", Gid),
    ("egid", "EGID", Gid),
    ("rgid", "RGID", RealGid),
    ("c", "C", Cpu),
    ("pcpu", "%CPU", CpuExact),
    ("%cpu", "%CPU", CpuExact),
    ("pmem", "%MEM", Memory),
    ("%mem", "%MEM", Memory),
    ("vsz", "VSZ", Virtual),
    ("vsize", "VSZ", Virtual),
    ("rss", "RSS", Resident),
    ("rssize", "RSS", Resident),
    ("rsz", "RSZ", Resident),
    ("sz", "SZ", Pages),
    ("tty", "TT", Terminal),
    ("tt", "TT", Terminal),
    ("tname", "TTY", Terminal),
    ("stat", "STAT", State),
    ("s", "S", StateOnly),
    ("state", "S", StateOnly),
    ("stime", "STIME", StartedShort),
    ("start_time", "START", StartedShort),
    ("bsdstart", "START", StartedShort),
    ("start", "STARTED", StartedTime),
    ("lstart", "STARTED", StartedLong),
    ("time", "TIME", Used),
    ("cputime", "TIME", Used),
    ("bsdtime", "TIME", UsedShort),
    ("etime", "ELAPSED", Elapsed),
    ("etimes", "ELAPSED", ElapsedSeconds),
    ("ni", "NI", Nice),
    ("nice", "NI", Nice),
    ("pri", "PRI", Priority),
    ("nlwp", "NLWP", Threads),
    ("thcount", "THCNT", Threads),
    ("psr", "PSR", Processor),
    ("f", "F", Flags),
    ("flag", "F", Flags),
    ("flags", "F", Flags),
    ("wchan", "WCHAN", Nothing),
    ("addr", "ADDR", Nothing),
    ("comm", "COMMAND", Name),
    ("ucmd", "CMD", Name),
    ("ucomm", "COMMAND", Name),
    ("fname", "COMMAND", Name),
    ("args", "COMMAND", Arguments),
    ("command", "COMMAND", Arguments),
    ("cmd", "CMD", Arguments),
    ("opri", "PRI", KernelPriority),
];

const FULL: [(&str, Field); 8] = [
    ("UID", User),
    ("PID", Pid),
    ("PPID", Ppid),
    ("C", Cpu),
    ("STIME", StartedShort),
    ("TTY", Terminal),
    ("TIME", Used),
    ("CMD", Arguments),
];
const FULLER: [(&str, Field); 11] = [
    ("UID", User),
    ("PID", Pid),
    ("PPID", Ppid),
    ("C", Cpu),
    ("SZ", Pages),
    ("RSS", Resident),
    ("PSR", Processor),
    ("STIME", StartedShort),
    ("TTY", Terminal),
    ("TIME", Used),
    ("CMD", Arguments),
];
const USERS: [(&str, Field); 11] = [
    ("USER", User),
    ("PID", Pid),
    ("%CPU", CpuExact),
    ("%MEM", Memory),
    ("VSZ", Virtual),
    ("RSS", Resident),
    ("TTY", Terminal),
    ("STAT", State),
    ("START", StartedShort),
    ("TIME", UsedShort),
    ("COMMAND", Arguments),
];
const LONG: [(&str, Field); 14] = [
    ("F", Flags),
    ("S", StateOnly),
    ("UID", Uid),
    ("PID", Pid),
    ("PPID", Ppid),
    ("C", Cpu),
    ("PRI", KernelPriority),
    ("NI", Nice),
    ("ADDR", Nothing),
    ("SZ", Pages),
    ("WCHAN", Nothing),
    ("TTY", Terminal),
    ("TIME", Used),
    ("CMD", Name),
];
const BSD: [(&str, Field); 5] =
    [("PID", Pid), ("TTY", Terminal), ("STAT", State), ("TIME", UsedShort), ("COMMAND", Arguments)];
const PLAIN: [(&str, Field); 4] = [("PID", Pid), ("TTY", Terminal), ("TIME", Used), ("CMD", Name)];

/// The columns that the options of ps(1) ask for; none at all means Docker's `-ef`.
///
/// # Errors
/// An option or a field that ps(1) may have and `top` has not, as a message.
pub(crate) fn columns(options: &[String]) -> Result<Vec<Column>, String> {
    let mut format: &[(&'static str, Field)] = if options.is_empty() { &FULL } else { &PLAIN };
    let mut own = Vec::new();
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if let Some(list) = word.strip_prefix("--format=") {
            own.extend(list_of(list)?);
            continue;
        }
        if word == "--format" {
            own.extend(list_of(words.next().map_or("", String::as_str))?);
            continue;
        }
        let (letters, is_unix) = match word.strip_prefix('-') {
            Some(letters) if !letters.starts_with('-') => (letters, true),
            _ => (word.as_str(), false),
        };
        for (place, letter) in letters.char_indices() {
            match (letter, is_unix) {
                ('e' | 'A' | 'a' | 'd', true) | ('w', _) => {}
                ('f', true) => format = &FULL,
                ('F', true) => format = &FULLER,
                ('l', true) => format = &LONG,
                ('u', _) => format = &USERS,
                ('x', _) | ('a', false) => {
                    format = if format == USERS { &USERS } else { &BSD };
                }
                ('o', _) => {
                    let rest = &letters[place + 1..];
                    let list = if rest.is_empty() { words.next().map_or("", String::as_str) } else { rest };
                    own.extend(list_of(list)?);
                    break;
                }
                _ => {
                    return Err(format!(
                        "ps: error: unsupported option \"{word}\"; there are -e, -f, -F, -l, -o LIST, aux and the like"
                    ));
                }
            }
        }
    }
    let columns: Vec<Column> = match own.is_empty() {
        true => format.iter().map(|(heading, field)| Column { heading, field: *field }).collect(),
        false => own,
    };
    if !columns.iter().any(|column| column.heading == "PID") {
        return Err("Couldn't find PID field in ps output".to_owned());
    }
    Ok(columns)
}

fn list_of(list: &str) -> Result<Vec<Column>, String> {
    if list.is_empty() {
        return Err("ps: error: format specification must follow -o".to_owned());
    }
    let one = |name: &str| {
        let found = FIELDS.iter().find(|(known, ..)| *known == name);
        let column = found.map(|(_, heading, field)| Column { heading, field: *field });
        column.ok_or_else(|| format!("ps: error: unknown user-defined format specifier \"{name}\""))
    };
    list.split([',', ' ']).filter(|name| !name.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(options: &str) -> Result<String, String> {
        let options: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        Ok(columns(&options)?.iter().map(|column| column.heading).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn options_choose_the_columns_of_ps() {
        let full = "UID PID PPID C STIME TTY TIME CMD";
        for options in ["", "-ef", "-e -f", "-f"] {
            assert_eq!(headings(options).as_deref(), Ok(full), "{options}");
        }
        let users = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND";
        for options in ["aux", "u", "-u", "uax"] {
            assert_eq!(headings(options).as_deref(), Ok(users), "{options}");
        }
        assert_eq!(headings("ax").as_deref(), Ok("PID TTY STAT TIME COMMAND"));
        assert_eq!(headings("-e").as_deref(), Ok("PID TTY TIME CMD"));
        assert_eq!(headings("-eo pid,user,args").as_deref(), Ok("PID USER COMMAND"));
        assert_eq!(headings("-opid -o comm").as_deref(), Ok("PID COMMAND"));
        assert_eq!(headings("axo pid,%cpu").as_deref(), Ok("PID %CPU"));
    }

    #[test]
    fn what_is_no_option_is_refused_in_words() {
        assert_eq!(headings("-o user"), Err("Couldn't find PID field in ps output".to_owned()));
        assert_eq!(
            headings("-o pid,foo"),
            Err("ps: error: unknown user-defined format specifier \"foo\"".to_owned())
        );
        for options in ["-Z", "--sort=pid", "f", "-o"] {
            assert!(headings(options).is_err_and(|message| message.starts_with("ps: error: ")), "{options}");
        }
    }
}
