//! What work says of itself while it waits, to whoever runs it, however many calls lie between.
use std::pin::pin;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

tokio::task_local! {
    static NOTES: UnboundedSender<String>;
}

/// Says what is awaited; nobody hears it outside of [`heard`].
pub(crate) fn tell(note: &str) {
    let _ = NOTES.try_with(|notes| notes.send(note.to_owned()));
}

/// Runs `work`; `told` hears what it tells.
pub(crate) async fn heard<T>(work: impl Future<Output = T>, told: impl Fn(&str)) -> T {
    let (sender, mut notes) = unbounded_channel();
    let mut work = pin!(NOTES.scope(sender, work));
    loop {
        tokio::select! {
            biased;
            Some(note) = notes.recv() => told(&note),
            done = &mut work => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test(start_paused = true)]
    async fn each_hears_its_own() {
        let heard_of = Mutex::new(Vec::new());
        let work = async |name: &str| {
            for n in 0..2 {
                tell(&format!("{name}{n}"));
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        };
        let told = |who: &'static str| {
            let heard_of = &heard_of;
            move |note: &str| heard_of.lock().unwrap().push(format!("{who} {note}"))
        };
        tell("nobody");
        tokio::join!(heard(work("a"), told("A")), heard(work("b"), told("B")));
        let mut heard_of = heard_of.into_inner().unwrap();
        heard_of.sort();
        assert_eq!(heard_of, ["A a0", "A a1", "B b0", "B b1"]);
    }
}
