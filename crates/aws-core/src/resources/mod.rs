//! One file for each kind of AWS resource: find, diff, create, update, delete.
