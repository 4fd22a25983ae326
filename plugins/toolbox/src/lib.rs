//! Structures that policies share, for those in this repository and for yours.
//!
//! | structure | for |
//! |---|---|
//! | [`PriorityIndex`] | items by priority, the lowest first |
//! | [`AgingIndex`], [`Clock`] | eviction by uses, cost and size, with a clock that ages what is not used |
//! | [`RecencyList`], [`Medium`] | items by last use with their bytes, and bytes of what |
//! | [`DecayedCounts`] | counts in which the past weighs less and less |
//! | [`ByFunction`] | what is kept of each function |
//! | [`IdleTimes`] | how long functions are idle |
//! | [`RunTimes`], [`Objective`] | the mean run time of each function, and deadlines from it |
//! | [`HashRing`], [`mix`] | consistent hashing, and the hash under it |
//! | [`PlacementRule`] | the usual ways to choose a node, for policies that add something to them |
//! | [`KeepAliveFeatures`] | what a network sees of a container that becomes idle |
//! | [`Network`] | a small multi-layer perceptron from a file, which chooses one of some actions |
//! | [`random_stream`] | random numbers from a seed |
//!
//! All are deterministic: no hash order, no clock and no address shows in what they answer.

mod aging;
mod decay;
mod functions;
mod keep_alive_features;
mod network;
mod objective;
mod placement;
mod priority;
mod recency;
mod ring;
mod run_times;
mod stream;

pub use aging::{AgingIndex, Clock, Worth};
pub use decay::DecayedCounts;
pub use functions::{ByFunction, IdleTimes};
pub use keep_alive_features::KeepAliveFeatures;
pub use network::{Network, Shape};
pub use objective::Objective;
pub use placement::PlacementRule;
pub use priority::PriorityIndex;
pub use recency::{Medium, RecencyList};
pub use ring::{HashRing, mix};
pub use run_times::RunTimes;
pub use stream::random_stream;

#[doc(hidden)]
pub mod export {
    pub use hearth_policy_api::*;
}
