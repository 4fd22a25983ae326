//! The subcommands, one file each.

pub mod completions;
pub mod man;
pub mod policies;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod schema;
pub mod selection;
pub mod sweep;
pub mod trace;
pub mod validate;
