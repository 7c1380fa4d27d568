match symlink(id, link(home, name)) {
    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
        Err(NameError::Taken { name: name.to_owned(), id: owner(home, name).unwrap_or_default() })
    }
    other => other.map_err(failed),
}
