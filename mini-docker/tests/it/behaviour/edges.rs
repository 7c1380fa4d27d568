//! What is typed at the edges: wrong values, missing paths, objects in another state. As in `cases`, each begins with the
//! image `box` and nothing else.

use super::cases::{Case, case};

pub(super) const EDGES: &[Case] = &[
    case(
        "copied into a container",
        "
        mkdir -p w/dir/sub w/empty; echo 1 > w/one; echo 2 > w/dir/two; ln -s one w/link; ln -s dir w/dlink; ln -s nowhere w/dangling
        docker run --name web --network none box sh -c 'mkdir -p /d/sub /e; echo a > /d/a; echo f > /f; ln -s f /lf; ln -s /d /ld; ln -s nowhere /dangling'
        docker cp w/one web:/new
        docker cp w/one web:/missing/new
        docker cp w/one web:/missing/
        docker cp w/one web:/f/
        docker cp w/one web:/d
        docker cp w/one web:/d/
        docker cp w/one web:/ld
        docker cp w/one web:/dangling
        docker cp w/dir web:/f
        docker cp w/dir web:/lf
        docker cp w/dir web:/newdir
        docker cp w/dir web:/newdir
        docker cp w/dir/. web:/newdir2
        docker cp w/dir/. web:/e
        docker cp w/dir/ web:/e/
        docker cp w/dir web:/missing/x
        docker cp w/nosuch web:/
        docker cp w/one/ web:/
        docker cp w/one/. web:/
        docker cp w/link web:/llink
        docker cp -L w/link web:/flink
        docker cp w/dlink web:/dl
        docker cp -L w/dlink web:/dl2
        docker cp w/dlink/ web:/dl3
        docker cp w/dangling web:/dang
        docker cp -L w/dangling web:/dang2
        docker cp w/one web:../../upper
        docker cp w/one nosuch:/
        docker cp w/one ''
        docker cp '' web:/
        docker diff web | sort
    ",
    ),
    case(
        "copied out of a container",
        "
        mkdir -p w/dir w/old; echo 1 > w/one
        docker run --name web --network none box sh -c 'mkdir -p /d/sub; echo a > /d/a; echo f > /f; ln -s f /lf; ln -s /d /ld; ln -s nowhere /dangling'
        docker cp web:/f w/f && cat w/f
        docker cp web:/f w/missing/f
        docker cp web:/f w/missing/
        docker cp web:/f w/one/
        docker cp web:/d w/one
        docker cp web:/d w/new && ls w/new
        docker cp web:/d w/new && ls w/new
        docker cp web:/d/. w/new2 && ls w/new2
        docker cp web:/d/. w/dir && ls w/dir
        docker cp web:/d w/no/x
        docker cp web:/nosuch w
        docker cp web:/f/ w
        docker cp web:/f/. w
        docker cp web:/lf w/lf && readlink w/lf
        docker cp -L web:/lf w/lf2 && cat w/lf2
        docker cp web:/ld w/ld && readlink w/ld
        docker cp -L web:/ld w/ld2 && ls w/ld2
        docker cp web:/ld/. w/ld3 && ls w/ld3
        docker cp web:/dangling w/dangling && readlink w/dangling
        docker cp -L web:/dangling w/dangling2
        docker cp web:d w/rel && ls w/rel
        docker cp web: w
        docker cp web:/../../f w/up && cat w/up
        docker cp nosuch:/f .
    ",
    ),
    case(
        "copied as archives, and whose it is then",
        "
        mkdir -p w/e; echo 1 > w/one; chown 44:44 w/one
        docker run --name web --network none box sh -c 'mkdir -p /d/sub /e; echo a > /d/a; echo f > /f; ln -s f /lf; chown -R 33:33 /d'
        docker cp web:/f - | tar t
        docker cp web:/d - | tar t | sort
        docker cp web:/d/. - | tar t | sort
        docker cp web:/lf - | tar t
        docker cp -L web:/lf - | tar t
        tar -C w -c one | docker cp - web:/e
        tar -C w -c one | docker cp - web:/missing
        tar -C w -c one | docker cp - web:/f
        echo junk | docker cp - web:/e
        docker cp - -
        docker cp w/one w/two
        docker cp web:/f web:/g
        docker cp - w
        docker cp w/one -
        docker cp web:/f
        docker cp web:/d w/out && stat -c '%u %g' w/out/a
        docker cp -a web:/d w/own && stat -c '%u %g' w/own/a
        docker cp w/one web:/mine && docker cp web:/mine - | tar tvn | cut -c1-18
        docker cp -a w/one web:/kept && docker cp web:/kept - | tar tvn | cut -c1-18
        docker cp -q w/one web:/quiet
        docker start web
        docker wait web
        docker diff web | sort
    ",
    ),
    case(
        "figures and processes",
        "
        docker stats --no-stream nosuch
        docker create --name made box sh -c 'exit 3'
        docker stats --no-stream
        docker stats --no-stream made
        docker stats --no-stream --no-trunc made
        docker stats --no-stream --format json made
        docker stats --no-stream -a --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}'
        docker stats --no-stream --format 'table {{.Name}}\\t{{.PIDs}}' made
        docker stats --no-stream made nosuch
        docker run -d --name web box sh -c 'sleep 1000 & sleep 1000'
        docker stats --no-stream --format '{{.Name}} {{.PIDs}}' web made
        docker top web | wc -l
        docker top web -o comm
        docker top web -o user,args
        docker top web -eo pid,comm | head -n 1
        docker top web aux | head -n 1
        docker top web -f | head -n 1
        docker top web -o nosuch
        docker top web -o user=
        docker top made
        docker top
    ",
    ),
    case(
        "several, and some that are not there",
        "
        docker create --name one box sh -c 'exit 1'
        docker create --name two box sh -c 'exit 2'
        docker wait one
        docker start one two nosuch
        docker wait one two nosuch one
        docker start -a one
        docker start -a one nosuch
        docker start -ai one two
        docker start -a nosuch
        docker restart nosuch one
        docker inspect -f '{{.Name}}' one nosuch two
        docker inspect one nosuch | grep -c Path
        docker container inspect -f '{{.Name}}' one box
        docker container inspect nosuch
        docker run -d --name three box sleep 1000
        docker pause three three nosuch
        docker exec three true
        docker exec -d three true
        docker unpause three nosuch
        docker rm one three nosuch two
        docker rm -f three nosuch
        docker rm -f nosuch
        docker rm -v nosuch
        docker ps -aq
    ",
    ),
    case(
        "signals and names that are none",
        "
        docker run -d --name web --network none box sleep 1000
        docker create --name made box true
        docker kill -s NOSUCH web nosuch
        docker kill -s 0 web
        docker kill -s SIGSIGTERM web
        docker stop -t x web
        docker rename web ''
        docker rename '' web
        docker rename web made
        docker rename web /web
        docker rename web a
        docker rename web nosuch/x
        docker rename made /other
        docker rename other made
        docker kill -s '' web
        docker wait web
        docker kill made web
    ",
    ),
    case(
        "changes that cannot be",
        "
        docker create --name made box true
        docker update made
        docker update -m x made
        docker update -m 5m made
        docker update -m 64m --memory-swap 32m made
        docker update -m 64m --memory-swap 64m made nosuch
        docker update --cpus 100 made
        docker update --cpus 1 --cpu-quota 50000 made
        docker update --cpus 1 --cpu-period 50000 made
        docker update --cpuset-cpus x made
        docker update --pids-limit x made
        docker update --restart always:3 made
        docker update --restart on-failure:x made
        docker update --restart on-failure:-1 made
        docker update --restart '' made
        docker update --restart unless-stopped made made
        docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}' made
    ",
    ),
    case(
        "which lines of a log",
        "
        docker run --name web box seq 3
        docker logs --tail -1 web
        docker logs --tail=-7 web
        docker logs --tail 0 web
        docker logs --tail 2 web
        docker logs -n 99 web
        docker logs --since x web
        docker logs --since 2020-01-01 web
        docker logs --since 2020-01-01T00:00:00Z --until 2100-01-01 web
        docker logs --since 1700000000.5 web
        docker logs --since 2100-01-01 web
        docker logs --since -1h web
        docker logs --until 10m web
        docker logs --until 2020-01-01 web
        docker logs --since '' --until '' web
        docker logs --details web
        docker logs -n
        docker logs -n web
        docker logs web nosuch
        docker run --name silent --log-driver none box echo x
        docker logs silent
    ",
    ),
    case(
        "filters that are none",
        "
        docker run --name web --label a=b box true
        docker ps --filter status=
        docker ps --filter exited=x
        docker ps --filter exited=1.5
        docker ps --filter health=x
        docker ps --filter is-task=maybe
        docker ps --filter publish=x
        docker ps --filter publish=80-70
        docker ps --filter expose=99999
        docker ps --filter before=nosuch
        docker ps --filter since=
        docker ps --filter 'name=('
        docker ps --filter ''
        docker ps -a --filter label=a --format '{{.Names}}'
        docker ps -a --filter label=a=c --format '{{.Names}}'
        docker ps -a --filter NAME=web --format '{{.Names}}'
        docker ps -a --filter name=/we --filter status=exited --filter status=created --format '{{.Names}}'
        docker ps -n x
        docker ps -n 0 -q | wc -l
        docker container prune --filter label
        docker container prune -f --filter nosuch=1
        docker container prune -f --filter until=nonsense
        docker container prune -f --filter until=24h
        docker container prune -f --filter label!=a --filter until=0s
        docker container prune
        docker container prune x
        docker container prune -f --filter label=a | grep -c .
    ",
    ),
    case(
        "what is told as it happens",
        "
        docker run --name told --network none --label a=b box sh -c 'exit 3'
        docker run -d --name second --network none box sleep 1000
        docker pause second; docker unpause second; docker rename second third
        docker exec third true; docker top third | wc -l; docker export third | wc -l | wc -l; docker cp third:/etc/passwd - | wc -l | wc -l
        docker kill third; docker wait third; docker rm third
        docker tag box other:1; docker rmi other:1 | wc -l
        docker run --rm --name last box true
        until [ \"$(docker events --since 1h --until 0s --filter container=last --filter event=destroy --format x)\" ]; do :; done
        docker events --since 1h --until 0s --filter container=told --format '{{.Type}} {{.Action}} {{.Actor.Attributes}}'
        docker events --since 1h --until 0s --filter container=third --format '{{.Type}} {{.Action}} {{.Status}} {{.Scope}} {{.From}} {{.Actor.Attributes.signal}} {{.Actor.Attributes.oldName}}' | grep -v ' kill '
        docker events --since 1h --until 0s --filter container=told --filter event=start
        docker events --since 1h --until 0s --filter container=told --filter event=start --format json
        docker events --since 1h --until 0s --filter type=container --filter label=a --format '{{.Action}}'
        docker events --since 1h --until 0s --filter label=a=x --format '{{.Action}}'
        docker events --since 1h --until 0s --filter type=image --filter event=tag --filter event=untag --format '{{.Action}} {{.Actor.Attributes}}' | tail -n 2
        docker events --since 1h --until 0s --filter event=nosuch
        docker events --since 1h --until 0s --filter nosuch=x | head -c 0
        docker events --since 0s --until 1h
        docker events --since x
        docker events --filter x
        docker events --since 1h --until 0s --format '{{'
        docker events x
    ",
    ),
    case(
        "programs that cannot be run",
        "
        docker run --rm box ''
        docker run --rm box /nosuch/program
        docker run --rm -w /etc/passwd box true
        docker run -d --name web box nosuch | wc -l
        docker run -d --rm box /etc/passwd | wc -l
        docker run --rm -it box sh
        docker run --rm -d -a stdout box true
        docker run --rm --name -d box true
        docker run --rm -t box sh -c 'tty; echo a; echo b >&2; exit 4'
        docker run --rm -t box nosuch
        docker start web
        docker start -a web
        docker rm web
        docker create --name made -t box sh -c 'tty; exit 3'
        docker start -a made
        docker logs made
        docker run -d --name runs box sleep 1000
        docker exec runs ''
        docker exec runs /etc
        docker exec runs nosuch
        docker exec -d runs nosuch
        docker exec -it runs sh
        docker exec -t runs tty
        docker exec -t runs nosuch
        docker exec -w relative runs true
        docker exec -w /etc/passwd runs true
        docker exec -u 99:nosuch runs true
        docker exec -e = runs env
        docker exec runs sh -c 'kill -9 $$'
        docker diff runs
        docker diff nosuch
        docker diff
    ",
    ),
];
