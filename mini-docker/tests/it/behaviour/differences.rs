//! Where we differ from Docker, and why: the book's list is written from this one. What is different in all verbs is in
//! `plain`, with its reasons.

/// A line of a case whose answers are not the same.
pub(super) struct Difference {
    pub(super) case: &'static str,
    pub(super) line: &'static str,
    /// Why it stays.
    pub(super) why: &'static str,
}

const fn differ(case: &'static str, line: &'static str, why: &'static str) -> Difference {
    Difference { case, line, why }
}

const RUN: &str = "what cannot be run";
const USED: &str = "an image that is used";
const FAULT: &str = "Docker prints the end of the line although the template failed";

pub(super) const DIFFERENCES: &[Difference] = &[
    differ(
        RUN,
        "docker run --rm box /etc",
        "the kernel's word for it is `permission denied`, which it is not",
    ),
    differ(RUN, "docker run --rm -h 'bad name' box true", "a name that no other machine could look up"),
    differ(RUN, "docker run --rm -e = box true", "the flag is not named again: the line has one `=`"),
    differ(RUN, "docker run --rm -m 1 box true", "the limit is told in bytes too, with what was asked for"),
    differ(RUN, "docker run --rm --cpus -1 box true", "found before the machine is asked how many there are"),
    differ("one that is killed", "docker kill -s 99 web", "no Linux has it, so no container is looked for"),
    differ(
        "several names",
        "docker inspect -f '{{.Name}}' nosuch box nosuch2",
        "a template that fails is told last, and not for each object",
    ),
    differ("logs", "docker logs --tail nonsense web 2>/dev/null", "Docker takes what is no number for `all`"),
    differ(
        "listing and its filters",
        "docker ps --format '{{.Nosuch}}'",
        "the type that has no such field is one of Docker's source",
    ),
    differ(
        USED,
        "docker rmi -f box",
        "the container needs the layers; the image goes with the last container",
    ),
    differ(
        USED,
        "docker images -a --format '{{.Repository}} {{.Tag}}'",
        "as before: the image is still here",
    ),
    differ(USED, "docker image prune -f", "as before: it goes now"),
    differ("archives", "echo nonsense | docker load", "Docker tells how a process of its own ended"),
    differ("templates", "docker inspect -f '{{.Nosuch}}' web", FAULT),
    differ("templates", "docker inspect -f '{{.State.Nosuch}}' web", FAULT),
];
