//! `history`: how an image came to be.

use serde_json::json;

use crate::harness::Engine;
use crate::made::{image, layer, named};

fn built(engine: &Engine) -> String {
    let long = "/bin/sh -c apt-get update && apt-get install -y something-with-a-long-name";
    let history = json!([
        { "created": "2021-01-01T00:00:00Z", "created_by": "/bin/sh -c #(nop) ADD file:1 in / " },
        { "created": "2021-01-01T00:00:01Z", "created_by": "CMD [\"sh\"]", "empty_layer": true },
        { "created": "2022-01-01T00:00:00.5Z", "created_by": long, "comment": "buildkit.dockerfile.v0" },
        { "created": "2022-01-01T00:00:01Z", "created_by": "COPY\ta\u{1b}[31m /b" },
    ]);
    let layers = [layer("a", "12345"), layer("b", &"x".repeat(2345)), layer("c", "")];
    image(engine, &["built:1"], &layers, &json!({ "history": history, "created": "2022-01-01T00:00:01Z" }))
}

#[test]
fn the_table_is_dockers() {
    let Some(engine) = Engine::empty() else { return };
    let id = built(&engine);
    let shown = |line: &str, more: &[&str]| {
        let text = engine.with(line, more).ok();
        format!("$ {line} {}\n{}\n", more.join(" "), named(&text, &[(&id, "ID")]))
    };
    let table = "table {{.ID}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
    insta::assert_snapshot!(
        [
            shown("history built:1 --format", &[table]),
            shown("history --human=false --no-trunc built:1", &[]),
            shown("history -H=false --format {{.CreatedAt}}/{{.Size}} built:1", &[]),
            shown("image history -q built:1", &[]),
        ]
        .join("\n")
    );
    let table = engine.call("history built:1").ok();
    let heading: Vec<&str> =
        table.lines().next().unwrap().split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(heading, ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
    assert!(table.lines().nth(1).unwrap().contains("years ago"), "{table}");
    assert!(table.contains("/bin/sh -c apt-get update && apt-get install…"), "{table}");
}

#[test]
fn layers_that_nobody_told_of_are_lines_too() {
    let Some(engine) = Engine::empty() else { return };
    image(&engine, &["mute"], &[layer("a", "1"), layer("b", "22")], &json!({}));
    assert_eq!(engine.call("history --format {{.CreatedSince}}|{{.Size}} mute").ok(), "N/A|2B\nN/A|1B");
    // One that tells of more layers than there are.
    let history = json!([{ "created_by": "one" }, { "created_by": "two" }]);
    image(&engine, &["boaster"], &[layer("a", "1")], &json!({ "history": history }));
    assert_eq!(engine.call("history --format {{.CreatedBy}}|{{.Size}} boaster").ok(), "two|0B\none|1B");
    assert_eq!(engine.call("history nosuch").fails(1), "no image named `nosuch`");
}
