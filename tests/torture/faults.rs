//! What goes wrong at a call.
use crate::{
    answers::{self, Refusal},
    operation::{Operation, reads},
    specials::{SPECIALS, Special},
};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a throttle or an outage of one operation lasts.
pub(crate) const LONG: Duration = Duration::from_secs(5);
/// How many reads of an operation know nothing of what the command has done.
const STALE: usize = 4;

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The client is killed when the call arrives, which goes no further.
    KillBefore,
    /// AWS acts, and the client is killed before it hears.
    KillAfter,
    /// Ctrl-C when the call arrives.
    Interrupt,
    /// Ctrl-C twice; what AWS answers to the call is held back.
    InterruptTwice,
    /// The connection is closed when the call arrives, which goes no further.
    DropBefore,
    /// AWS acts, and the connection is closed before the answer.
    DropAfter,
    /// AWS acts, and answers that something broke.
    Error500,
    /// Too many calls: once.
    ThrottleOnce,
    /// Too many calls of this operation, for a while.
    ThrottleLong,
    /// Nobody there: once.
    UnavailableOnce,
    /// Nobody there for this operation, for a while.
    UnavailableLong,
    /// From this call on, a policy forbids the operation.
    Denied,
    /// No answer, and the call goes no further.
    Hang,
    /// This read and the next of the operation are answered with what stood before the command.
    Stale,
    /// What some operations answer, and the emulator does not.
    Special(&'static Special),
}

const GENERAL: [Fault; 14] = [
    Fault::KillBefore,
    Fault::KillAfter,
    Fault::Interrupt,
    Fault::InterruptTwice,
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Error500,
    Fault::ThrottleOnce,
    Fault::ThrottleLong,
    Fault::UnavailableOnce,
    Fault::UnavailableLong,
    Fault::Denied,
    Fault::Hang,
    Fault::Stale,
];

/// One call of an undisturbed run.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `ec2:DescribeVpcs`
    pub(crate) operation: String,
    /// Which of the operation's calls, from 1.
    pub(crate) n: usize,
    /// What was asked and answered.
    pub(crate) request: String,
    pub(crate) answer: String,
    /// Of HTTP.
    pub(crate) status: u16,
    /// A read that is answered otherwise by what stood before the command.
    pub(crate) stale_differs: bool,
}

impl Call {
    /// Whether it changes nothing.
    pub(crate) fn reads(&self) -> bool {
        reads(&self.operation)
    }

    /// `ec2:DescribeVpcs#1`
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.operation, self.n)
    }
}

impl Fault {
    /// All there are.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        GENERAL.into_iter().chain(SPECIALS.iter().map(Self::Special))
    }

    /// Its name in reports and on command lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
            Self::Interrupt => "interrupt",
            Self::InterruptTwice => "interrupt-twice",
            Self::DropBefore => "drop-before",
            Self::DropAfter => "drop-after",
            Self::Error500 => "error-500",
            Self::ThrottleOnce => "throttle-once",
            Self::ThrottleLong => "throttle-long",
            Self::UnavailableOnce => "unavailable-once",
            Self::UnavailableLong => "unavailable-long",
            Self::Denied => "denied",
            Self::Hang => "hang",
            Self::Stale => "stale",
            Self::Special(special) => special.name,
        }
    }

    /// Whether it can make a difference at this call. A read that is killed, dropped or broken after it was passed on is
    /// the same as one before; one that is answered the same by what stood before cannot be stale.
    pub(crate) fn fits(self, call: &Call) -> bool {
        match self {
            Self::KillAfter | Self::DropAfter => !call.reads(),
            Self::Stale => call.reads() && call.stale_differs,
            Self::Special(special) => special.fits(call),
            _ => true,
        }
    }

    /// Whether it is tried with this command: not where it is what AWS answers for minutes, and what is waited out.
    pub(crate) fn tried(self, call: &Call, command: &str) -> bool {
        !(matches!(self, Self::Denied) && WAITED_OUT.contains(&(command, call.operation.as_str())))
    }

    /// Whether most of a case's time is waiting.
    pub(crate) fn waits(self) -> bool {
        match self {
            Self::Hang | Self::ThrottleLong | Self::UnavailableLong => true,
            Self::Special(special) => special.waits(),
            _ => false,
        }
    }

    /// Whether the command has to bear it: the very first run ends with exit code 0, and all is as it should be. That is
    /// what the waits and the tries of the tools are for.
    pub(crate) fn borne(self, call: &Call, command: &str) -> bool {
        let bears = match self {
            Self::ThrottleOnce | Self::ThrottleLong | Self::UnavailableOnce => true,
            Self::DropBefore | Self::Error500 => call.reads(),
            Self::Special(special) => special.borne(),
            _ => false,
        };
        let excused = |(fault, operation, of, _): &(&str, &str, &str, &str)| {
            self.name().starts_with(fault) && *operation == call.operation && command.starts_with(of)
        };
        bears && !NOT_BORNE.iter().any(excused)
    }
}

