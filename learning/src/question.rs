//! What a policy that asks and its environment share.

use std::cell::{Cell, RefCell};

/// What the policy that asks shows of a question.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) observation: RefCell<Vec<f32>>,
    /// What it has cost since the begin of the episode.
    pub(crate) costs: [Cell<f64>; 2],
}

impl Shared {
    pub(crate) fn show(&self, features: &[f32]) {
        let mut observation = self.observation.borrow_mut();
        observation.clear();
        observation.extend_from_slice(features);
    }

    pub(crate) fn add(&self, costs: [f64; 2]) {
        for (sum, cost) in self.costs.iter().zip(costs) {
            sum.set(sum.get() + cost);
        }
    }

    pub(crate) fn costs(&self) -> [f64; 2] {
        self.costs.each_ref().map(Cell::get)
    }
}
