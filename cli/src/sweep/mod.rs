//! Many runs of one scenario that differ in policies, values and seeds: what `hearth compare` and `hearth sweep` do.
//!
//! A [`grid::Grid`] says which runs there are; [`pool`] runs them on all cores; a [`store::Store`] keeps each as soon as
//! it has ended, and [`packed`] those of a plan; [`comparison`] sums them up over the seeds, with what their means are over ([`population`]) and what runs warn
//! of ([`warnings`]); [`tables`], [`text`] and [`json`] write that down, with the [`axes`] as columns.

#[cfg(unix)]
pub mod apart;
pub mod axes;
pub mod beat;
pub mod claims;
pub mod comparison;
pub mod engines;
pub mod grid;
pub mod json;
pub mod marks;
pub mod outcome;
pub mod packed;
pub mod packed_runs;
pub mod plan;
pub mod planned;
pub mod pool;
pub mod population;
pub mod run;
pub mod share;
pub mod simulate;
pub mod statistics;
pub mod status;
pub mod store;
pub mod study;
pub mod tables;
pub mod text;
pub mod warnings;
pub mod work;
