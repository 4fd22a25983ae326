//! Why a command fails, and its exit code.

use std::path::{Path, PathBuf};

use hearth_serverless::Error;
use hearth_serverless::experiment::Results;
use hearth_serverless::scenario::ScenarioError;

/// What can go wrong in a command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The scenario is wrong.
    #[error("{}: {error}", file.display())]
    Scenario {
        /// The scenario's file.
        file: PathBuf,
        /// What is wrong.
        error: ScenarioError,
    },
    /// An argument is wrong.
    #[error(transparent)]
    Argument(ScenarioError),
    /// An argument of a tool is wrong.
    #[error("{0}")]
    Usage(String),
    /// Asked for is what was left out when this program was built.
    #[error(
        "this build of hearth has no {what}: build it with `cargo build --release --features {feature}` (or \
         `cargo install … --features {feature}`)"
    )]
    MissingFeature {
        /// What it lacks.
        what: &'static str,
        /// The feature of this crate that brings it.
        feature: &'static str,
    },
    /// Policies have not stood the check.
    #[error("unsound: {0}")]
    Unsound(String),
    /// The folder for results cannot be used.
    #[error("--output {}: {problem}", folder.display())]
    OutputFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        problem: String,
    },
    /// The user stopped the simulation.
    #[error("interrupted: the results are of what had happened up to then")]
    Interrupted,
    /// The user stopped what leaves no results.
    #[error("interrupted")]
    Stopped,
    /// The simulation ended in an error.
    #[error("the simulation stopped: {0}")]
    Simulation(String),
    /// Some runs of a sweep ended in an error.
    #[error("{failed} of {runs} runs failed, the first with {first}")]
    Runs {
        /// How many failed.
        failed: usize,
        /// How many there were.
        runs: usize,
        /// What the first failed with, and its values.
        first: String,
    },
    /// The user stopped a sweep.
    #[error("interrupted: {finished} of {runs} runs are done{}", if *kept { ", --resume goes on with the others" } else { "" })]
    SweepInterrupted {
        /// How many are done.
        finished: usize,
        /// How many there are in all.
        runs: usize,
        /// Whether they are on the disk.
        kept: bool,
    },
    /// Runs of a plan are not there yet.
    #[error(
        "{missing} of {runs} runs are missing: see `hearth sweep status {0}`, go on with `hearth sweep work {0} --claim`, or \
         collect what is there with --partial",
        folder.display()
    )]
    MissingRuns {
        /// How many are missing.
        missing: usize,
        /// How many there are in all.
        runs: usize,
        /// The folder of the plan.
        folder: PathBuf,
    },
    /// An engine does not do what it is asked to, or its tasks did not.
    #[error("{0}")]
    Engine(String),
    /// The user stopped a worker on a plan.
    #[error("interrupted: {finished} of {runs} runs of this worker are done, the same command goes on with the others")]
    WorkInterrupted {
        /// How many are done.
        finished: usize,
        /// How many there are in all.
        runs: usize,
    },
    /// A run of a sweep, in a process of its own, ended in an error that others would meet, too.
    #[error("{error}")]
    OfARun {
        /// What went wrong.
        error: String,
        /// The exit code for it.
        code: u8,
    },
    /// A run does not give again what it gave before.
    #[error("not the same comes of it in {0}")]
    Differs(String),
    /// A policy does not answer again as it did.
    #[error("{0}")]
    AnswersDiffer(String),
    /// A result cannot be written.
    #[error("{} cannot be written: {problem}", file.display())]
    Result {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: String,
    },
    /// Standard output cannot be written.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// 2 for bad input, 130 after Ctrl-C, 1 for what goes wrong afterwards.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Scenario { .. }
            | Self::Argument(_)
            | Self::Usage(_)
            | Self::OutputFolder { .. }
            | Self::MissingFeature { .. } => 2,
            Self::Interrupted | Self::Stopped | Self::SweepInterrupted { .. } | Self::WorkInterrupted { .. } => {
                crate::interrupt::EXIT_CODE
            }
            Self::OfARun { code, .. } => *code,
            Self::Simulation(_)
            | Self::Runs { .. }
            | Self::MissingRuns { .. }
            | Self::Engine(_)
            | Self::Unsound(_)
            | Self::Differs(_)
            | Self::AnswersDiffer(_)
            | Self::Result { .. }
            | Self::Output(_) => 1,
        }
    }

    /// An error of reading or preparing the scenario of a file.
    pub(crate) fn in_scenario(file: &Path, error: ScenarioError) -> Self {
        match error {
            // These name their file, or the argument, themselves.
            ScenarioError::File { .. } | ScenarioError::Override { .. } => Self::Argument(error),
            error => Self::Scenario { file: file.to_owned(), error },
        }
    }

    /// Whether the other runs of a sweep would meet the same error, or could not be written.
    pub(crate) fn is_fatal_to_a_sweep(&self) -> bool {
        !matches!(self, Self::Simulation(_) | Self::Unsound(_))
    }
}

/// An error that ended a simulation, with the date of what a policy did wrong.
pub fn with_date(error: &Error, results: &Results) -> String {
    match error {
        Error::Policy { .. } => format!("{error}, at {} s", results.ended_at.as_secs_f64()),
        _ => error.to_string(),
    }
}
