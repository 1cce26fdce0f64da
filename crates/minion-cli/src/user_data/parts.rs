//! The parts of the script that do not depend on the application: shell functions, each put in once, before its first use.
use aws_core::model::names::dns_suffix;
use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

/// A file of shell functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// `make_file_system`, `mount_at`.
    Volumes,
    /// `mount_ebs`.
    Ebs,
    /// `make_temporary`.
    Temporary,
    /// `metadata`.
    Metadata,
    /// `instance_id`.
    InstanceId,
    /// `json_value`, `json_key`.
    Json,
    /// `aws_call`.
    Aws,
    /// `parameter`, `secret`.
    Secrets,
    /// `ecr_password`.
    Ecr,
}

impl Part {
    fn text(self) -> &'static str {
        match self {
            Self::Volumes => include_str!("script/volumes.sh"),
            Self::Ebs => include_str!("script/ebs.sh"),
            Self::Temporary => include_str!("script/temporary.sh"),
            Self::Metadata => include_str!("script/metadata.sh"),
            Self::InstanceId => include_str!("script/instance_id.sh"),
            Self::Json => include_str!("script/json.sh"),
            Self::Aws => include_str!("script/aws.sh"),
            Self::Secrets => include_str!("script/secrets.sh"),
            Self::Ecr => include_str!("script/ecr.sh"),
        }
    }

    /// What it calls of others.
    const fn builds_on(self) -> &'static [Self] {
        match self {
            Self::Volumes | Self::Metadata | Self::Json => &[],
            Self::Ebs | Self::Temporary => &[Self::Volumes],
            Self::InstanceId => &[Self::Metadata],
            Self::Aws => &[Self::Metadata, Self::Json],
            Self::Secrets | Self::Ecr => &[Self::Aws],
        }
    }

    /// The programs beyond coreutils and sed without which it does nothing. The script asks for them before it begins.
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Volumes => &["blkid", "mount"],
            Self::Json => &["awk"],
            Self::Aws => &["curl"],
            Self::Ecr => &["base64"],
            Self::Ebs | Self::Temporary | Self::Metadata | Self::InstanceId | Self::Secrets => &[],
        }
    }
}

/// A script in the making.
#[derive(Debug)]
pub(super) struct Script {
    /// The domain of AWS's endpoints.
    domain: &'static str,
    text: String,
    parts: BTreeSet<Part>,
}

impl Script {
    /// An empty one for an instance in this region.
    pub(super) fn new(region: &str) -> Self {
        Self { domain: dns_suffix(region), text: String::new(), parts: BTreeSet::new() }
    }

    /// Makes the functions of a part known from here on, and those that they call.
    pub(super) fn include(&mut self, part: Part) {
        if !self.parts.insert(part) {
            return;
        }
        for needed in part.builds_on() {
            self.include(*needed);
        }
        self.text.push_str(&code(part.text()));
        if part == Part::Aws {
            let _ = writeln!(self.text, "aws_domain={}", self.domain);
        }
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The whole, with the search for its programs in front.
    pub(super) fn finish(self, title: &str) -> String {
        let programs: BTreeSet<&str> = self.parts.iter().flat_map(|part| part.programs()).copied().collect();
        let programs: Vec<&str> = std::iter::once("docker").chain(programs).collect();
        let start = code(include_str!("script/start.sh"));
        format!("#!/bin/sh\n# {title}\n{start}needs {}\n{}", programs.join(" "), self.text)
    }
}

impl fmt::Write for Script {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

/// A file of the script without what is for its readers, comments and indentation: user data has little room. No text in
/// these files may begin a line with a blank or `#`.
pub(super) fn code(text: &str) -> String {
    let shipped = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    shipped.flat_map(|line| [line, "\n"]).collect()
}
