//! One file for each target; each says what it checks.
pub mod answers;
pub mod dockerignore;
pub mod manifest;
pub mod names;
pub mod organization;
pub mod run_line;
pub mod stored_text;
pub mod user_data;
