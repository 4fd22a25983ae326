//! What containers use of the processors of nodes, where they share them (the timing model, section 12).

use super::Split;
use crate::function::FunctionId;

/// What containers used of the processors of nodes, where they share them.
#[derive(Clone, Debug, Default)]
pub struct ProcessorUse {
    /// Cores times nanoseconds.
    used: Split,
    functions: Vec<u128>,
    /// Cores of nodes that were up, times nanoseconds of what is measured; known at the end.
    pub(crate) offered: u128,
}

impl ProcessorUse {
    /// Containers of a function have used so much.
    pub(crate) fn add(&mut self, function: FunctionId, used: Split) {
        self.used.add(used);
        let position = function.number() as usize;
        if self.functions.len() <= position {
            self.functions.resize(position + 1, 0);
        }
        if let Some(sum) = self.functions.get_mut(position) {
            *sum += used.within + used.after;
        }
    }

    /// An invocation ends now.
    pub(crate) fn extend(&mut self) {
        self.used.extend();
    }

    /// Cores times seconds that were used, from the first request to the end of the last invocation.
    pub fn seconds(&self) -> f64 {
        self.used.within as f64 / 1e9
    }

    /// The same after the end of the last invocation.
    pub fn drained_seconds(&self) -> f64 {
        self.used.after as f64 / 1e9
    }

    /// Cores times seconds that the containers of a function used, by its number.
    pub fn seconds_of(&self, function: usize) -> f64 {
        self.functions.get(function).map_or(0.0, |sum| *sum as f64 / 1e9)
    }

    /// The share of the processors of nodes that were up which was used, from the first request to the end of the last invocation; 0
    /// if there were none. Known at the end of the simulation.
    pub fn utilisation(&self) -> f64 {
        self.used.within as f64 / self.offered.max(1) as f64
    }
}
