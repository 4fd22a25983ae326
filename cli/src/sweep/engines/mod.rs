//! Hands a plan to the engine that a cluster has: the files that it reads, and the one command that gives it to it.
//!
//! [`sizing`] says how many tasks there are, from a measured run ([`pilot`]) and the limits of the engine; [`files`] writes what
//! each engine reads. [`slurm`] asks a cluster for its limits, and [`waiting`] follows a job to its end.

pub mod files;
pub mod job;
pub mod kubernetes;
pub mod pilot;
pub mod sizing;
pub mod slurm;
pub mod waiting;

use clap::ValueEnum;

/// What runs the tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Engine {
    /// Slurm: one array job.
    Slurm,
    /// HyperQueue: one task array.
    #[value(alias = "hyperqueue")]
    Hq,
    /// GNU parallel, on this machine or over ssh.
    Parallel,
    /// Kubernetes: an indexed Job.
    Kubernetes,
    /// HTCondor: one cluster of jobs.
    Htcondor,
}
