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

    /// By an instance type's name alone, without asking AWS: Graviton has a `g` behind the generation (`t4g.small`,
    /// `c7gn.large`); the first of them was `a1` (EC2 "Instance type naming conventions").
    pub fn of_instance_type(name: &str) -> Self {
        let family = name.split('.').next().unwrap_or_default();
        let attributes = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let attributes = attributes.trim_start_matches(|c: char| c.is_ascii_digit());
        if family == "a1" || attributes.starts_with('g') || family.contains("-gb") { Self::Arm64 } else { Self::Amd64 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_name_of_an_instance_type() {
        for name in [
            "t4g.micro",
            "m7gd.large",
            "c7gn.xlarge",
            "im4gn.large",
            "is4gen.large",
            "g5g.xlarge",
            "a1.large",
            "hpc7g.4xlarge",
        ] {
            assert_eq!(Architecture::of_instance_type(name), Architecture::Arm64, "{name}");
        }
        for name in
            ["t3.small", "t2.micro", "m7a.large", "c7i-flex.large", "g4dn.xlarge", "p5en.48xlarge", "u-6tb1.metal", ""]
        {
            assert_eq!(Architecture::of_instance_type(name), Architecture::Amd64, "{name}");
        }
    }
}
