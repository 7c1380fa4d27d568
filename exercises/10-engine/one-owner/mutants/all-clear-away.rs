loop {
    match symlink(id, link(home, name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other.map_err(failed),
    }
    match owner(home, name) {
        Some(owner) if is_held(home, name, &owner) => {
            return Err(NameError::Taken { name: name.to_owned(), id: owner });
        }
        Some(_) => {
            let _ = fs::remove_file(link(home, name));
        }
        None => {}
    }
}
