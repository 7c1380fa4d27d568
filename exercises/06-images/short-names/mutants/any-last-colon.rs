let (name, tag) = match rest.rsplit_once(':') {
    Some((name, tag)) => (name, Some(tag)),
    None => (rest, None),
};
