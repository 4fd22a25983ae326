//! The subcommands, one file each.

pub mod policies;
pub mod run;
pub mod schema;
mod selection;
pub mod trace;
pub mod validate;
