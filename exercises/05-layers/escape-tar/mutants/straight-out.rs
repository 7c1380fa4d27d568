vec![link("up", ".."), file(format!("up/{diary}"), text)]
