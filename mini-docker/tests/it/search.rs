//! `search`: the repositories of a real registry.

use crate::harness::Engine;
use crate::registry::Registry;

#[test]
fn the_repositories_of_a_registry_are_found_by_a_part_of_their_name() {
    let engine = Engine::anywhere();
    let Some(registry) = Registry::start(&engine) else { return };
    for repository in ["lib/app", "lib/tool", "other/app"] {
        registry.image(repository, "1", "amd64", &[b"layer"]);
    }
    let search = |line: &str, term: &str| {
        let found = engine.with(line, &[format!("{}/{term}", registry.address())]).ok();
        found.replace(&registry.address(), "127.0.0.1:50000")
    };
    let told = [
        search("search", "app"),
        search("search --format {{.Name}} --limit 2", ""),
        search("search", "none"),
    ];
    insta::assert_snapshot!(told.join("\n\n"));
    assert_eq!(search("search --filter is-official=true --format json", "app"), "");
}

#[test]
fn what_cannot_be_searched_for_is_refused() {
    let engine = Engine::anywhere();
    let told = [
        "search --limit 101 x",
        "search --limit -1 x",
        "search --filter nonsense=1 x",
        "search --filter stars=many x",
    ]
    .map(|line| engine.call(line).fails(1));
    insta::assert_snapshot!(told.join("\n"));
    // Nothing listens at port 1.
    let told = engine.call("search 127.0.0.1:1/x").fails(1);
    assert_eq!(told, "ask http://127.0.0.1:1/v2/_catalog: Connection refused");
}
