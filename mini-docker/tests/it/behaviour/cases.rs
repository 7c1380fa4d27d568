//! What is typed. Each case begins with the image `box` (busybox) and nothing else.

/// A few lines that belong together.
pub(super) struct Case {
    pub(super) name: &'static str,
    text: &'static str,
}

impl Case {
    /// One command each.
    pub(super) fn lines(&self) -> Vec<&'static str> {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }
}

pub(super) const fn case(name: &'static str, text: &'static str) -> Case {
    Case { name, text }
}

pub(super) const CASES: &[Case] = &[
    case(
        "a program's output and end",
        "
        docker run --rm box echo hi
        docker run --rm box sh -c 'echo out; echo err >&2; exit 3'
        docker run --rm box sh -c 'kill -9 $$'
        docker run --rm box sh -c 'kill -15 $$'
        echo text | docker run --rm -i box cat
        docker run --rm -w /tmp -e A=1 -u web box sh -c 'pwd; echo $A; id -u'
        docker run --rm --entrypoint echo box entry
        docker run --rm -h box1 box hostname
        docker ps -a -q
    ",
    ),
    case(
        "what cannot be run",
        "
        docker run --rm box nosuch
        docker run --rm box /etc
        docker run --rm box /etc/passwd
        docker run --name stays box nosuch
        docker ps -a --format '{{.Names}} {{.Status}}'
        docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' stays
        docker run --rm box
        docker run --rm -w relative box true
        docker run --rm -u nobody box true
        docker run --rm -h 'bad name' box true
        docker run --rm --pull never nosuch true
        docker run --rm BAD true
        docker run --rm --name '!' box true
        docker run --rm --nosuch box true
        docker run
        docker run --rm -e = box true
        docker run --rm -m 1 box true
        docker run --rm --cpus -1 box true
        docker run --rm --stop-signal NOSUCH box true
    ",
    ),
    case(
        "a name is taken once",
        "
        docker run --name web box true
        docker run --name web box true
        docker ps -a --format '{{.Names}}'
        docker rm web
        docker run --name web box true
    ",
    ),
    case(
        "one that runs",
        "
        docker run -d --name web box sh -c 'echo begun; trap \"exit 7\" TERM; while :; do sleep 0.05; done'
        docker ps --format '{{.Names}} {{.Image}} {{.Status}} {{.Command}}'
        docker ps --no-trunc --format '{{.Command}}'
        docker ps
        docker inspect -f '{{.State.Status}} {{.State.Running}} {{.Config.Image}} {{.Name}} {{.Path}}' web
        docker rm web
        docker run --rm --name web box true
        docker stop web
        docker ps -a --format '{{.Names}} {{.Status}}'
        docker stop web
        docker logs web
        docker kill web
        docker rm web
        docker rm web
        docker ps -a
    ",
    ),
    case(
        "one that is killed",
        "
        docker run -d --name web box sleep 1000
        docker kill -s NOSUCH web
        docker kill -s 99 web
        docker kill web
        until_ended web
        docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' web
        docker run -d --name gone --rm box sleep 1000
        docker rm -f gone web
        docker ps -aq
    ",
    ),
    case(
        "several names",
        "
        docker run -d --name aa box sleep 1000
        docker run -d --name bb box sleep 1000
        docker stop -t 0 aa nosuch bb
        docker kill aa nosuch bb
        docker rm aa nosuch bb nosuch2
        docker rm -f nosuch
        docker inspect nosuch
        docker inspect -f '{{.Name}}' nosuch box nosuch2
        docker rmi nosuch nosuch2
        docker logs nosuch
    ",
    ),
    case(
        "missing arguments",
        "
        docker stop
        docker kill
        docker rm
        docker rmi
        docker logs
        docker inspect
        docker tag box
        docker commit
        docker export
        docker save
        docker import
        docker history
    ",
    ),
    case(
        "ids and their beginnings",
        "
        docker run --name web box true
        docker inspect -f '{{.Name}}' $(docker ps -aq)
        docker inspect -f '{{.Name}}' $(docker ps -aq | cut -c1-6)
        docker rm $(docker ps -aq --no-trunc)
        docker ps -aq
        docker inspect -f '{{.RepoTags}}' $(docker images -q box)
        docker inspect --type container box
        docker inspect --type image nosuch
        docker inspect --type nosuch box
    ",
    ),
    case(
        "logs",
        "
        docker run --name noisy box sh -c 'echo err >&2'
        docker logs noisy >/dev/null
        docker run --name web box seq 5
        docker logs web 2>/dev/null
        docker logs -n 2 web 2>/dev/null
        docker logs --tail 0 web 2>/dev/null
        docker logs --tail all web 2>/dev/null
        docker logs -t -n 1 web 2>/dev/null
        docker logs -f -n 1 web 2>/dev/null
        docker logs --since 1h -n 1 web 2>/dev/null
        docker logs --until 1h web
        docker logs --since nonsense web
        docker logs --tail nonsense web 2>/dev/null
    ",
    ),
    case(
        "listing and its filters",
        "
        docker run --name aa box true
        docker run --name bb box false
        docker run -d --name cc box sleep 1000
        docker ps -a --filter name=a --format '{{.Names}}'
        docker ps -a --filter status=exited --format '{{.Names}}'
        docker ps -a --filter exited=1 --format '{{.Names}}'
        docker ps -a --filter ancestor=box --format '{{.Names}}'
        docker ps -a --filter before=bb --format '{{.Names}}'
        docker ps -a --filter since=bb --format '{{.Names}}'
        docker ps -l --format '{{.Names}}'
        docker ps -n 2 --format '{{.Names}}'
        docker ps --filter nosuch=1
        docker ps --filter status=nosuch
        docker ps --filter name
        docker ps --format '{{.Nosuch}}'
        docker ps --format '{{'
        docker ps -a --format 'table {{.Names}}\\t{{.Image}}'
        docker ps -a --format json | wc -l
    ",
    ),
    case(
        "images",
        "
        docker images
        docker images --format '{{.Repository}} {{.Tag}} {{.ID}}'
        docker tag box other:2
        docker tag box registry.example:5000/a/b
        docker tag nosuch x
        docker tag box BAD
        docker images --format '{{.Repository}}:{{.Tag}}' | sort
        docker images -q | sort -u | wc -l
        docker images nosuch
        docker images --filter nosuch=1
        docker rmi other:2
        docker rmi other:2
        docker rmi box
        docker rmi registry.example:5000/a/b
        docker images -q
    ",
    ),
    case(
        "an image that is used",
        "
        docker run --name web box true
        docker rmi box
        docker rmi $(docker images -q box)
        docker rmi -f box
        docker images -a --format '{{.Repository}} {{.Tag}}'
        docker rm web
        docker image prune -f
    ",
    ),
    case(
        "archives",
        "
        docker run --name web box sh -c 'echo x > /made'
        docker export web > web.tar
        docker import -c 'CMD [\"cat\", \"/made\"]' -m why web.tar imported:1
        docker run --rm imported:1
        docker commit -a Ada -m words web committed:1
        docker run --rm committed:1
        docker run --rm committed:1 cat /made
        docker history --format '{{.CreatedBy}}|{{.Comment}}' committed:1
        docker history -q committed:1 | wc -l
        docker save -o both.tar imported:1 committed:1
        docker rmi imported:1 committed:1 | grep -c Untagged
        docker load -i both.tar | sort
        docker run --rm imported:1
        docker load -i nosuch.tar
        echo nonsense | docker load
        docker save nosuch
        docker export nosuch
        docker import nosuch.tar
        docker commit nosuch
        docker commit web BAD
        docker history nosuch
        docker inspect -f '{{.Author}} {{.Comment}} {{json .Config.Cmd}}' committed:1
    ",
    ),
    case(
        "templates",
        "
        docker run --name web -e A=1 box echo hi
        docker inspect -f '{{json .Config.Cmd}}' web
        docker inspect -f '{{.Config.Env}}' web
        docker inspect -f '{{index .Args 0}} {{len .Args}}' web
        docker inspect -f '{{range .Config.Cmd}}{{.}};{{end}}' web
        docker inspect -f '{{join .Config.Cmd \",\"}} {{upper .Path}} {{title .Path}}' web
        docker inspect -f '{{if .State.Running}}up{{else}}down{{end}}' web
        docker inspect -f '{{printf \"%s-%d\" .Path .State.ExitCode}}' web
        docker inspect -f '{{.Nosuch}}' web
        docker inspect -f '{{' web
        docker inspect -f '{{nosuch}}' web
        docker inspect -f '{{.State.Nosuch}}' web
    ",
    ),
    case(
        "made, started and waited for",
        "
        docker create --name web -e A=1 box sh -c 'echo $A; exit 3'
        docker ps -a --format '{{.Names}} {{.Status}}'
        docker start web
        docker wait web
        docker logs web
        docker start -a web
        docker start nosuch web nosuch2
        docker wait nosuch
        docker create --name web box true
        docker create box
        docker create --name job -i box cat
        echo text | docker start -ai job
        docker inspect -f '{{.State.ExitCode}} {{.RestartCount}}' web job
    ",
    ),
    case(
        "states that a verb does not want",
        "
        docker create --name made box true
        docker pause made
        docker unpause made
        docker exec made true
        docker kill made
        docker stop made
        docker top made
        docker port made
        docker attach made
        docker run -d --network none --name web box sleep 1000
        docker start web
        docker unpause web
        docker pause web
        docker pause web
        docker ps --format '{{.Names}} {{.Status}}'
        docker exec web true
        docker rm web
        docker unpause web
        docker rename web made
        docker rename web web
        docker rename web '!'
        docker rename nosuch x1
        docker rename web other
        docker inspect -f '{{.Name}}' other
        docker restart -t 0 other nosuch
        docker inspect -f '{{.State.Status}} {{.RestartCount}}' other
        docker pause nosuch
        docker unpause nosuch
        docker restart nosuch
        docker port nosuch
        docker top nosuch
        docker attach nosuch
        docker diff nosuch
        docker update nosuch
        docker update -m 64m nosuch
    ",
    ),
    case(
        "commands within",
        "
        docker run -d --name web -e A=image box sleep 1000
        docker exec web echo hi
        docker exec web sh -c 'echo out; echo err >&2; exit 4'
        docker exec -e A=mine -w /tmp -u web web sh -c 'echo $A; pwd; id -u'
        echo text | docker exec -i web cat
        docker exec web nosuch
        docker exec web /etc/passwd
        docker exec -u nobody web true
        docker exec -w /nosuch web true
        docker exec nosuch true
        docker exec web
        docker top web -o pid,comm | wc -l
        docker exec -d web touch /made
        docker port web
        docker port web 80
    ",
    ),
    case(
        "files",
        "
        docker run --name web box sh -c 'echo x > /made; mkdir /dir; echo y > /dir/in; rm /etc/passwd'
        docker diff web | sort
        docker cp web:/made made
        cat made
        docker cp made web:/dir/copied
        docker cp web:/dir - | tar t
        docker cp web:/dir/. here
        docker cp web:/dir here
        ls here here/dir
        docker cp nosuch web:/
        docker cp web:/nosuch .
        docker cp web:/made web:/other
        docker cp made nosuch:/
        docker cp made other
        docker cp made web:/nosuch/
        docker cp web:/dir made
        docker diff web | sort
    ",
    ),
    case(
        "policies and limits",
        "
        docker run -d --name web --restart always -m 64m box sleep 1000
        docker inspect -f '{{.HostConfig.RestartPolicy}} {{.HostConfig.Memory}}' web
        docker update --restart no web
        docker update --restart nosuch web
        docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' web
        docker run --rm --restart always box true
        docker run --restart nosuch box true
        docker run --name again --restart on-failure:2 box false
        until_ended again
        docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' again
        docker run --name ill --health-cmd true --health-retries -1 box true
        docker run --rm --label of=a box true
        docker run --cidfile id box true && wc -c < id
        docker run --cidfile id box true
        docker container prune -f --filter label=nosuch
        docker container prune -f | tail -n 1
        docker ps -a --format '{{.Names}}'
    ",
    ),
];
