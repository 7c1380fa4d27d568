//! Where we differ from Docker, and why: the book's list is written from this one. What is different in all verbs is in
//! `plain`, with its reasons.

/// A line of a case whose answers are not the same.
pub(super) struct Difference {
    pub(super) case: &'static str,
    pub(super) line: &'static str,
    /// Why it stays.
    pub(super) why: &'static str,
    /// The one Docker that it is about; of the newest, and so of all, if none is named.
    only: Option<&'static str>,
}

impl Difference {
    /// Whether it is one from this Docker.
    pub(super) fn counts(&self, version: &str) -> bool {
        self.only.is_none_or(|only| only == version)
    }
}

const fn differ(case: &'static str, line: &'static str, why: &'static str) -> Difference {
    Difference { case, line, why, only: None }
}

/// A difference that Docker 28 does not have.
const fn older(case: &'static str, line: &'static str) -> Difference {
    Difference { case, line, why: "Docker 26 had other words", only: Some("26") }
}

const RUN: &str = "what cannot be run";
const USED: &str = "an image that is used";
const STATES: &str = "states that a verb does not want";
const WITHIN: &str = "commands within";
const POLICIES: &str = "policies and limits";
const EXEC: &str = "Docker tells it on the standard output";
const FLAG: &str = "found while the flag is read, and told with its name";
const FAULT: &str = "Docker prints the end of the line although the template failed";

pub(super) const DIFFERENCES: &[Difference] = &[
    differ(
        RUN,
        "docker run --rm box /etc",
        "the kernel's word for it is `permission denied`, which it is not",
    ),
    differ(RUN, "docker run --rm -h 'bad name' box true", "a name that no other machine could look up"),
    differ(RUN, "docker run --rm -m 1 box true", "the limit is told in bytes too, with what was asked for"),
    differ(RUN, "docker run --rm --cpus -1 box true", FLAG),
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
    differ(STATES, "docker rename web '!'", "the name as it was typed, without a slash"),
    differ(WITHIN, "docker exec web nosuch", EXEC),
    differ(WITHIN, "docker exec web /etc/passwd", EXEC),
    differ(WITHIN, "docker exec -w /nosuch web true", EXEC),
    differ(
        "files",
        "docker cp made nosuch:/",
        "Docker misses a directory; it is the container that is missing",
    ),
    differ(
        POLICIES,
        "docker inspect -f '{{.HostConfig.RestartPolicy}} {{.HostConfig.Memory}}' web",
        "what has several fields is a map here, and a structure of Go's there",
    ),
    differ(POLICIES, "docker update --restart nosuch web", FLAG),
    differ(POLICIES, "docker run --restart nosuch box true", FLAG),
    older("one that runs", "docker rm web"),
    older(STATES, "docker rm web"),
    older(WITHIN, "docker exec -u nobody web true"),
    older(POLICIES, "docker run --rm --restart always box true"),
    older("listing and its filters", "docker ps --filter status=nosuch"),
    older("ids and their beginnings", "docker inspect --type nosuch box"),
];
