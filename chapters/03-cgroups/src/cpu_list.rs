//! Lists of CPUs and memory nodes as the kernel writes them: `0-3,8`. cpuset(7), "List format".

use std::fmt;
use std::str::FromStr;

/// A set of CPU or memory node numbers. Displays in the kernel's list format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuList {
    /// First and last of each run, in ascending order, without overlap.
    runs: Vec<(u32, u32)>,
}

/// A text that is no list of numbers and ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no list such as `0-3,8`")]
pub struct CpuListError {
    text: String,
}

impl CpuListError {
    /// The error that `text` is no such list.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

impl CpuList {
    /// The set of this one number.
    pub(crate) fn single(number: u32) -> Self {
        Self { runs: vec![(number, number)] }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether each member of `other` is in this set too.
    pub fn contains_all(&self, other: &Self) -> bool {
        let holds =
            |(first, last): &(u32, u32)| self.runs.iter().any(|run| run.0 <= *first && *last <= run.1);
        other.runs.iter().all(holds)
    }
}

impl FromStr for CpuList {
    type Err = CpuListError;

    fn from_str(text: &str) -> Result<Self, CpuListError> {
        let error = || CpuListError::new(text);
        let mut runs = Vec::new();
        for item in text.trim().split(',').filter(|item| !item.is_empty()) {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let number = |digits: &str| digits.trim().parse::<u32>().map_err(|_| error());
            let run = (number(first)?, number(last)?);
            if run.0 > run.1 {
                return Err(error());
            }
            runs.push(run);
        }
        runs.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for run in runs {
            match joined.last_mut() {
                Some(before) if run.0 <= before.1.saturating_add(1) => before.1 = before.1.max(run.1),
                _ => joined.push(run),
            }
        }
        Ok(Self { runs: joined })
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last {
                write!(out, "{comma}{first}")?;
            } else {
                write!(out, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::CpuList;

    fn list(text: &str) -> CpuList {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_is_read_and_written_in_the_kernels_form() {
        assert_eq!(list("8,0-3\n").to_string(), "0-3,8");
        assert_eq!(list("0,1,2").to_string(), "0-2");
        assert_eq!(list("").to_string(), "");
        assert_eq!((list("0-3,8").count(), list("").count()), (5, 0));
    }

    #[test]
    fn a_cpu_that_is_not_there_is_noticed() {
        assert!(list("0-3").contains_all(&list("1,3")));
        assert!(list("0-1,2-3").contains_all(&list("1-2")));
        assert!(!list("0-3").contains_all(&list("3-4")));
        assert!(!list("0").contains_all(&list("0-4294967295")));
    }

    #[test]
    fn what_is_no_list_is_named() {
        for text in ["a", "3-1", "-1", "1-", "0x1"] {
            let error = text.parse::<CpuList>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is no list such as `0-3,8`"));
        }
    }
}
