//! `system restore`: after the machine has booted, starts what its policy says.
//!
//! Nothing of ours runs when a machine boots, so a unit of its service manager calls this once (see [`unit()`]). What ran
//! when the machine went down is put right first, as ever; then each container is asked for its policy.
//! systemd.service(5), docker-run(1) "Restart policies"; book ch. 10.

use mini_runtime::wire::FromMonitor;

use crate::find;
use crate::home::Home;
use crate::record::Record;
use crate::repair;
use crate::restart;
use crate::start;

/// What came of one container.
#[derive(Debug)]
pub struct Restored {
    /// The container.
    pub name: String,
    /// Why it does not run, if it does not.
    pub failure: Option<String>,
}

/// Starts every container that is to run again after a boot.
pub fn restore(home: &Home) -> Vec<Restored> {
    repair::sweep(home, mini_cgroups::Layout::detect().ok().as_ref());
    let mut restored = Vec::new();
    for id in find::ids(home).unwrap_or_default() {
        // What cannot be read is shown by `ps`, and cannot be started.
        let Ok(Some(record)) = Record::load(home, &id) else { continue };
        if restart::is_wanted_at_boot(&record.host_config.restart_policy, &record.state) {
            let name = record.name.clone();
            restored.push(Restored { name, failure: bring_back(home, record).err() });
        }
    }
    restored
}

fn bring_back(home: &Home, record: Record) -> Result<(), String> {
    let attachment = start::start(home, record, None).map_err(|error| error.to_string())?;
    match FromMonitor::receive(&attachment.socket) {
        Ok(Some(FromMonitor::Failed { message, .. })) => Err(message),
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("its monitor has ended".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A unit for systemd that restores at boot; `program` and `root` are paths.
pub fn unit(program: &str, root: &str) -> String {
    let [program, root] = [program, root].map(quoted);
    format!(
        "[Unit]\n\
         Description=Containers of mini-docker\n\
         Documentation=man:mini-docker(1)\n\
         After=network-online.target local-fs.target\n\
         Wants=network-online.target\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={program} --root {root} system restore\n\
         # The containers have monitors of their own, and are not this unit's to end.\n\
         KillMode=process\n\
         Delegate=yes\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    )
}

/// A word of a command line in a unit, whatever is in it. systemd.syntax(7), systemd.unit(5) "Specifiers".
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_kind_is_one_word_of_the_unit() {
        assert_eq!(quoted("/var/lib/mini-docker"), "/var/lib/mini-docker");
        assert_eq!(quoted(r#"/my "disk"/100%/$x"#), r#""/my \"disk\"/100%%/$$x""#);
    }
}
