Wall { create: vec![Kind::Uts, Kind::Ipc, Kind::Net, Kind::Cgroup], own_proc: true }
