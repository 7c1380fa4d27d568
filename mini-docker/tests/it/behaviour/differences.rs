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
const INTO: &str = "copied into a container";
const OUT: &str = "copied out of a container";
const TAR: &str = "copied as archives, and whose it is then";
const UPDATE: &str = "changes that cannot be";
const FILTERS: &str = "filters that are none";
const EVENTS: &str = "what is told as it happens";
const PROGRAMS: &str = "programs that cannot be run";
const LINK: &str = "the link's own name, which was typed";
const CALL: &str = "the same without the call that found it out";
const VALUE: &str = "with what was asked for, and of which container";
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
    differ(INTO, "docker cp w/one web:/f/", "it is there and no directory; Docker says that there is none"),
    differ(INTO, "docker cp -L w/dangling web:/dang2", LINK),
    differ(
        INTO,
        "docker cp w/one nosuch:/",
        "Docker misses a directory; it is the container that is missing",
    ),
    differ(OUT, "docker cp web:/f w/one/", CALL),
    differ(OUT, "docker cp web:/f/ w", CALL),
    differ(OUT, "docker cp web:/f/. w", CALL),
    differ(OUT, "docker cp -L web:/dangling w/dangling2", LINK),
    differ(OUT, "docker cp web: w", "in words that say which path"),
    differ(TAR, "echo junk | docker cp - web:/e", "Docker tells how its reader ended"),
    differ(
        TAR,
        "docker cp -a web:/d w/own && stat -c '%u %g' w/own/a",
        "Docker's -a keeps owners in one direction only",
    ),
    differ("figures and processes", "docker top web -o user=", "another fault is found first"),
    differ(UPDATE, "docker update -m x made", "and how it would be right"),
    differ(UPDATE, "docker update -m 5m made", VALUE),
    differ(UPDATE, "docker update -m 64m --memory-swap 32m made", VALUE),
    differ(UPDATE, "docker update --cpus 100 made", VALUE),
    differ(UPDATE, "docker update --cpuset-cpus x made", VALUE),
    differ(UPDATE, "docker update --restart always:3 made", FLAG),
    differ(UPDATE, "docker update --restart on-failure:x made", FLAG),
    differ(UPDATE, "docker update --restart on-failure:-1 made", FLAG),
    differ("which lines of a log", "docker logs -n", "a flag is called by its long name"),
    differ(
        FILTERS,
        "docker ps --filter 'name=('",
        "what is no pattern is told; Docker looks for the text as it is",
    ),
    differ(FILTERS, "docker container prune -f --filter until=nonsense", "and how it would be right"),
    differ(
        EVENTS,
        "docker events --since 1h --until 0s --filter nosuch=x | head -c 0",
        "a filter that does not exist is refused, as it is everywhere else",
    ),
    differ(
        EVENTS,
        "docker events --since 1h --until 0s --format '{{'",
        "the same words for a bad template in all verbs",
    ),
    differ(
        PROGRAMS,
        "docker run --rm -w /etc/passwd box true",
        "nothing is made beforehand: chdir(2) finds it out",
    ),
    differ(PROGRAMS, "docker exec runs ''", EXEC),
    differ(PROGRAMS, "docker exec runs /etc", EXEC),
    differ(PROGRAMS, "docker exec runs nosuch", EXEC),
    differ(PROGRAMS, "docker exec -t runs nosuch", EXEC),
    differ(PROGRAMS, "docker exec -w relative runs true", EXEC),
    differ(PROGRAMS, "docker exec -w /etc/passwd runs true", EXEC),
    differ(
        "keys to leave with that are none",
        "docker attach --detach-keys ctrl-, web",
        "Docker's command tells how a connection failed",
    ),
    older("several, and some that are not there", "docker rm one three nosuch two"),
    older("signals and names that are none", "docker stop -t x web"),
    older(FILTERS, "docker ps --filter status="),
    older(FILTERS, "docker ps --filter health=x"),
    older(PROGRAMS, "docker run --rm -d -a stdout box true"),
    older(PROGRAMS, "docker exec -u 99:nosuch runs true"),
    older("one that runs", "docker rm web"),
    older(STATES, "docker rm web"),
    older(WITHIN, "docker exec -u nobody web true"),
    older(POLICIES, "docker run --rm --restart always box true"),
    older("listing and its filters", "docker ps --filter status=nosuch"),
    older("ids and their beginnings", "docker inspect --type nosuch box"),
];
