//! What Auto Scaling answers when it does not do what was asked.

/// An error of the Query protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// AWS's code.
    pub(super) code: &'static str,
    /// The sentence.
    pub(super) message: String,
}

impl Fault {
    /// An error of this code.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
    /// What was asked cannot be right: Auto Scaling has this one code for nearly all of it.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }
    /// There is no such group.
    pub(super) fn no_group(name: &str) -> Self {
        Self::invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
    }
    /// The group is being taken apart.
    pub(super) fn going(name: &str) -> Self {
        Self::new("ScalingActivityInProgress", format!("AutoScalingGroup {name} is pending delete"))
    }
    /// The emulator did not answer as it should.
    pub(super) fn inside(error: &aws_core::Error) -> Self {
        Self::new("InternalFailure", error.to_string())
    }
    /// The HTTP status that goes with it.
    pub(super) fn status(&self) -> u16 {
        if self.code == "InternalFailure" { 500 } else { 400 }
    }
}
