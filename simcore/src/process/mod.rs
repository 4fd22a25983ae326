//! Processes: `async` Rust on simulated time, one thread, in a deterministic order.
//!
//! A process is a future that a [`Context`] gives simulated time to: it sleeps, computes, moves bytes, talks over a
//! [`channel`] and starts other processes. Processes that are woken at one date run in the order in which they were
//! woken, before the next event. Standard wakers work, so futures of other crates may be awaited too.

pub mod channel;
mod combinators;
mod context;
mod executor;
mod waiting;

pub use combinators::{Either, join_all, race, race_all};
pub use context::{Context, WeakContext};
pub use executor::Process;
pub use waiting::{Activity, Sleep, TimedOut};

pub(crate) use executor::Executor;
