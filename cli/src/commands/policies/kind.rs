//! The kinds of policy that one can start from.

use clap::ValueEnum;

/// The kinds of policy, as arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// On which node an invocation runs.
    NodeAllocation,
    /// What goes when room is needed.
    Eviction,
    /// Who is let in.
    Admission,
    /// How long idle containers stay.
    KeepAlive,
    /// How many instances functions have.
    Autoscaling,
}

impl Kind {
    /// All kinds, in the order of the examples.
    pub const ALL: [Self; 5] =
        [Self::NodeAllocation, Self::Eviction, Self::Admission, Self::KeepAlive, Self::Autoscaling];

    /// A policy of this kind in Rust.
    pub fn source(self) -> &'static str {
        match self {
            Self::NodeAllocation => include_str!("../../../templates/node-allocation.rs"),
            Self::Eviction => include_str!("../../../templates/eviction.rs"),
            Self::Admission => include_str!("../../../templates/admission.rs"),
            Self::KeepAlive => include_str!("../../../templates/keep-alive.rs"),
            Self::Autoscaling => include_str!("../../../templates/autoscaling.rs"),
        }
    }

    /// A slot that such a policy fills.
    pub fn slot(self) -> &'static str {
        match self {
            Self::NodeAllocation => "node_allocation",
            Self::Eviction => "eviction.containers",
            Self::Admission => "admission",
            Self::KeepAlive => "keep_alive",
            Self::Autoscaling => "autoscaling",
        }
    }
}
