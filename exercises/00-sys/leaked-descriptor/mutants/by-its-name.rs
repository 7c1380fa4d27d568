fs::read_to_string(format!("/tmp/engine/keys/{name}"))
