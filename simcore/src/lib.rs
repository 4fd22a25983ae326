//! A deterministic discrete-event engine: it knows time, resources and processes, and nothing of what they are used for.

pub mod fluid;
pub mod kernel;
pub mod network;
pub mod platform;
pub mod process;
pub mod queue;
pub mod random;
pub mod simulation;
pub mod time;
pub mod units;

pub use kernel::{Kernel, Model};
pub use simulation::{ProcessSimulation, Simulation};

/// What most programs need: `use hearth_simcore::prelude::*`.
pub mod prelude {
    pub use crate::kernel::{Kernel, Model};
    pub use crate::network::{Endpoint, NetworkModel};
    pub use crate::platform::{DiskSpec, HostSpec, Platform, PlatformBuilder};
    pub use crate::process::{Context, Either, channel, join_all, race};
    pub use crate::simulation::{ProcessSimulation, Simulation};
    pub use crate::time::{SimDuration, SimTime};
}
