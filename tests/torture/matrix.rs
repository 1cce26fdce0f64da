//! Every command, every call of it, every fault.
use crate::{
    case::{Case, Outcome},
    emulator::Emulator,
    faults::{Call, Fault},
    prepared::Prepared,
    report::Report,
    scenes::SCENES,
    specials::SPECIALS,
};
use futures::{FutureExt as _, StreamExt as _, stream};
use std::{
    env,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    panic::AssertUnwindSafe,
    str::FromStr,
    time::Instant,
};
use tokio::sync::Semaphore;

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Part of a command's name.
    only: Option<String>,
    /// A fault's name.
    fault: Option<String>,
    /// An operation, or one call: `ec2:CreateVpc`, `ec2:CreateVpc#2`.
    call: Option<String>,
    /// How many cases run at the same time; those that mostly wait are counted apart.
    workers: usize,
    /// For the order and the sample.
    seed: u64,
    /// How many calls of each command and fault; all without.
    sample: Option<usize>,
    /// Which of how many parts: on a slow computer the matrix is run in several sittings.
    part: Part,
    /// Of so many cases one is run to the end, although its state is the undisturbed one's.
    whole: u64,
}

impl Choice {
    /// What the environment says; `sample` calls of each command and fault, or all.
    pub(crate) fn from_environment(sample: Option<usize>) -> Self {
        let word = |name: &str| env::var(format!("MINION_TORTURE_{name}")).ok().filter(|value| !value.is_empty());
        let number = |name: &str| word(name).map(|value| value.parse::<usize>().expect("a number"));
        Self {
            only: word("ONLY"),
            fault: word("FAULT"),
            call: word("CALL"),
            workers: number("WORKERS").unwrap_or(16),
            seed: number("SEED").unwrap_or(5) as u64,
            sample: number("SAMPLE").or(sample),
            part: word("PART").map_or(Part { number: 1, of: 1 }, |part| part.parse().expect("a part, like 1/3")),
            whole: number("WHOLE").unwrap_or(4).max(1) as u64,
        }
    }

    fn fault(&self, fault: Fault) -> bool {
        self.fault.as_deref().is_none_or(|wanted| wanted.split(',').any(|name| name == fault.name()))
    }

    fn command(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|wanted| {
            wanted
                .split(',')
                .any(|one| one == name || (one.ends_with('*') && name.starts_with(one.trim_end_matches('*'))))
        })
    }

    /// Fails when a name is none: nothing would be tried, and nothing would fail.
    fn check(&self) {
        let words = |given: &Option<String>| given.iter().flat_map(|all| all.split(',')).map(str::to_owned).collect();
        let (scenes, faults): (Vec<String>, Vec<String>) = (words(&self.only), words(&self.fault));
        for word in scenes {
            let one = Self { only: Some(word.clone()), ..self.clone() };
            let all: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
            assert!(all.iter().any(|name| one.command(name)), "no command has the name {word}; they are: {all:?}");
        }
        for word in faults {
            let all: Vec<_> = Fault::all().map(Fault::name).collect();
            assert!(all.contains(&word.as_str()), "no fault has the name {word}; they are: {all:?}");
        }
    }

    /// Faults of some operations that no call of any command has, when all commands were looked at.
    fn unfit(&self, all: &[Prepared]) -> Vec<String> {
        if self.only.is_some() {
            return Vec::new();
        }
        let calls: Vec<&Call> = all.iter().flat_map(|prepared| &prepared.calls).collect();
        SPECIALS.iter().flat_map(|special| special.unfit(&calls)).collect()
    }

    /// The cases of a command, in a random order.
    fn cases(&self, scene: usize, all: &[Prepared], random: &mut fastrand::Rng) -> Vec<Case> {
        let prepared = &all[scene];
        let other = prepared.scene.beside.and_then(|name| all.iter().find(|other| other.scene.name == name));
        let known = |call: &Call| other.is_some_and(|other| other.calls.iter().any(|o| o.operation == call.operation));
        let mut cases = Vec::new();
        for fault in Fault::all().filter(|fault| self.fault(*fault)) {
            let calls = prepared
                .calls
                .iter()
                .enumerate()
                .filter(|(_, call)| fault.fits(call) && fault.tried(call, prepared.scene.name) && !known(call));
            let chosen =
                |id: &str, operation: &str| self.call.as_deref().is_none_or(|call| call == id || call == operation);
            let mut of: Vec<Case> = calls
                .filter(|(_, call)| chosen(&call.id(), &call.operation))
                .filter(|(_, call)| self.part.has(&format!("{} {} {}", prepared.scene.name, call.id(), fault.name())))
                .map(|(call, _)| Case { scene, call, fault, whole: random.u64(..self.whole) == 0 })
                .collect();
            random.shuffle(&mut of);
            of.truncate(self.sample.unwrap_or(usize::MAX));
            cases.extend(of);
        }
        random.shuffle(&mut cases);
        cases
    }
}

