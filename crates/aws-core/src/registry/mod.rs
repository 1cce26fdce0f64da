//! What has no place in a tag: settings of a VPC, manifests, records of teams and leases, as parameters of Systems
//! Manager; and the history of all that was done, in CloudWatch Logs.
pub(crate) mod as_written;
pub mod encoding;
pub mod history;
pub mod lease;
pub mod parameters;
pub mod settings;
pub mod teams;

pub use parameters::{
    Start, delete_application, list_applications, read_application, read_start, write_application, write_settings,
};
pub use settings::VpcSettings;
