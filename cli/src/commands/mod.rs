//! The subcommands, one file each.

pub mod policies;
pub mod report;
pub mod run;
pub mod schema;
pub mod selection;
pub mod sweep;
pub mod trace;
pub mod validate;
