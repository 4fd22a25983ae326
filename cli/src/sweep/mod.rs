//! Many runs of one scenario that differ in policies, values and seeds: what `hearth compare` and `hearth sweep` do.
//!
//! A [`grid::Grid`] says which runs there are; [`pool`] runs them on all cores; a [`store::Store`] keeps each as soon as
//! it has ended; [`comparison`] sums them up over the seeds, with what their means are over ([`population`]) and what runs warn
//! of ([`warnings`]); [`tables`], [`text`] and [`json`] write that down, with the [`axes`] as columns.

pub mod axes;
pub mod comparison;
pub mod grid;
pub mod json;
pub mod pool;
pub mod population;
pub mod statistics;
pub mod store;
pub mod tables;
pub mod text;
pub mod warnings;
