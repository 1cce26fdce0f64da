//! `examples/hello`, as its files and the documentation say.
use crate::{a_sandbox::Images, support::Sandbox};

pub(crate) fn the_example_says_hello(sandbox: &Sandbox, _: &Images) {
    let image = sandbox.image("examples/hello", "1.0");
    sandbox.example("examples/hello/manifest.yaml");
    sandbox.minion(&["ver", "create", "hello", "1.0", &image]).ok();
    sandbox.minion(&["traffic", "hello", "1.0", "100"]).ok();
    let page = sandbox.address("hello", "/").page();
    assert!(page.body.starts_with("Hello from version 1.0 on "), "{}", page.body);
    sandbox.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
}
