if let Some(owner) = owner(home, name)
    && is_held(home, name, &owner)
{
    return Err(NameError::Taken { name: name.to_owned(), id: owner });
}
let beside = link(home, &format!(".{id}"));
symlink(id, &beside).map_err(failed)?;
fs::rename(&beside, link(home, name)).map_err(failed)
