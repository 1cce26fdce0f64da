//! The engine on a fake cloud.
mod bad_days;
mod checks;
mod fake;
mod leaving;
mod lifecycle;
mod needs;
mod random;
mod room;
mod warnings;
