let Maps { uids, gids } = maps.clone();
match caller {
    Caller::Ordinary(user) if !maps.only_own(user) && user.helpers.is_some() => {
        let helpers = user.helpers.clone();
        let run = |Helpers { newuidmap, newgidmap }| {
            [Step::RunNewuidmap(newuidmap, uids), Step::RunNewgidmap(newgidmap, gids)]
        };
        helpers.map(run).into_iter().flatten().collect()
    }
    Caller::Ordinary(_) => vec![Step::WriteUids(uids), Step::WriteGids(gids), Step::DenySetgroups],
    Caller::Privileged => vec![Step::WriteUids(uids), Step::WriteGids(gids)],
}
