//! `hello-world`, which needs no registry.

use crate::harness::Engine;
use crate::tars::{self, Tar};

#[test]
fn it_says_hello_and_is_an_image_like_any_other() {
    let Some(engine) = Engine::empty() else { return };
    let text = engine.call("run --rm hello-world").ok();
    insta::assert_snapshot!(text);
    let id = engine.inspect("hello-world", ".Id");
    assert_eq!(engine.call("run --rm hello-world:latest").ok(), text);
    assert_eq!(engine.inspect("hello-world", ".Id"), id);
    let archive = engine.path("hello.tar");
    engine.with("save hello-world -o", &[&archive]).ok();
    engine.call("rmi hello-world").ok();
    assert_eq!(engine.with("load -i", &[&archive]).ok(), "Loaded image: hello-world:latest");
    assert_eq!(engine.inspect("hello-world", ".Id"), id);
    engine.call("rmi hello-world").ok();
    // It is made again, and the same.
    engine.call("run --rm hello-world").ok();
    assert_eq!(engine.inspect("hello-world", ".Id"), id);
}

#[test]
fn one_that_was_brought_counts_before_our_own() {
    let Some(engine) = Engine::empty() else { return };
    let theirs = tars::root_and(Tar::new().file("text", b"theirs\n"));
    engine.call("run --rm hello-world").ok();
    engine.feed("import -c", &["CMD [\"cat\", \"/text\"]", "-", "hello-world"], theirs).ok();
    assert_eq!(engine.call("run --rm hello-world").ok(), "theirs");
}

#[test]
fn other_names_are_not_made() {
    let Some(engine) = Engine::empty() else { return };
    for name in ["hello-world:2", "me/hello-world", "hello-worl"] {
        let message = engine.call(&format!("run --rm --pull never {name}")).fails(125);
        assert!(message.starts_with(&format!("no image named `{name}`")), "{message}");
    }
}
