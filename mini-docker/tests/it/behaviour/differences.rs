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
const STATES: &str = "states that a verb does not want";
const WITHIN: &str = "commands within";
const POLICIES: &str = "policies and limits";
const RENAME: &str = "one line says it; Docker adds another, that it failed, and a name's slash";
const EXEC: &str = "Docker 20.10 tells it on the standard output, with 126; 28 as we do";
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
    differ(
        "made, started and waited for",
        "docker start nosuch web nosuch2",
        "each failure is told once, not once more in a list",
    ),
    differ(STATES, "docker exec web true", "the words of 28, which name the id"),
    differ(STATES, "docker rm web", "the words of 28"),
    differ(STATES, "docker rename web made", RENAME),
    differ(STATES, "docker rename web web", RENAME),
    differ(STATES, "docker rename web '!'", RENAME),
    differ(STATES, "docker rename nosuch x1", RENAME),
    differ(WITHIN, "docker exec web nosuch", EXEC),
    differ(WITHIN, "docker exec web /etc/passwd", EXEC),
    differ(WITHIN, "docker exec -u nobody web true", EXEC),
    differ(WITHIN, "docker exec -w /nosuch web true", EXEC),
    differ(
        "files",
        "docker cp made nosuch:/",
        "the command of 28 and a daemon of 20.10 misunderstand each other",
    ),
    differ(
        POLICIES,
        "docker inspect -f '{{.HostConfig.RestartPolicy}} {{.HostConfig.Memory}}' web",
        "what has several fields is a map here, and a structure of Go's there",
    ),
    differ(
        POLICIES,
        "docker update --restart nosuch web",
        "the words of 28, and found while the flag is read",
    ),
    differ(POLICIES, "docker run --restart nosuch box true", "the words of 28"),
];
