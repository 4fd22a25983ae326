//! What can be wrong with a scenario.

use std::path::PathBuf;

use hearth_simcore::platform::PlatformError;

use crate::error::Error;

/// Why a scenario cannot be run. The message names the place, what was found there and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file cannot be read.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// A value is missing, of the wrong type or out of range, or a name is unknown.
    #[error("{place}: {problem}")]
    Invalid {
        /// The path in the JSON, as in `functions[2].ram_limit`.
        place: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// The platform makes no sense.
    #[error("platform: {0}")]
    Platform(#[from] PlatformError),
    /// The service refuses a part of the scenario.
    #[error("{place}: {error}")]
    Refused {
        /// The path in the JSON.
        place: String,
        /// Why.
        error: Box<Error>,
    },
    /// An override does not name a value of the scenario.
    #[error("--set {assignment:?}: {problem}")]
    Override {
        /// As it was given.
        assignment: String,
        /// What is wrong.
        problem: String,
    },
}

impl ScenarioError {
    pub(crate) fn invalid(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), problem: problem.into() }
    }

    pub(crate) fn refused(place: impl Into<String>, error: impl Into<Error>) -> Self {
        Self::Refused { place: place.into(), error: Box::new(error.into()) }
    }
}
