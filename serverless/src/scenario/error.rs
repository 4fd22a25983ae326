//! What can be wrong with a scenario.

use std::path::PathBuf;

use hearth_simcore::platform::PlatformError;

use super::suggestion::did_you_mean;
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
    /// The text is not JSON.
    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        let cure = if error.is_eof() { ": the text ends too early, is the file complete?" } else { "" };
        Self::Syntax(format!("{error}{cure}"))
    }

    /// The text is JSON, but a value in it does not suit its place.
    pub(super) fn unsuitable(place: String, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        // A value that was set from outside has no line.
        let Some(message) = text.strip_suffix(&format!(" at line {line} column {column}")) else {
            return Self::invalid(place, format!("{text}{}", cure(&text)));
        };
        Self::invalid(place, format!("{message}{} (line {line}, column {column})", cure(message)))
    }

    /// The error without the line and the column, for a scenario that was made by a program: nobody has seen its text.
    ///
    /// ```
    /// use hearth_serverless::scenario::Scenario;
    /// let error = Scenario::from_json(r#"{"format": 1}"#).unwrap_err();
    /// assert!(error.to_string().ends_with("(line 1, column 12)"));
    /// assert!(!error.without_position().to_string().contains("line"));
    /// ```
    #[must_use]
    pub fn without_position(self) -> Self {
        let Self::Invalid { place, mut problem } = self else { return self };
        let is_position = |rest: &str| {
            let rest = rest.strip_suffix(')').and_then(|rest| rest.split_once(", column "));
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            rest.is_some_and(|(line, column)| is_number(line) && is_number(column))
        };
        if let Some((before, rest)) = problem.rsplit_once(" (line ")
            && is_position(rest)
        {
            problem.truncate(before.len());
        }
        Self::Invalid { place, problem }
    }

    pub(crate) fn invalid(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), problem: problem.into() }
    }

    pub(crate) fn refused(place: impl Into<String>, error: impl Into<Error>) -> Self {
        Self::Refused { place: place.into(), error: Box::new(error.into()) }
    }
}

/// What to do about an error in the words of serde, which puts names between backticks; nothing where it is plain.
fn cure(message: &str) -> String {
    let unknown = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"));
    if let Some((found, known)) = unknown.and_then(|rest| rest.split_once("`, expected ")) {
        return did_you_mean(found, known.split('`').skip(1).step_by(2));
    }
    let is_whole = |number: &str| ["u32", "u64", "usize"].iter().any(|kind| number.starts_with(kind));
    match message.split_once(", expected ") {
        Some((_, expected)) if is_whole(expected) => ": write a whole number that is not negative".to_owned(),
        _ => String::new(),
    }
}
