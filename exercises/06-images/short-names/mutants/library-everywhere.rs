let repository = if path.contains('/') { path.to_owned() } else { format!("library/{path}") };
