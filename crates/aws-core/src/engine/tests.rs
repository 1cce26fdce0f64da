//! The engine on a fake cloud.
mod bad_days;
mod fake;
mod leaving;
mod lifecycle;
mod random;
mod room;
