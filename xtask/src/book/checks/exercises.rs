//! A chapter's page lists the exercises that there are, and no others.

use super::Complaint;
use crate::book::{Exercise, Page};

/// The ids in the table of the section "Exercises", against those in the chapter's folder; and ids after
/// `cargo course`, which must be some exercise's.
pub(super) fn named(page: &Page, exercises: &[Exercise]) -> Vec<Complaint> {
    let mut complaints = called(page, exercises);
    let Some((number, _)) = page.chapter() else { return complaints };
    let listed = listed(page);
    let there: Vec<&str> = exercises
        .iter()
        .filter(|exercise| exercise.chapter == number)
        .map(|exercise| exercise.id.as_str())
        .collect();
    for (line, id) in &listed {
        if !there.contains(id) {
            complaints.push(Complaint::new(page, *line, format!("no exercise `{id}` in chapter {number}")));
        }
    }
    let section =
        page.headings.iter().find(|heading| heading.text == "Exercises").map_or(1, |heading| heading.line);
    for id in there {
        if !listed.iter().any(|(_, listed)| *listed == id) {
            let text =
                format!("the exercise `{id}` is not in the table of this section: | `{id}` | kind | …");
            complaints.push(Complaint::new(page, section, text));
        }
    }
    complaints
}

/// The lines and first words in code type of the rows of the section's table.
fn listed(page: &Page) -> Vec<(usize, &str)> {
    let lines = page.source.lines().enumerate().map(|(index, line)| (index + 1, line));
    let section = lines.skip_while(|(_, line)| *line != "## Exercises").skip(1);
    let rows =
        section.take_while(|(_, line)| !line.starts_with("## ")).filter(|(_, line)| line.starts_with('|'));
    rows.filter_map(|(number, line)| Some((number, line.split('|').nth(1)?.split('`').nth(1)?))).collect()
}

/// The ids after `cargo course start` and its like, on any page.
fn called(page: &Page, exercises: &[Exercise]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (index, line) in page.source.lines().enumerate() {
        for call in line.split("cargo course ").skip(1) {
            let mut words = call.split([' ', '`', ')', '\'', '"']);
            let verb = words.next().unwrap_or_default();
            let takes_id = ["start", "check", "hint", "solution", "reset"].contains(&verb);
            let Some(id) =
                words.next().filter(|word| takes_id && word.starts_with(|c: char| c.is_ascii_lowercase()))
            else {
                continue;
            };
            let in_code =
                line.starts_with("$ ") || line.starts_with("# ") || line.contains(&format!("{verb} {id}`"));
            if in_code && !exercises.iter().any(|exercise| exercise.id == id) {
                complaints.push(Complaint::new(
                    page,
                    index + 1,
                    format!("`cargo course {verb}`: no exercise `{id}`"),
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::named;
    use crate::book::{Exercise, Page};

    fn complaints(source: &str) -> Vec<String> {
        let exercise = |chapter: &str, id: &str| Exercise { chapter: chapter.to_owned(), id: id.to_owned() };
        let exercises = [exercise("01", "pivot"), exercise("01", "escape"), exercise("02", "reap")];
        let complaints = named(&Page::parse("book/src/01-chroot.md", source), &exercises);
        complaints.into_iter().map(|complaint| complaint.text).collect()
    }

    const TABLE: &str =
        "## Exercises\n\n| exercise | kind |\n| --- | --- |\n| `pivot` | fill |\n| `escape` | attack |\n";

    #[test]
    fn a_table_with_every_exercise_is_fine() {
        assert_eq!(complaints(TABLE), [""; 0]);
        assert_eq!(
            complaints(&format!(
                "{TABLE}\n`cargo course start pivot`, `cargo course check` or `cargo course hint` it.\n"
            )),
            [""; 0]
        );
    }

    #[test]
    fn an_exercise_that_is_not_named_and_one_that_is_not_there_are_found() {
        assert!(complaints(&TABLE.replace("escape", "flight"))[0].contains("no exercise `flight`"));
        assert!(
            complaints(&TABLE.replace("| `escape` | attack |\n", ""))[0]
                .contains("`escape` is not in the table")
        );
        assert!(complaints(&TABLE.replace("escape", "reap")).len() == 2);
    }

    #[test]
    fn a_command_with_an_unknown_exercise_is_found() {
        let calls = "\n```console\n$ cargo course start pviot\n```\n\nOr `cargo course hint none`.\n";
        assert_eq!(complaints(&format!("{TABLE}{calls}")).len(), 2);
    }
}
