//! Processor architectures, as container images and instance types have them.
use std::fmt;

/// What a processor understands. Container registries' names are used; EC2 calls the first `x86_64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD, 64 bit.
    Amd64,
    /// ARM, 64 bit (Graviton).
    Arm64,
}

impl Architecture {
    /// From EC2's name; `None` for those that run none of our images (`i386`, macOS hosts).
    pub fn from_aws(name: &str) -> Option<Self> {
        match name {
            "x86_64" => Some(Self::Amd64),
            "arm64" => Some(Self::Arm64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}
