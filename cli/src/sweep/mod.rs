//! Many runs of one scenario that differ in policies, values and seeds: what `hearth compare` and `hearth sweep` do.
//!
//! A [`grid::Grid`] says which runs there are; [`pool`] runs them on all cores; a [`store::Store`] keeps each as soon as
//! it has ended; [`comparison`] sums them up over the seeds, and [`tables`] writes that down.

pub mod comparison;
pub mod grid;
#[cfg(feature = "parquet")]
mod parquet;
pub mod pool;
pub mod statistics;
pub mod store;
pub mod tables;
