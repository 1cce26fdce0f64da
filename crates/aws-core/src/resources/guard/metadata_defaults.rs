//! How instances answer for metadata, unless they say otherwise.

/// New instances of this account and region answer by IMDSv2 only, also to containers (two hops).
pub struct MetadataDefaults {
    /// Whether deleting takes the defaults back: there were none before we came.
    pub restore: bool,
}
