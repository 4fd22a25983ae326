//! Flows that share resources by weighted max-min fairness, on integer time.
//!
//! A *resource* has a capacity; a *flow* moves an amount through some resources at one rate. The rates maximise fairly
//! `rate × penalty` (progressive filling: a level rises, every flow gets `level / penalty` until its bound or a full
//! resource holds it) subject to `Σ weight × rate ≤ capacity` for each resource and `rate ≤ bound` for each flow.
//!
//! A weighted max-min allocation is the only one in which every flow is at its bound or has a *bottleneck*: a full
//! resource on which no flow has a higher level (`rate × penalty`).
//!
//! # The flows of a bottleneck are one
//! All that a resource holds have the same level, and a change of it changes them all alike. So rates are not kept by
//! flow: a bottleneck has a level and a clock, which is the level summed over time, and a flow knows where the clock
//! stands when it ends (what it has to move × penalty ÷ efficiency from where it stood). Only the first of those that a
//! bottleneck holds has its date among the completions, and a new level is one number and one date, however many
//! flows it is for. What flows take of a resource is summed up by what holds them, its *shares*: what it uses
//! is the sum of level × share.
//!
//! # Only what a change touches is solved again
//! A new allocation may be found by changing a few levels and checking the condition where it could have broken:
//! [`FluidNetwork::settle`] starts with the flows that started, the resources they cross, and the bottlenecks that lost a
//! flow. The flows that these hold rise together; the first resource to be full holds all that cross it, and so on
//! until nothing rises. Then it draws in, and fills again with
//!
//! - the bottlenecks that a flow crosses whose level or holder has changed: what others leave of them is something else;
//! - what has a higher level than the bottleneck that it crosses, and everything on a resource that is overfull;
//! - resources that were not full and are now. There may be many on the way of the flows of a bottleneck (a link and a disk
//!   of each node). So that they need not be looked at each time, each of them has a *limit* by holder: as long as all levels
//!   are below their limits, it has room. Only one whose limit is passed is looked at.
//!
//! When nothing needs drawing in, the condition holds for all flows, so the allocation is the one. A resource that never
//! fills up connects nobody.
//!
//! Of resources that fill up at the same level (the reads of a disk, and all that moves there, as long as it only reads) the
//! one that holds most already goes on holding: so a flow changes its holder only when something else has become
//! narrower.
//!
//! # What is rounded
//! Shares are sums of whole numbers and clocks have 106 bits, so neither the order nor the number of changes can be
//! seen in a date: it is the nanosecond nearest to the exact one, but for a few units in the last of 53 bits of a level, and
//! the later of two that are as near.
//!
//! ```
//! use hearth_simcore::fluid::{FlowSpec, FluidNetwork, Use};
//! use hearth_simcore::time::SimTime;
//! let mut network = FluidNetwork::new();
//! let link = network.add_resource(100.0);
//! let uses = [Use { resource: link, weight: 1.0 }];
//! let spec = FlowSpec { amount: 100.0, efficiency: 1.0, bound: f64::INFINITY, penalty: 1.0, uses: &uses };
//! let first = network.start(SimTime::ZERO, spec);
//! let second = network.start(SimTime::ZERO, spec);
//! network.settle(SimTime::ZERO);
//! assert_eq!(network.rate(first), Some(50.0));
//! let date = SimTime::from_secs_f64(2.0);
//! assert_eq!(network.next_completion(), Some(date));
//! assert_eq!(network.pop_completed(date), Some(first));
//! assert_eq!(network.pop_completed(date), Some(second));
//! ```

mod bottleneck;
mod completions;
mod filling;
mod graph;
mod level_time;
mod limits;
mod network;
mod region;
#[cfg(test)]
mod tests;

pub use graph::{FlowId, FlowSpec, ResourceId, Use};
pub use network::FluidNetwork;
