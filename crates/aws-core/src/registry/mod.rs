//! What has no place in a tag.
