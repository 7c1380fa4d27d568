Wall { create: vec![Kind::Pid], own_proc: false }
