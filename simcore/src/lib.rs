//! A deterministic discrete-event engine: time, events, resources and processes. It knows nothing of what they are used
//! for; Hearth's serverless platforms are one model on it, and others are built the same way.
//!
//! * [`time`]: dates and spans in whole nanoseconds. Dates are never compared as floating-point numbers.
//! * [`queue`]: events by date; those of one date in the order of scheduling. Taking one back is O(1).
//! * [`platform`]: hosts, disks, links and routes, built in Rust or read from SimGrid's XML.
//! * [`network`] and [`fluid`]: transfers share links and disks by weighted max-min fairness.
//! * [`kernel`]: the clock with all of these, as a [`Model`] uses them.
//! * [`process`]: `async` Rust on simulated time.
//! * [`random`]: a named stream of random numbers for each purpose.
//! * [`simulation`]: runs a model and its processes.
//!
//! # A simulator in forty lines
//! A model is a state and what each event does to it. Here jobs arrive at a server at random, and queue; their mean
//! time in the system is near that of the theory of queues, `1 / (service rate - arrival rate)`.
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use hearth_simcore::prelude::*;
//! use hearth_simcore::random::stream;
//! use rand::RngExt;
//! use rand_pcg::Pcg64Mcg;
//!
//! enum Event {
//!     Arrival,
//!     Departure,
//! }
//!
//! struct Server {
//!     gaps: Pcg64Mcg,
//!     services: Pcg64Mcg,
//!     waiting: VecDeque<SimTime>, // when they came; the first is being served
//!     in_system: Vec<f64>,
//! }
//!
//! fn exponential(stream: &mut Pcg64Mcg, rate: f64) -> SimDuration {
//!     SimDuration::from_secs_f64(-(1.0 - stream.random::<f64>()).ln() / rate)
//! }
//!
//! impl Model for Server {
//!     type Event = Event;
//!     type Error = std::convert::Infallible;
//!
//!     fn handle(&mut self, event: Event, kernel: &mut Kernel<Event>) -> Result<(), Self::Error> {
//!         match event {
//!             Event::Arrival => {
//!                 kernel.schedule(exponential(&mut self.gaps, 0.5), Event::Arrival);
//!                 self.waiting.push_back(kernel.now());
//!             }
//!             Event::Departure => {
//!                 let came = self.waiting.pop_front().unwrap_or_default();
//!                 self.in_system.push((kernel.now() - came).as_secs_f64());
//!             }
//!         }
//!         let begins = matches!(event, Event::Departure) || self.waiting.len() == 1;
//!         if begins && !self.waiting.is_empty() {
//!             kernel.schedule(exponential(&mut self.services, 1.0), Event::Departure);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let (gaps, services) = (stream(42, "gaps"), stream(42, "services"));
//! let server = Server { gaps, services, waiting: VecDeque::new(), in_system: Vec::new() };
//! let platform = PlatformBuilder::new().build()?;
//! let mut simulation = Simulation::with_model(platform, 42, NetworkModel::Fluid, server);
//! simulation.with_model_mut(|_, kernel| kernel.schedule(SimDuration::ZERO, Event::Arrival));
//! simulation.run_until(SimTime::from_secs_f64(200_000.0))?;
//! let times = simulation.with_model_mut(|server, _| std::mem::take(&mut server.in_system));
//! let mean = times.iter().sum::<f64>() / times.len() as f64;
//! assert!((mean - 2.0).abs() < 0.1, "{mean}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The same with processes
//! What happens in sequence reads better as a process: see [`process`].

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
    pub use crate::kernel::{Kernel, Model, ShareId, ShareSpec};
    pub use crate::network::{Endpoint, NetworkModel};
    pub use crate::platform::{DiskSpec, HostSpec, Platform, PlatformBuilder};
    pub use crate::process::{Context, Either, channel, join_all, race};
    pub use crate::simulation::{ProcessSimulation, Simulation};
    pub use crate::time::{SimDuration, SimTime};
}
