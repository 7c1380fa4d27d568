let beside = link(home, &format!(".{id}"));
symlink(id, &beside).map_err(failed)?;
fs::rename(&beside, link(home, name)).map_err(failed)
