//! Folders of results: whose they are, what is in them, and that one process at a time writes there.

pub mod claim;
pub mod lock;
pub mod manifest;
pub mod runs_again;
