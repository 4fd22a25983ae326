//! Which policies a service runs with: found by name or in compiled libraries, made, called and watched.

mod board;
mod catalog;
mod controller;
mod given;
mod handshake;
mod hosted;
mod library;
mod own;
mod replay;
mod set;
mod spent;
mod watch;

pub(crate) use board::Desk;
pub use board::{Board, Callee, LastingCall, on_pause};
pub use catalog::{Catalog, FoundPolicy, ParameterMap, PolicyChoice, SelectionError};
pub use controller::Controller;
pub use given::{set_parameter, split_at_commas};
pub(crate) use handshake::Seen;
pub use hearth_policy_api::PolicySlot;
pub(crate) use hosted::Hosted;
pub use library::{BrokenLibrary, Libraries};
pub use own::OwnPolicies;
pub use replay::{Difference, Replay, ReplayError, Replayed};
pub use set::{ConstructionError, Factory, PolicyRecord, PolicySet, default_policy};
pub(crate) use set::{EvictionInstance, Storage, Workshop};
pub use spent::PolicyTime;
pub(crate) use watch::{Method, Watch};

/// What a policy did wrong: a call that failed, or an answer that cannot be followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mistake(Box<MistakeMade>);

/// Where and what. Behind a pointer, as it hardly ever is there and is part of most answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MistakeMade {
    /// Where the policy serves.
    pub slot: PolicySlot,
    /// In which call.
    pub method: &'static str,
    pub cause: String,
}

impl Mistake {
    /// A mistake of the policy in a slot.
    #[cold]
    pub fn new(slot: PolicySlot, method: Method, cause: String) -> Self {
        Self(Box::new(MistakeMade { slot, method: method.name(), cause }))
    }

    /// Where and what.
    pub fn into_inner(self) -> MistakeMade {
        *self.0
    }
}
