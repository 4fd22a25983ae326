//! What most programs need: `use hearth_serverless::prelude::*`.

pub use hearth_simcore::network::{Endpoint, NetworkModel};
pub use hearth_simcore::platform::{DiskSpec, HostSpec, Platform, PlatformBuilder};
pub use hearth_simcore::process::{Context, Either, join_all, race};
pub use hearth_simcore::time::{SimDuration, SimTime};

pub use crate::error::Error;
pub use crate::function::call::{Call, FunctionError, Input, Output};
pub use crate::function::{
    Body, Function, FunctionId, Image, ImageId, InstanceSettings, Limits, Processors, Routing, StartupWork, Step,
};
pub use crate::invocation::{Invocation, InvocationState, Outcome};
pub use crate::manager::FunctionManager;
pub use crate::policy::{Catalog, Factory, PolicySet};
pub use crate::service::{ProcessorSharing, ServerlessComputeService};
pub use crate::workflow::Callee;
pub use crate::workload::PlannedInvocation;
pub use crate::{ServiceModel, Simulation};

/// A thousand bytes.
pub const KB: u64 = 1_000;
/// A million bytes.
pub const MB: u64 = 1_000_000;
/// A thousand million bytes.
pub const GB: u64 = 1_000_000_000;
/// A thousand million floating-point operations.
pub const GFLOP: f64 = 1e9;

/// A span of whole seconds.
pub fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}
