//! The published exit codes.
use aws_core::error::Kind;
use std::process::ExitCode;

/// How a command ended, as the shell sees it. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// It failed, and nothing that was asked for is done.
    Failed = 1,
    /// The command line, the settings or a file were wrong; nothing was tried.
    Usage = 2,
    /// Some of it is done; the same command continues.
    Partly = 4,
    /// A plan has changes (only with `--detailed-exitcode`).
    Changes = 5,
    /// The operator interrupted (128 + SIGINT, as shells count).
    Interrupted = 130,
}

impl Exit {
    /// The code of a command that ended with this error.
    pub fn of(error: &aws_core::Error) -> Self {
        match error.kind() {
            Kind::Usage => Self::Usage,
            Kind::Interrupted => Self::Interrupted,
            Kind::Failed | Kind::NotFound | Kind::Refused | Kind::Access | Kind::Deadline => Self::Failed,
        }
    }
    /// Of two parts of one command: how the whole ended.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Done, end) | (end, Self::Done) => end,
            (Self::Changes, end) | (end, Self::Changes) => end,
            (one, two) if one == two => one,
            (Self::Interrupted, _) | (_, Self::Interrupted) => Self::Interrupted,
            // Neither did any of it.
            (Self::Failed, Self::Usage) | (Self::Usage, Self::Failed) => Self::Failed,
            _ => Self::Partly,
        }
    }
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::Error;

    #[test]
    fn codes_are_as_published() {
        let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Partly, Exit::Changes, Exit::Interrupted];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 4, 5, 130]);
        assert_eq!(Exit::of(&Error::usage("x")), Exit::Usage);
        assert_eq!(Exit::of(&Error::interrupted("x")), Exit::Interrupted);
        assert_eq!(Exit::of(&Error::refused("x")), Exit::Failed);
    }

    #[test]
    fn two_parts_of_one_command() {
        use Exit::{Changes, Done, Failed, Interrupted, Partly, Usage};
        let table = [
            (Done, Done, Done),
            (Done, Failed, Failed),
            (Done, Usage, Usage),
            (Done, Partly, Partly),
            (Done, Changes, Changes),
            (Done, Interrupted, Interrupted),
            (Changes, Changes, Changes),
            (Changes, Failed, Failed),
            (Changes, Usage, Usage),
            (Changes, Partly, Partly),
            (Changes, Interrupted, Interrupted),
            (Failed, Failed, Failed),
            (Failed, Usage, Failed),
            (Failed, Partly, Partly),
            (Failed, Interrupted, Interrupted),
            (Usage, Usage, Usage),
            (Usage, Partly, Partly),
            (Usage, Interrupted, Interrupted),
            (Partly, Partly, Partly),
            (Partly, Interrupted, Interrupted),
            (Interrupted, Interrupted, Interrupted),
        ];
        for (one, two, whole) in table {
            assert_eq!(one.and(two), whole, "{one:?} and {two:?}");
            assert_eq!(two.and(one), whole, "{two:?} and {one:?}");
        }
    }
}
