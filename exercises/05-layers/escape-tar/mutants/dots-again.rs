vec![directory("d"), file(format!("d/../../{diary}"), text)]
