let directory = home.container(&record.id);
let trash = home.containers().join(format!("{TRASH}{}", record.id));
delete(&directory)?;
fs::create_dir(&trash).map_err(|source| RemoveError::Delete { path: directory, source })?;
let _ = names::release(home, &record.name, &record.id);
events::emit(home, &Event::container(record, "destroy"));
Ok(Some(trash))
