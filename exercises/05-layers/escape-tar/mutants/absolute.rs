vec![link("root", "/"), file(format!("root/tmp/{diary}"), text)]
