//! The harness itself: what the other tests believe about it.
use crate::support::{Options, Stage};
use serde_json::json;

#[test]
fn the_usual_place_is_as_described() {
    let stage = Stage::new();
    let now = stage.inventory();
    let count = |kind: &str| now.get(kind).map_or(0, Vec::len);
    assert_eq!((count("vpc"), count("subnet"), count("nat gateway")), (1, 9, 3));
    assert_eq!((count("hosted zone"), count("certificate"), count("parameter")), (2, 1, 0));
    stage.assert_as_before("nothing at all");
}

#[test]
fn accounts_are_apart_and_the_inventory_sees_what_comes_and_goes() {
    let (one, other) = (Stage::new(), Stage::with(Options::usual().with("layers", json!(["public"])).with("zones", 1)));
    one.call("ec2", "create_key_pair", json!({ "KeyName": "key" }));
    assert_eq!(one.added(), [("key pair".to_owned(), vec!["key".to_owned()])].into());
    other.assert_as_before("a key pair in another account");
    assert_eq!(other.inventory()["subnet"].len(), 1);
    one.call("ec2", "delete_key_pair", json!({ "KeyName": "key" }));
    one.assert_as_before("a key pair that is gone");
}

#[test]
fn the_binary_starts_and_sees_nothing_of_our_environment() {
    let stage = Stage::new();
    let run = stage.minion(&["--version"]).ok();
    assert!(run.took.as_secs() < 5);
    assert!(stage.command(&[]).get_envs().all(|(name, _)| name != "PATH"));
}
