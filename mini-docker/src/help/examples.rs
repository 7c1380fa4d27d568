//! What stands at the end of a command's help, and of its man page: a few calls to begin with.

/// Calls of the command that is called so.
pub(crate) fn of(verb: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(name, _)| *name == verb).map_or(&[], |(_, examples)| examples)
}

const EXAMPLES: [(&str, &[&str]); 52] = [
    ("attach", &["mini-docker attach web", "mini-docker attach --detach-keys ctrl-x web"]),
    ("commit", &["mini-docker commit web web:changed", "mini-docker commit -c 'CMD [\"sh\"]' web web:shell"]),
    ("completion", &["source <(mini-docker completion bash)", "mini-docker completion fish | source"]),
    ("cp", &["mini-docker cp web:/etc/hostname .", "tar -c site | mini-docker cp - web:/srv"]),
    ("create", &["mini-docker create --name web -m 64m host sh", "mini-docker start -a web"]),
    ("df", &["mini-docker system df", "mini-docker system df -v"]),
    ("diff", &["mini-docker diff web"]),
    ("doctor", &["mini-docker doctor"]),
    ("events", &["mini-docker events --since 10m", "mini-docker events --filter event=die --format json"]),
    ("exec", &["mini-docker exec -it web sh", "mini-docker exec -u 1000 -w /tmp web id"]),
    ("export", &["mini-docker export web | tar -t", "mini-docker export -o web.tar web"]),
    ("history", &["mini-docker history host", "mini-docker history --no-trunc --format json host"]),
    ("images", &["mini-docker images", "mini-docker images --format '{{.Repository}} {{.Size}}'"]),
    (
        "import",
        &[
            "tar -c -C rootfs . | mini-docker import - small",
            "mini-docker import -c 'CMD [\"sh\"]' rootfs.tar small",
        ],
    ),
    ("info", &["mini-docker info", "mini-docker info -f '{{.CgroupVersion}}'"]),
    (
        "inspect",
        &[
            "mini-docker inspect web",
            "mini-docker inspect -f '{{.State.Pid}}' web",
            "mini-docker inspect --kernel web",
        ],
    ),
    ("kill", &["mini-docker kill web", "mini-docker kill -s HUP web"]),
    ("leaks", &["mini-docker leaks"]),
    ("load", &["mini-docker load -i images.tar", "ssh other mini-docker save web | mini-docker load"]),
    ("login", &["mini-docker login registry.example", "mini-docker login -u me --password-stdin < password"]),
    ("logout", &["mini-docker logout registry.example"]),
    ("logs", &["mini-docker logs -f --tail 10 web", "mini-docker logs -t web"]),
    ("ls", &["mini-docker container ls -a", "mini-docker image ls"]),
    ("man", &["mini-docker man | man -l -", "mini-docker man /usr/local/share/man/man1"]),
    ("manifest", &["mini-docker manifest inspect alpine"]),
    ("pause", &["mini-docker pause web"]),
    ("port", &["mini-docker port web", "mini-docker port web 80/tcp"]),
    ("prune", &["mini-docker image prune", "mini-docker container prune -f --filter until=24h"]),
    (
        "ps",
        &[
            "mini-docker ps -a --filter status=exited",
            "mini-docker ps --format 'table {{.Names}}\\t{{.Status}}'",
        ],
    ),
    ("pull", &["mini-docker pull alpine", "mini-docker pull --platform linux/arm64 alpine:3.20"]),
    ("push", &["mini-docker push registry.example/web:1"]),
    ("rename", &["mini-docker rename web old-web"]),
    ("restart", &["mini-docker restart web", "mini-docker restart -t 30 web"]),
    ("restore", &["mini-docker leaks", "mini-docker restore"]),
    ("rm", &["mini-docker rm web", "mini-docker rm -f $(mini-docker ps -aq)"]),
    ("rmi", &["mini-docker rmi web:1"]),
    (
        "run",
        &[
            "mini-docker run --rm -it host sh",
            "mini-docker run -d --name web -m 64m --cpus 0.5 host sleep 1000",
            "mini-docker run --explain --rm host true",
        ],
    ),
    ("save", &["mini-docker save -o images.tar web:1 web:2"]),
    ("search", &["mini-docker search alpine", "mini-docker search --filter is-official=true alpine"]),
    ("start", &["mini-docker start web", "mini-docker start -ai web"]),
    ("stats", &["mini-docker stats", "mini-docker stats --no-stream web"]),
    ("stop", &["mini-docker stop web", "mini-docker stop -t 30 web"]),
    ("system", &["mini-docker system df"]),
    ("tag", &["mini-docker tag web:1 registry.example/web:1"]),
    ("top", &["mini-docker top web"]),
    ("tree", &["mini-docker image tree"]),
    ("unit", &["mini-docker system unit > /etc/systemd/system/mini-docker.service"]),
    ("unpause", &["mini-docker unpause web"]),
    ("update", &["mini-docker update -m 128m web", "mini-docker update --restart always web"]),
    ("version", &["mini-docker version", "mini-docker version -f '{{.Client.Version}}'"]),
    ("volume", &["mini-docker volume ls"]),
    ("wait", &["mini-docker wait web"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_sorted_and_each_is_a_call_of_ours() {
        assert!(EXAMPLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let calls = EXAMPLES.iter().flat_map(|(_, examples)| examples.iter());
        assert!(calls.clone().all(|example| example.contains("mini-docker ")));
    }
}
