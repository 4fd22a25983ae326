//! Results and traces in object storage, by names such as `s3://bucket/prefix`.
//!
//! Commands work on a copy in a folder of this machine ([`location`]): what they need is brought there, and what they write is
//! handed back, whole objects at a time. Only claims and the runs of workers go there while a command is at work.
//! [`store`] is the one place that knows of requests.

mod address;
pub mod inputs;
pub mod location;
#[cfg_attr(not(feature = "object-storage"), path = "store_none.rs")]
mod store;
#[cfg(feature = "object-storage")]
mod words;

use std::path::Path;

pub use address::Address;
pub use store::Objects;

/// An object, as the store tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name below the prefix.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written, by the store's clock.
    pub modified: std::time::SystemTime,
}

/// Whether a path names something in object storage.
pub fn is_named(path: &Path) -> bool {
    path.to_str().is_some_and(address::has_scheme)
}
