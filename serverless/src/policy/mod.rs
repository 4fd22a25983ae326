//! Which policies a service runs with, and how they are found by name.

mod catalog;
mod set;

pub use catalog::{Catalog, ParameterMap, SelectionError};
pub(crate) use set::Workshop;
pub use set::{Factory, PolicyRecord, PolicySet, PolicySlot};

/// A wrong answer of a policy: which call, and what is wrong with the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PolicyFault {
    pub call: &'static str,
    pub cause: String,
}

impl PolicyFault {
    pub fn new(call: &'static str, cause: String) -> Self {
        Self { call, cause }
    }
}
