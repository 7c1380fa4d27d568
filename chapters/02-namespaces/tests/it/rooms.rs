//! New namespaces of every kind, and joining them by pidfd: invariant 1 of the book's chapter 2. Requires root.

use crate::needs;

#[test]
fn every_room_is_new_and_a_visitor_is_in_the_very_same() {
    if !needs::root() {
        return;
    }
    let output = needs::stdout(&needs::example("rooms").output().unwrap());
    let rooms: Vec<Vec<&str>> =
        output.lines().map(|line| line.split_whitespace().collect()).take(8).collect();
    for room in &rooms {
        let [kind, host, resident, visitor] = room[..] else { panic!("{room:?}") };
        assert_ne!(host, resident, "{kind}");
        assert_eq!(resident, visitor, "{kind}");
        assert_ne!(host, "0", "{kind}");
    }
    assert!(output.contains("host name room\n"));
}

#[test]
fn clocks_in_a_new_time_namespace_are_ahead() {
    if !needs::root() {
        return;
    }
    let output = needs::stdout(&needs::example("rooms").output().unwrap());
    let up: u64 = output.lines().last().unwrap().strip_prefix("up ").unwrap().parse().unwrap();
    assert!(up >= 2_000_000, "{output}");
}
