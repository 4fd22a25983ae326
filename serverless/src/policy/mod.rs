//! Which policies a service runs with: found by name or in compiled libraries, made, called and watched.

mod catalog;
mod handshake;
mod hosted;
mod library;
mod set;
mod watch;

pub use catalog::{Catalog, FoundPolicy, ParameterMap, PolicyChoice, SelectionError};
pub(crate) use handshake::Seen;
pub(crate) use hosted::Hosted;
pub use library::{BrokenLibrary, Libraries};
pub(crate) use set::Workshop;
pub use set::{ConstructionError, Factory, PolicyRecord, PolicySet, PolicySlot};
pub(crate) use watch::{Call, Desk, Watch};

/// A call to a policy that went wrong, or a wrong answer of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PolicyFault {
    pub call: &'static str,
    pub cause: String,
}

impl PolicyFault {
    pub fn new(call: Call, cause: String) -> Self {
        Self { call: call.name(), cause }
    }
}
