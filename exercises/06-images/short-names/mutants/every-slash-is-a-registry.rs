let (registry, path) = name.split_once('/').unwrap_or((HUB, name));
let registry =
    if matches!(registry, "index.docker.io" | "registry-1.docker.io") { HUB } else { registry };
