//! Users of an application: requests by HTTP, one after another on several threads, each on a connection of its own,
//! and what became of every one of them.
use std::{
    collections::BTreeMap,
    fmt,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(40);
/// A run ends by itself after this time or this number of requests.
const LONGEST: Duration = Duration::from_secs(600);
const MOST: usize = 100_000;

/// Where requests go: the front door, and the name that the browser would show.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) front: SocketAddr,
    pub(crate) host: String,
    pub(crate) path: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Page {
    /// The value of the line `name: value`.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Address {
    /// One request. Whatever is no complete answer is an error.
    pub(crate) fn get(&self) -> Result<Page, String> {
        let told = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
        let mut stream = TcpStream::connect_timeout(&self.front, PATIENCE).map_err(told("connecting"))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(told("socket"))?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(told("socket"))?;
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.path, self.host);
        stream.write_all(request.as_bytes()).map_err(told("sending"))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(told("reading"))?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {answer:?}"))?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| format!("no status: {head:?}"))?;
        let header = |name: &str| {
            let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
            pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let body = if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            unchunked(body)?
        } else {
            let length: Option<usize> = header("content-length").and_then(|value| value.parse().ok());
            if length.is_some_and(|length| length != body.len()) {
                return Err(format!("cut off: {} of {length:?} bytes", body.len()));
            }
            body.to_owned()
        };
        Ok(Page { status, body })
    }

    /// One request, whose answer must be 200.
    pub(crate) fn page(&self) -> Page {
        let page = self.get().unwrap_or_else(|error| panic!("{self:?}: {error}"));
        assert_eq!(page.status, 200, "{self:?}: {page:?}");
        page
    }
}

/// The body of a chunked answer, which must have its end.
fn unchunked(mut rest: &str) -> Result<String, String> {
    let mut body = String::new();
    loop {
        let cut = || format!("a chunked answer without its end: {body:?}");
        let (size, after) = rest.split_once("\r\n").ok_or_else(cut)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| cut())?;
        if size == 0 {
            return Ok(body);
        }
        let chunk = after.get(..size).ok_or_else(cut)?.to_owned();
        rest = after.get(size..).and_then(|rest| rest.strip_prefix("\r\n")).ok_or_else(cut)?;
        body.push_str(&chunk);
    }
}

/// What became of requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Answers 200 to 399, by the version that gave them.
    pub(crate) versions: BTreeMap<String, usize>,
    /// The others: seconds since the beginning, and what was seen.
    pub(crate) failures: Vec<(f64, String)>,
    /// The longest that an answer took.
    pub(crate) slowest: Duration,
}

impl Tally {
    fn count(&mut self, began: Instant, address: &Address) {
        let asked = Instant::now();
        let answer = address.get();
        self.slowest = self.slowest.max(asked.elapsed());
        let failure = match answer {
            Ok(page) if (200..400).contains(&page.status) => {
                let version = page.word("version").unwrap_or_default().to_owned();
                *self.versions.entry(version).or_default() += 1;
                return;
            }
            Ok(page) => format!("{} {}", page.status, page.body.trim()),
            Err(error) => error,
        };
        let after = asked.duration_since(began).as_secs_f64();
        self.failures.push((after, format!("{failure} (after {:.2} s)", asked.elapsed().as_secs_f64())));
    }

    fn add(&mut self, other: Self) {
        for (version, count) in other.versions {
            *self.versions.entry(version).or_default() += count;
        }
        self.failures.extend(other.failures);
        self.slowest = self.slowest.max(other.slowest);
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> usize {
        self.versions.values().sum::<usize>() + self.failures.len()
    }

    /// The share of a version among the answers, in percent.
    pub(crate) fn percent(&self, version: &str) -> f64 {
        let share = |count: usize| f64::from(u32::try_from(count).unwrap());
        100.0 * share(self.versions.get(version).copied().unwrap_or_default()) / share(self.requests().max(1))
    }

    /// Fails when one request failed, or when there were fewer than these.
    pub(crate) fn flawless(self, at_least: usize) -> Self {
        assert!(self.failures.is_empty(), "{self}");
        assert!(self.requests() >= at_least, "fewer than {at_least}: {self}");
        self
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, failed) = (self.requests(), self.failures.len());
        write!(f, "{requests} requests, {failed} failed, slowest {:.2?}, {:?}", self.slowest, self.versions)?;
        self.failures.iter().take(20).try_for_each(|(after, what)| write!(f, "\n  at {after:.2} s: {what}"))
    }
}

/// Requests that go on until they are ended.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Traffic {
    /// Starts this many users, each of whom rests this long between two requests.
    pub(crate) fn start(address: &Address, users: usize, rest: Duration) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let began = Instant::now();
        let user = || {
            let (address, stop, done) = (address.clone(), Arc::clone(&stop), Arc::clone(&done));
            thread::spawn(move || {
                let mut tally = Tally::default();
                while !stop.load(Ordering::Relaxed)
                    && began.elapsed() < LONGEST
                    && done.fetch_add(1, Ordering::Relaxed) < MOST
                {
                    tally.count(began, &address);
                    thread::sleep(rest);
                }
                tally
            })
        };
        let threads = (0..users).map(|_| user()).collect();
        Self { stop, threads }
    }

    /// Lets those in flight end, and adds all up.
    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        self.threads.into_iter().for_each(|thread| all.add(thread.join().unwrap()));
        all.failures.sort_by(|one, other| one.0.total_cmp(&other.0));
        all
    }
}

/// This many requests, from several threads.
pub(crate) fn sample(address: &Address, requests: usize) -> Tally {
    const USERS: usize = 8;
    let began = Instant::now();
    let mut all = Tally::default();
    thread::scope(|scope| {
        let user = |number: usize| {
            scope.spawn(move || {
                let mut tally = Tally::default();
                for _ in (number..requests).step_by(USERS) {
                    tally.count(began, address);
                }
                tally
            })
        };
        let users: Vec<_> = (0..USERS).map(user).collect();
        users.into_iter().for_each(|user| all.add(user.join().unwrap()));
    });
    all
}
