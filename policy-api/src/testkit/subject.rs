//! Instances of the policy under test.

use crate::boundary::{Called, Made};
use crate::{Parameters, PolicyContext};

/// Makes instances.
pub(super) struct Subject<O> {
    make: extern "C" fn(&Parameters, &PolicyContext) -> Made<O>,
    parameters: Parameters,
}

impl<O> Subject<O> {
    pub fn new(make: extern "C" fn(&Parameters, &PolicyContext) -> Made<O>, parameters: Parameters) -> Self {
        Self { make, parameters }
    }

    /// An instance; all have one seed.
    pub fn instance(&self, nodes: u32) -> Result<O, String> {
        let made = (self.make)(&self.parameters, &PolicyContext { seed: 42, nodes });
        let made = made.into_result().map_err(|failure| format!("failed in new: {failure}"))?;
        made.into_result().map_err(|refusal| format!("cannot be made: {refusal}"))
    }
}

/// The answer of a call, or what to say of its failure.
pub(super) fn answer<T>(call: &str, called: Called<T>) -> Result<T, String> {
    called.into_result().map_err(|failure| format!("failed in {call}: {failure}"))
}
