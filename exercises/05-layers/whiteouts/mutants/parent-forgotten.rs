let place = Place::parse(name)?;
let (parent, last) = place.split();
if parent.split(|&byte| byte == b'/').any(|component| component.starts_with(WHITEOUT)) {
    return Err(Refusal::BelowWhiteout);
}
let last = last.as_os_str().as_bytes();
if last == OPAQUE {
    return Ok(Meaning::Hide(Place { path: parent.to_vec() }));
}
match last.strip_prefix(WHITEOUT) {
    None => Ok(Meaning::Make(place)),
    Some(b"" | b"." | b"..") => Err(Refusal::Whiteout),
    Some(removed) if removed.starts_with(WHITEOUT) => Err(Refusal::Whiteout),
    Some(removed) => Ok(Meaning::Remove(Place { path: removed.to_vec() })),
}
