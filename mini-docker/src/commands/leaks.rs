//! `leaks` and `restore`: what is left of containers that are gone.

use mini_cgroups::Layout;
use mini_engine::Home;
use mini_engine::leaks::{self, Leak};

use crate::commands::print;
use crate::{failure, format};

/// Lists what is left; a failure when there is something.
pub(crate) fn run(home: &Home) -> anyhow::Result<u8> {
    let found = leaks::look(home, Layout::detect().ok().as_ref());
    print(&lines(&found))?;
    Ok(u8::from(!found.is_empty()))
}

/// Takes away what is left, and lists it; a failure when something stays.
pub(crate) fn restore(home: &Home) -> anyhow::Result<u8> {
    let layout = Layout::detect().ok();
    let found = leaks::look(home, layout.as_ref());
    let failures = leaks::restore(home, layout.as_ref(), &found);
    let gone: Vec<Leak> =
        found.iter().filter(|leak| failures.iter().all(|(stays, _)| stays != *leak)).cloned().collect();
    print(&lines(&gone))?;
    let mut status = 0;
    for (leak, error) in failures {
        let what = leak.to_string().replace('\t', " ");
        status = failure::report(&anyhow::Error::from(error).context(format!("cannot restore {what}")));
    }
    Ok(status)
}

fn lines(leaks: &[Leak]) -> String {
    format::align(&leaks.iter().map(|leak| format!("{leak}\n")).collect::<String>())
}
