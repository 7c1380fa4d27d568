//! `images --filter`: which images are shown.

use serde_json::json;

use crate::harness::Engine;
use crate::made::{image, layer};

/// Four images, a year apart; the last one has no name.
fn four() -> Option<Engine> {
    let engine = Engine::empty()?;
    let labels = json!({ "Labels": { "tier": "front", "team": "a" } });
    let created = |year: u32| format!("{year}-01-01T00:00:00Z");
    image(&engine, &["base:1"], &[layer("f", "1")], &json!({ "created": created(2021) }));
    image(
        &engine,
        &["team/web:1", "team/web:2"],
        &[layer("f", "2")],
        &json!({ "created": created(2022), "config": labels }),
    );
    image(
        &engine,
        &["registry.example/db:1"],
        &[layer("f", "3")],
        &json!({ "created": created(2023), "config": { "Labels": { "tier": "back" } } }),
    );
    image(&engine, &[], &[layer("f", "4")], &json!({ "created": created(2024) }));
    Some(engine)
}

#[test]
fn filters_choose_images() {
    let Some(engine) = four() else { return };
    let shown = |filters: &str| {
        let all = engine.call(&format!("images --format {{{{.Repository}}}}:{{{{.Tag}}}} {filters}")).ok();
        format!("{filters:<48} {}\n", all.replace('\n', " ")).trim_end().to_owned()
    };
    let filters = [
        "",
        "-f dangling=true",
        "-f dangling=false",
        "--filter reference=*:1",
        "-f reference=team/*",
        "-f reference=*/db",
        "-f reference=team/web:2 -f reference=base",
        "base -f reference=*/web:1",
        "-f label=tier",
        "-f label=tier=back",
        "-f label=tier=front -f label=team=b",
        "-f before=team/web:1",
        "-f since=team/web:1",
        "-f since=base:1 -f before=registry.example/db:1",
        "-f until=2022-06-01",
        "-f until=1h -f dangling=1",
        "-a nosuch",
    ];
    insta::assert_snapshot!(filters.map(shown).join("\n"));
    // A line a name, as docker has it, though it is one image.
    assert_eq!(engine.call("images -q team/web").ok().lines().count(), 2);
}

#[test]
fn what_is_no_filter_is_refused() {
    let Some(engine) = four() else { return };
    assert_eq!(
        engine.call("images -f x").fails(125),
        "invalid argument \"x\" for \"-f, --filter\" flag: bad format of filter (expected name=value)"
    );
    let refused = ["colour=red", "dangling=maybe", "until=soon", "before=nosuch"]
        .map(|filter| engine.call(&format!("images -f {filter}")).fails(1));
    insta::assert_snapshot!(refused.join("\n"));
}
