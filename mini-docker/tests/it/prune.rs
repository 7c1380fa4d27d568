//! `image prune`: removing what nobody needs, and nothing else.

use serde_json::json;

use crate::harness::{Engine, names};
use crate::made::{image, layer, named};
use crate::usage::{blobs as bytes, kilobytes};

fn blobs(engine: &Engine) -> usize {
    names(&engine.root().join("images/blobs/sha256")).len()
}

#[test]
fn dangling_images_go_and_say_what_they_took() {
    let Some(engine) = Engine::empty() else { return };
    let shared = layer("shared", &"s".repeat(3000));
    let own = layer("own", &"o".repeat(1_234_000));
    let gone = image(&engine, &[], &[shared.clone(), own], &json!({}));
    let stays = image(&engine, &["web:1"], &[shared], &json!({}));
    let layer_of = engine.inspect(&gone, ".GraphDriver.Data.UpperDir");
    let layer_of = layer_of.trim_end_matches("/diff").rsplit('/').next().unwrap();

    let asked = engine.feed("image prune", &[] as &[&str], "n\n").ok();
    assert_eq!(
        asked,
        "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
    );
    assert_eq!(engine.call("image prune").ok(), asked, "the end of the input is a no");
    assert_eq!(engine.call("images -qa").ok().lines().count(), 2);

    let done = engine.feed("image prune", &[] as &[&str], "y\n").ok();
    insta::assert_snapshot!(named(&done, &[(&gone, "GONE"), (layer_of, "LAYER")]));
    assert_eq!(engine.call("images -qa --no-trunc").ok(), stays);
    assert_eq!(blobs(&engine), 3);
    assert_eq!(engine.call("image prune -f").ok(), "Total reclaimed space: 0B");
}

#[test]
fn what_a_container_needs_stays_whether_it_runs_or_not() {
    let Some(engine) = Engine::new() else { return };
    image(&engine, &["ended:1"], &[crate::tars::root()], &json!({}));
    let spare = image(&engine, &["spare:1", "spare:2"], &[layer("f", "spare")], &json!({}));
    engine.detached("--name runs", "sleep 1000");
    engine.call("run --name ended ended:1 true").ok();
    engine.call("run --rm ended:1 true").ok();
    // Even when its name is gone.
    engine.call("rmi -f ended:1").ok();

    let asked = engine.call("image prune --all").ok();
    assert!(asked.starts_with(
        "WARNING! This will remove all images without at least one container associated to them.\n"
    ));
    let before = bytes(&engine);
    let done = engine.call("image prune -af").ok();
    assert!(
        done.starts_with(&format!(
            "Deleted Images:\nuntagged: spare:1\nuntagged: spare:2\ndeleted: {spare}\n"
        )),
        "{done}"
    );
    // Five bytes of a file; its layer as a tar, the configuration and the manifest.
    let reclaimed = done.rsplit_once("\n\nTotal reclaimed space: ").unwrap().1;
    assert_eq!(reclaimed, kilobytes(before - bytes(&engine) + 5));
    assert_eq!(engine.call("images -q").ok().lines().count(), 2);
    assert_eq!(engine.call("image prune -f").ok(), "Total reclaimed space: 0B");
    engine.call("rm ended").ok();
    assert!(engine.call("image prune -f").ok().contains("deleted: sha256:"));
    assert_eq!(engine.call("images --format {{.Repository}}").ok(), "host");
    assert_eq!(engine.inspect("runs", ".State.Running"), "true");
}

#[test]
fn filters_hold_back_what_they_do_not_let_through() {
    let Some(engine) = Engine::empty() else { return };
    let labelled =
        |label: &str| json!({ "created": "2022-01-01T00:00:00Z", "config": { "Labels": { "keep": label } } });
    image(&engine, &["old:1"], &[layer("f", "1")], &labelled("no"));
    image(&engine, &["old:2"], &[layer("f", "2")], &labelled("yes"));
    image(&engine, &["new:1"], &[layer("f", "3")], &json!({ "created": "2024-01-01T00:00:00Z" }));
    let left = || engine.call("images --format {{.Repository}}:{{.Tag}}").ok().replace('\n', " ");
    engine
        .call("image prune -f --filter dangling=false --filter until=2023-01-01 --filter label!=keep=yes")
        .ok();
    assert_eq!(left(), "new:1 old:2");
    engine.call("image prune -af --filter label=keep").ok();
    assert_eq!(left(), "new:1");
    assert_eq!(engine.call("image prune -f --filter reference=x").fails(1), "invalid filter 'reference'");
}

#[test]
fn an_image_stays_for_a_container_whose_record_is_damaged_and_all_do_where_nobody_knows_which() {
    let Some(engine) = Engine::new() else { return };
    for name in ["one", "two"] {
        // A label each, so that they are two images.
        engine.feed("import -c", &[&format!("LABEL name={name}"), "-", name], crate::tars::root()).ok();
    }
    let names = || {
        let listed = engine.call("images --format {{.Repository}}").ok();
        let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    engine.call("create --name web one true").ok();
    let id = engine.inspect("web", ".Id");
    let record = engine.root().join("containers").join(&id).join("record.json");
    let whole = std::fs::read_to_string(&record).unwrap();

    // Not even this much is JSON, and the image is still to be read.
    let end = whole.find("\"layer\"").unwrap();
    std::fs::write(&record, &whole[..end]).unwrap();
    let counted = engine.call("system df -v").ok();
    let row = |name: &str| counted.lines().find(|line| line.starts_with(name)).unwrap().trim().to_owned();
    assert!(row("one").ends_with(" 1") && row("two").ends_with(" 0"), "{counted}");
    std::fs::write(&record, "{").unwrap();
    let said = format!(
        "no image is removed: container {id} may need any image: {} is damaged: EOF while parsing an object \
         at line 1 column 1",
        record.display()
    );
    for command in ["image prune -af", "system prune -af"] {
        let done = engine.call(command);
        assert_eq!(done.exits(1), "Total reclaimed space: 0B");
        assert_eq!(done.fails(1), said);
    }
    assert_eq!(names(), "host one two");
    std::fs::write(&record, &whole[..end]).unwrap();
    engine.call("image prune -af").ok();
    assert_eq!(names(), "one");
    std::fs::write(&record, &whole).unwrap();
    engine.call("start -a web").ok();
}
