//! A scene made ready: its state, and what an undisturbed run makes of it.
use crate::{
    case::{Stage, difference},
    emulator::Server,
    faults::Call,
    proxy::Role,
    scenes::Scene,
    world::World,
};
use serde_json::Value;
use std::time::Duration;

/// A scene with its state, and what an undisturbed run makes of it.
pub(crate) struct Prepared {
    pub(crate) scene: &'static Scene,
    pub(crate) world: World,
    /// The state that the command begins with.
    pub(crate) server: Server,
    /// What stands once all is deleted: what stood before anything of `prepare`, and accounts that AWS keeps.
    pub(crate) before: Value,
    /// What stands after an undisturbed run.
    pub(crate) wanted: Value,
    /// The calls of that run.
    pub(crate) calls: Vec<Call>,
    pub(crate) took: Duration,
}

impl Prepared {
    /// Runs what goes before, then the command, undisturbed, twice: both must come to the same.
    pub(crate) async fn new(scene: &'static Scene, first: &Server, registry: &str) -> Self {
        let world = World::new(scene.place, first, registry).await;
        let stage = Stage::on(&world, world.server.clone()).await;
        for line in scene.before {
            stage.must(line).await;
        }
        let before = world.empty().await;
        for line in scene.prepare {
            stage.must(line).await;
        }
        let server = world.server.clone();
        // What is read before it is copied, the copies believe: until a call changes it, which is checked below.
        world.dump(&server).await;
        let mut prepared =
            Self { scene, world, server, before, wanted: Value::Null, calls: Vec::new(), took: Duration::ZERO };
        for round in 0..2 {
            let (copy, old) = (prepared.server.fork().await, prepared.server.fork().await);
            let stage = Stage::with(&prepared.world, copy.clone(), Role::Record { before: old.clone() }).await;
            let run = stage.must(scene.command).await;
            let calls = stage.proxy.calls();
            let dump = prepared.world.dump_and_check(&copy).await;
            if round == 0 {
                (prepared.calls, prepared.wanted, prepared.took) = (calls, dump, run.took);
            } else {
                let lines = difference(&prepared.wanted, &dump);
                assert!(lines.is_empty(), "{}: two undisturbed runs differ:\n{}", scene.name, lines.join("\n"));
            }
            let again = stage.run(scene.command).await;
            assert!(scene.done(&again), "undisturbed, the second time:\n{}", again.transcript());
            let lines = difference(&prepared.wanted, &prepared.world.dump(&copy).await);
            assert!(lines.is_empty(), "{}: the second time it makes something else:\n{}", scene.name, lines.join("\n"));
            if scene.plans {
                stage.must(&format!("{} --dry-run --detailed-exitcode", scene.command)).await;
            }
            for line in scene.clean {
                stage.must(line).await;
            }
            let lines = difference(&prepared.before, &prepared.world.dump_and_check(&copy).await);
            assert!(lines.is_empty(), "{}: it leaves something:\n{}", scene.name, lines.join("\n"));
            copy.end().await;
            old.end().await;
        }
        prepared
    }
}
