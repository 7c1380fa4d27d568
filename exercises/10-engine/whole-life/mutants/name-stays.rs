let directory = home.container(&record.id);
let trash = home.containers().join(format!("{TRASH}{}", record.id));
match fs::rename(&directory, &trash) {
    Ok(()) => {}
    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
    Err(source) => return Err(RemoveError::Delete { path: directory, source }),
}
events::emit(home, &Event::container(record, "destroy"));
Ok(Some(trash))
