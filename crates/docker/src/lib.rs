//! The local container engine.
