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

/// Ends the call of a policy that is under way, which the host takes for an error of this text: for a policy that hands its calls
/// on to another language, where they can fail.
///
/// ```
/// use hearth_policy_api::boundary::{Seat, fail, keep_alive};
/// use hearth_policy_api::{Completion, KeepAlive, Retention};
///
/// struct Elsewhere;
/// impl KeepAlive for Elsewhere {
///     fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
///         fail("ZeroDivisionError: division by zero")
///     }
/// }
/// let mut policy = keep_alive(Elsewhere, &Seat::default());
/// let failure = policy.on_idle(&Completion::default()).unwrap_err();
/// assert_eq!(failure.cause, "ZeroDivisionError: division by zero");
/// ```
pub fn fail(cause: impl Into<String>) -> ! {
    // No panic hook hears of it.
    std::panic::resume_unwind(Box::new(CallFailure { cause: cause.into() }))
}
