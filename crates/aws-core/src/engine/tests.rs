//! The engine on a fake cloud.
