//! Simulated serverless platforms.
//!
//! A [`ServerlessComputeService`] runs functions in containers on the nodes of a platform; a [`FunctionManager`] defines,
//! registers and invokes them. [`scenario`] describes a platform, functions and a workload in a file, and
//! [`experiment`] runs it. Every choice the platform makes is a policy: see [`policy`] and `hearth-policy-api`.

pub mod causes;
mod cluster;
pub mod decisions;
pub mod distribution;
pub mod error;
pub mod experiment;
pub mod fault;
pub mod function;
pub mod invocation;
#[cfg(test)]
mod laws;
mod ledger;
mod manager;
pub mod metrics;
mod node;
pub mod policy;
pub mod prelude;
pub mod quantity;
pub mod results;
pub mod scenario;
mod service;
mod table;
mod worker;
pub mod workflow;
pub mod workload;

pub use error::Error;
pub use function::call;
pub use invocation::Stall;
pub use manager::{FunctionManager, UnregisteredFunction};
pub use node::NodePool;
pub use service::event::{Event, ServiceModel};
pub use service::{
    Backfilling, DEFAULT_EVENTS_WITHOUT_PROGRESS, RunTimeWork, ServerlessComputeService, ServiceBuilder,
};

/// A simulation of serverless services and the processes around them.
pub type Simulation = hearth_simcore::Simulation<ServiceModel>;
