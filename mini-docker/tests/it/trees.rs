//! `image tree`: the layers that images share.

use serde_json::json;

use crate::harness::Engine;
use crate::made::{image, layer};

#[test]
fn shared_layers_are_drawn_once() {
    let Some(engine) = Engine::empty() else { return };
    assert_eq!(engine.call("image tree").ok(), "");
    let (base, web, app) =
        (layer("base", &"b".repeat(81_000)), layer("web", "ww"), layer("app", &"a".repeat(1500)));
    // The image that was made last comes first.
    let made = |year: u32| json!({ "created": format!("{year}-01-01T00:00:00Z") });
    image(&engine, &["alone:1"], &[layer("alone", "x")], &made(2021));
    image(&engine, &["app:1", "app:latest"], &[base.clone(), web.clone(), app], &made(2022));
    image(&engine, &[], &[base.clone(), layer("other", "o")], &made(2023));
    image(&engine, &["web:1"], &[base.clone(), web], &made(2024));
    image(&engine, &["base:1"], &[base], &made(2025));
    image(&engine, &["nothing:1"], &[], &made(2020));

    let drawn = |locale: &str, line: &str| {
        let mut command = engine.command(line, &[] as &[&str]);
        command.env_remove("LC_ALL").env_remove("LC_CTYPE").env("LANG", locale);
        crate::harness::finish(&mut command, None).ok()
    };
    insta::assert_snapshot!(
        [
            drawn("C.UTF-8", "image tree"),
            drawn("C", "image tree app web:1 app:1"),
            drawn("C.UTF-8", "image tree alone:1"),
            engine.call("image tree nosuch").fails(1),
        ]
        .join("\n\n")
    );
}
