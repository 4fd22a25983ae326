//! The runs of a plan: each worker appends those that it has done to one file of its own, so that ten thousand runs are not a
//! hundred thousand files.
//!
//! A file is a compressed `tar` archive, `tar -xzf` unpacks it: [`record`] says how each run stands in it, and how one that
//! was cut off is told from a whole one. [`writer`] appends, [`scan`] finds what there is, also while others append, and
//! [`runs`] holds that against the runs of a study.

pub mod record;
pub mod runs;
pub mod scan;
pub mod writer;

/// The folder of the files, in that of the plan.
pub const FOLDER: &str = crate::objects::location::PACKED;

/// How the names of the files end.
pub const ENDING: &str = ".tar.gz";
