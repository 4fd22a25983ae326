//! A call that did not come to an answer, as a value.

use std::fmt;

/// A call that did not come to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// What happened, with its place in the source where that is known.
    pub cause: String,
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for CallFailure {}

/// What a call gives back.
pub type Called<T> = Result<T, CallFailure>;
