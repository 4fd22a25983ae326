//! How a policy introduces itself.

use std::fmt;

use crate::{Admission, Eviction, KeepAlive, NodeAllocation, ParameterSpec, Parameters};

/// The four kinds of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Where an invocation runs.
    NodeAllocation,
    /// What goes when room is needed.
    Eviction,
    /// Who is let in.
    Admission,
    /// How long idle containers stay.
    KeepAlive,
}

impl PolicyKind {
    /// All kinds.
    pub const ALL: [PolicyKind; 4] = [Self::NodeAllocation, Self::Eviction, Self::Admission, Self::KeepAlive];
}

impl fmt::Display for PolicyKind {
    /// The kind in words, as in "node allocation".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeAllocation => "node allocation",
            Self::Eviction => "eviction",
            Self::Admission => "admission",
            Self::KeepAlive => "keep-alive",
        })
    }
}

/// What an instance of a policy is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyContext {
    /// A seed of this instance's own, derived from the seed of the simulation.
    pub seed: u64,
    /// How many nodes the service has.
    pub nodes: u32,
}

/// Why a policy cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(
    /// What is wrong, and what would be right.
    pub String,
);

/// What a constructor makes.
type Made<T> = Result<Box<T>, PolicyError>;

/// Makes instances of a policy from its checked parameters.
#[derive(Clone, Copy, Debug)]
pub enum Constructor {
    /// Of a node allocation policy.
    NodeAllocation(fn(&Parameters, &PolicyContext) -> Made<dyn NodeAllocation>),
    /// Of an eviction policy.
    Eviction(fn(&Parameters, &PolicyContext) -> Made<dyn Eviction>),
    /// Of an admission policy.
    Admission(fn(&Parameters, &PolicyContext) -> Made<dyn Admission>),
    /// Of a keep-alive policy.
    KeepAlive(fn(&Parameters, &PolicyContext) -> Made<dyn KeepAlive>),
}

/// A policy's name, version, parameters and constructor: what a plugin crate exports as a `static`.
#[derive(Clone, Copy, Debug)]
pub struct PolicyDescriptor {
    /// The name that scenarios use, in kebab case.
    pub name: &'static str,
    /// Semantic version.
    pub version: &'static str,
    /// One line.
    pub description: &'static str,
    /// The parameters it takes.
    pub parameters: &'static [ParameterSpec],
    /// Makes instances.
    pub constructor: Constructor,
}

impl PolicyDescriptor {
    /// The kind of policy, which the constructor tells.
    pub fn kind(&self) -> PolicyKind {
        match self.constructor {
            Constructor::NodeAllocation(_) => PolicyKind::NodeAllocation,
            Constructor::Eviction(_) => PolicyKind::Eviction,
            Constructor::Admission(_) => PolicyKind::Admission,
            Constructor::KeepAlive(_) => PolicyKind::KeepAlive,
        }
    }
}
