//! Flows that share resources by weighted max-min fairness, on integer time.
//!
//! A *resource* has a capacity; a *flow* moves an amount through some resources at one rate. The rates maximise fairly
//! `rate × penalty` (progressive filling: a level rises, every flow gets `level / penalty` until its bound or a full
//! resource holds it) subject to `Σ weight × rate ≤ capacity` for each resource and `rate ≤ bound` for each flow.
//!
//! # Only what a change touches is solved again
//! A weighted max-min allocation is the only one in which every flow is at its bound or has a *bottleneck*: a full
//! resource on which no flow has a higher level (`rate × penalty`). So a new allocation may be found by changing a few
//! rates and checking this condition where it could have broken: [`FluidNetwork::settle`] starts with the flows that
//! started and those of full resources that lost a flow, solves for these alone within the capacity that all others
//! leave, and draws the flows of a resource in only if the resource is or was full and its use changed. When nothing
//! needs drawing in, the condition holds for all flows, so the allocation is the one. A resource that never fills up
//! connects nobody.
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

mod completions;
mod graph;
mod network;
mod region;
#[cfg(test)]
mod tests;

pub use graph::{FlowId, FlowSpec, ResourceId, Use};
pub use network::FluidNetwork;
