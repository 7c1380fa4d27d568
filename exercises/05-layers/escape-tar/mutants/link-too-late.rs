vec![file(format!("up/{diary}"), text), link("up", "..")]
