//! Processes: `async` Rust on simulated time, one thread, in a deterministic order.
//!
//! A process is a future that a [`Context`] gives simulated time to: it sleeps, computes, moves bytes, talks over a
//! [`channel`] and starts other processes. Processes that are woken at one date run in the order in which they were
//! woken, before the next event. Standard wakers work, so futures of other crates may be awaited too.
//!
//! ```
//! use hearth_simcore::prelude::*;
//!
//! let disk = DiskSpec::new(1_000_000_000, 100e6, 50e6);
//! let platform = PlatformBuilder::new().host("pc", HostSpec::new(2, 1e9).disk(disk)).build()?;
//! let mut simulation = ProcessSimulation::new(platform, 0);
//! simulation.spawn_on("pc", async |context| {
//!     // Three computations of a second share two cores; meanwhile the disk writes.
//!     let computations = (0..3).map(|_| context.compute(1e9));
//!     let write = context.spawn({
//!         let context = context.clone();
//!         async move { context.write(100_000_000).await.map(|()| context.now()) }
//!     });
//!     join_all(computations).await;
//!     assert_eq!(context.now(), SimTime::from_secs_f64(1.5));
//!     assert_eq!(write.await, Some(Ok(SimTime::from_secs_f64(2.0))));
//!     // The first to be ready wins; what is too slow times out.
//!     let won = race(context.sleep(SimDuration::from_secs(1)), context.read(200_000_000)).await;
//!     assert_eq!(won, Either::First(()));
//!     let slow = context.timeout(SimDuration::from_secs(5), context.compute(1e10)).await;
//!     assert!(slow.is_err());
//!     assert_eq!(context.now(), SimTime::from_secs_f64(8.0));
//!     Ok(())
//! })?;
//! simulation.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod channel;
mod combinators;
mod context;
mod executor;
mod shared;
mod waiting;

pub use combinators::{Either, join_all, race, race_all};
pub use context::{Context, WeakContext};
pub use executor::Process;
pub use waiting::{Activity, Sleep, TimedOut};

pub(crate) use executor::Executor;
pub(crate) use shared::Shared;

#[cfg(test)]
mod tests;
