let place = Place::parse(name)?;
let (parent, last) = place.split();
if parent.split(|&byte| byte == b'/').any(|component| component.starts_with(WHITEOUT)) {
    return Err(Refusal::BelowWhiteout);
}
match last.as_os_str().as_bytes().strip_prefix(WHITEOUT) {
    None => Ok(Meaning::Make(place)),
    Some(b"" | b"." | b"..") => Err(Refusal::Whiteout),
    Some(removed) => Ok(Meaning::Remove(Place::parse(&[parent, b"/", removed].concat()[usize::from(parent.is_empty())..])?)),
}
