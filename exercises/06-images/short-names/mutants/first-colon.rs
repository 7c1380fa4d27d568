let (name, tag) = match rest.split_once(':') {
    Some((name, tag)) => (name, Some(tag)),
    None => (rest, None),
};