/// Command and operation: a new account answers that access is denied until it can be used.
const WAITED_OUT: [(&str, &str); 3] = [
    ("team create (new account)", "sts:AssumeRole"),
    ("team create (new account)", "sts:GetCallerIdentity"),
    ("team create (new account)", "ec2:DescribeRegions"),
];

/// Fault and operation that commands (that begin with this) may fail at, although they bear the fault elsewhere, and why.
/// A fault is named by how its name begins.
const NOT_BORNE: &[(&str, &str, &str, &str)] = &[
    (
        "targets-unhealthy",
        "elasticloadbalancing:DescribeTargetHealth",
        "traffic",
        "a version without a healthy target gets no traffic: a refusal that says so",
    ),
    ("not-yet", "ec2:CreateSecurityGroup", "app", OLD),
    ("not-yet", "ec2:CreateSecurityGroup", "ver", OLD),
    ("not-yet", "route53:ChangeResourceRecordSets", "ver", OLD),
    ("not-yet", "route53:ChangeResourceRecordSets", "app", OLD),
    ("not-yet", "route53:ChangeResourceRecordSets", "traffic", OLD),
    ("not-yet", "iam:CreateRole", "team", "the trust policy names accounts and a provider that was made long before"),
    ("not-yet", "iam:CreateRole", "app", "the trust policy names a service of AWS, which is always known"),
    ("busy", "route53:CreateHostedZone", "team", "too many zones have the name: that does not go by itself"),
];
const OLD: &str = "the team's place was there long before: what is missing of it now was deleted";

/// What the proxy does with a call.
pub(crate) enum Act {
    Pass,
    Kill { after: bool },
    Interrupt { twice: bool },
    Close { after: bool },
    Answer { refusal: Refusal, after: bool },
    Never,
    Stale,
    Edit { from: &'static str, to: &'static str },
}

/// A fault that waits for its call.
pub(crate) struct Armed {
    operation: String,
    n: usize,
    fault: Fault,
    /// Whether the operation always worked when nothing went wrong.
    works: bool,
    since: Mutex<Option<Instant>>,
    off: AtomicBool,
}

impl Armed {
    /// For this call of these.
    pub(crate) fn new(call: &Call, fault: Fault, all: &[Call]) -> Self {
        let (operation, n) = (call.operation.clone(), call.n);
        let works = all.iter().filter(|other| other.operation == operation).all(|other| other.status < 400);
        Self { operation, n, fault, works, since: Mutex::new(None), off: AtomicBool::new(false) }
    }

    /// Whether AWS can have acted, as a fault after it says, when the emulator answers this.
    pub(crate) fn acted(&self, status: u16) -> bool {
        status < 400 || (status < 500 && !self.works)
    }

    /// Whether the call came.
    pub(crate) fn reached(&self) -> bool {
        self.since().is_some()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn disarm(&self) {
        self.off.store(true, Ordering::Relaxed);
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with the `n`-th call of an operation.
    pub(crate) fn decide(&self, operation: &Operation, n: usize, request: &str) -> Act {
        if self.off.load(Ordering::Relaxed) || operation.full() != self.operation || n < self.n {
            return Act::Pass;
        }
        // Which call since the fault began, from 0.
        let later = n - self.n;
        let answer = |refusal| Act::Answer { refusal, after: false };
        let mut since = self.since();
        if later > 0 && since.is_none() {
            return Act::Pass;
        }
        let long = since.is_none_or(|since| since.elapsed() < LONG);
        let act = match self.fault {
            Fault::ThrottleOnce if later == 0 => answer(answers::throttle(operation)),
            Fault::UnavailableOnce if later == 0 => answer(answers::unavailable(operation)),
            Fault::ThrottleLong if long => answer(answers::throttle(operation)),
            Fault::UnavailableLong if long => answer(answers::unavailable(operation)),
            Fault::Denied => answer(answers::denied(operation)),
            Fault::Stale if later < STALE => Act::Stale,
            Fault::Special(special) => special.act(&self.operation, request, later, *since),
            Fault::Error500 if later == 0 => Act::Answer { refusal: answers::internal(operation), after: true },
            Fault::KillBefore if later == 0 => Act::Kill { after: false },
            Fault::KillAfter if later == 0 => Act::Kill { after: true },
            Fault::Interrupt if later == 0 => Act::Interrupt { twice: false },
            Fault::InterruptTwice if later == 0 => Act::Interrupt { twice: true },
            Fault::DropBefore if later == 0 => Act::Close { after: false },
            Fault::DropAfter if later == 0 => Act::Close { after: true },
            Fault::Hang if later == 0 => Act::Never,
            _ => Act::Pass,
        };
        if later == 0 && !matches!(act, Act::Pass) {
            *since = Some(Instant::now());
        }
        act
    }
}
