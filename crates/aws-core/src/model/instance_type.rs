//! The instance type of applications that name none.

/// Two vCPUs and 2 GiB; `t2.micro`, the predecessor's, has half of that on older machines. What a team's Availability
/// Zones have to offer.
pub const DEFAULT_INSTANCE_TYPE: &str = "t3.small";
