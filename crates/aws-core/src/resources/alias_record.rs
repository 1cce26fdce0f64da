//! x
/// y
pub fn plain_name(name: &str) -> String {
    name.to_owned()
}