/// A part of the matrix, `2/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// From 1.
    number: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let part = parts.map(|(number, of)| Self { number, of });
        part.filter(|p| (1..=p.of).contains(&p.number)).ok_or_else(|| format!("{text} is no part, like 1/3"))
    }
}

impl Part {
    /// Whether what has this name is in this part, in whatever order things come.
    fn has(self, name: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hasher.finish() % self.of as u64 == self.number as u64 - 1
    }
}

/// Runs what is chosen; the report is printed and returned.
pub(crate) async fn run(choice: &Choice) -> Report {
    let emulator = Emulator::start();
    let chosen: Vec<_> = SCENES.iter().filter(|scene| choice.command(scene.name)).collect();
    choice.check();
    let began = Instant::now();
    let prepared: Vec<Prepared> = stream::iter(chosen)
        .map(|scene| Prepared::new(scene, &emulator.first, &emulator.registry))
        .buffered(3)
        .collect()
        .await;
    let mut random = fastrand::Rng::with_seed(choice.seed);
    let mut cases: Vec<Case> =
        (0..prepared.len()).flat_map(|scene| choice.cases(scene, &prepared, &mut random)).collect();
    // Those that wait begin first, and wait beside the others.
    random.shuffle(&mut cases);
    assert!(!cases.is_empty(), "nothing is chosen: no such fault at no such call of these commands: {choice:?}");
    let report = Report::new(&prepared, &cases, choice.unfit(&prepared), began.elapsed());
    let (busy, waiting) = (Semaphore::new(choice.workers), Semaphore::new(2 * choice.workers));
    let one = async |case: Case| {
        let permit = if case.fault.waits() { &waiting } else { &busy };
        let _permit = permit.acquire().await.unwrap();
        let prepared = &prepared[case.scene];
        let call = &prepared.calls[case.call];
        let whole = case.whole;
        let tried = AssertUnwindSafe(prepared.case(call, case.fault, whole)).catch_unwind().await;
        let mut outcome = tried.unwrap_or_else(|_| Outcome::broken());
        if !outcome.reached && outcome.problems.is_empty() {
            outcome = prepared.case(call, case.fault, whole).await;
        }
        report.add(prepared, call, case.fault, &outcome);
    };
    stream::iter(cases).for_each_concurrent(None, one).await;
    report.end(began.elapsed());
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for of in 1..6_usize {
            let part = |number| format!("{number}/{of}").parse::<Part>().unwrap();
            for name in 0..200 {
                let name = format!("team create ec2:CreateVpc#{name} stale");
                assert_eq!((1..=of).filter(|number| part(*number).has(&name)).count(), 1, "{name} {of}");
            }
            let share = (0..2000).filter(|n| part(1).has(&n.to_string())).count() * of;
            assert!((1600..2400).contains(&share), "{share} {of}");
        }
        for wrong in ["", "1", "0/3", "4/3", "1/", "a/b", "1/0"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
