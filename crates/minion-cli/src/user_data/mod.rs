//! The script that an instance runs once, at its first boot.
