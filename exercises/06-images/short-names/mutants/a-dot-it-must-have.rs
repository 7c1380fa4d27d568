let (registry, path) = match name.split_once('/') {
    Some((first, path)) if first.contains('.') => (first, path),
    _ => (HUB, name),
};
let registry =
    if matches!(registry, "index.docker.io" | "registry-1.docker.io") { HUB } else { registry };
