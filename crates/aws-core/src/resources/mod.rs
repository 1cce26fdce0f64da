//! One file for each kind of AWS resource: find, diff, create, update, delete.
pub mod alias_record;
