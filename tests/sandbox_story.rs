//! The whole stack, carrying traffic: an image built and pushed, deployed on the sandbox with real user data, and
//! asked for by HTTP through the front door.
//!
//! One sandbox serves all parts, which run beside each other. What follows the last of them, `down`, is a part too:
//! so all of it is one test. MINION_TEST_PARTS names those to run, by commas; without it, all.
use crate::{
    sandbox_example, sandbox_inside, sandbox_refused, sandbox_tcp, sandbox_traffic,
    support::{Sandbox, eventually},
};
use std::{collections::BTreeMap, env, thread, time::Instant};

/// What the parts deploy.
pub(crate) struct Images {
    pub(crate) one: String,
    pub(crate) two: String,
}

type Part = fn(&Sandbox, &Images);

const PARTS: [(&str, Part); 6] = [
    ("traffic", sandbox_traffic::two_versions_under_load),
    ("replaced", sandbox_traffic::killed_instances_are_replaced),
    ("inside", sandbox_inside::what_a_container_sees),
    ("refused", sandbox_refused::a_version_that_is_never_healthy),
    ("example", sandbox_example::the_example_says_hello),
    ("tcp", sandbox_tcp::an_application_without_http),
];

#[test]
fn sandbox_carries_traffic() {
    let Some(sandbox) = Sandbox::prepare() else { return };
    let files = sandbox.files();
    let took = |what: &str, began: Instant| eprintln!("{what}: {:.1} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    sandbox.up().ok();
    took("sandbox up", began);
    let began = Instant::now();
    let ports = sandbox.ports().clone();
    sandbox.up().ok();
    let again = sandbox.ports_now();
    assert_eq!((&again.endpoint, again.front), (&ports.endpoint, ports.front), "`up` again has started another one");
    took("sandbox up again", began);

    let began = Instant::now();
    let image = |version| sandbox.image("tests/support/app", version);
    let images = Images { one: image("1.0"), two: image("2.0") };
    took("two images built and pushed", began);
    let began = Instant::now();
    run_parts(&sandbox, &images);
    took("all parts", began);

    // All applications are deleted: what is left is the sandbox's own, which comes and goes with it.
    assert_eq!(sandbox.minion(&["app", "-o", "json"]).ok().json().as_array().map(Vec::len), Some(0));
    sandbox.assert_idle();

    // A crash leaves an instance behind. `up` begins anew, `down` ends it.
    for process in ["emulator_pid", "pid"] {
        sandbox.application("left", "exposed_ports: [8080]\n");
        sandbox.minion(&["ver", "create", "left", "1.0", &images.one, "--no-wait"]).ok();
        eventually("an instance", || {
            let there = sandbox.added().iter().any(|line| line.starts_with("container "));
            there.then_some(()).ok_or_else(|| sandbox.status().to_string())
        });
        sandbox.kill(process);
        if process == "emulator_pid" {
            let began = Instant::now();
            sandbox.up().ok();
            took("sandbox up after a crash", began);
            assert_eq!(sandbox.minion(&["app", "-o", "json"]).ok().json().as_array().map(Vec::len), Some(0));
            sandbox.assert_idle();
        }
    }
    let began = Instant::now();
    sandbox.down();
    took("sandbox down after a crash", began);
    // Without a sandbox there is nothing to do, which is said.
    sandbox.plain(&["sandbox", "down"]).ok();
    let left: Vec<_> = sandbox.files().difference(&files).cloned().collect();
    assert!(left.is_empty(), "files left: {left:#?}");
}

/// Runs all parts, or those that the environment names, and fails with the names of those that failed.
fn run_parts(sandbox: &Sandbox, images: &Images) {
    let chosen = env::var("MINION_TEST_PARTS").ok();
    let wanted = |name: &str| chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|part| part == name));
    let failed = thread::scope(|scope| {
        let started: BTreeMap<_, _> = PARTS
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, part)| {
                let run = move || {
                    let began = Instant::now();
                    part(sandbox, images);
                    eprintln!("part {name}: {:.1} s", began.elapsed().as_secs_f64());
                };
                (*name, thread::Builder::new().name((*name).to_owned()).spawn_scoped(scope, run).unwrap())
            })
            .collect();
        started.into_iter().filter_map(|(name, part)| part.join().is_err().then_some(name)).collect::<Vec<_>>()
    });
    assert!(failed.is_empty(), "failed: {}; what each one says is above", failed.join(", "));
}
