//! The service itself. An invocation walks through these files in this order: [`head`] (request, admission),
//! [`images`] (download), [`scheduling`] (node allocation), [`images`] (copy, load), [`dispatch`] (container),
//! [`running`] (body), [`completion`].

mod arrivals;
pub(crate) mod attempts;
mod backfilling;
pub(crate) mod batch;
mod builder;
mod completion;
mod costs;
mod dispatch;
pub(crate) mod event;
mod faults;
mod head;
mod hedging;
mod images;
mod in_turn;
mod links;
mod prewarming;
mod progress;
mod recovering;
mod replication;
mod retrying;
pub(crate) mod running;
mod sandbox;
mod scheduling;
pub(crate) mod state;
mod unfinished;
mod workflows;

pub use backfilling::Backfilling;
pub(crate) use builder::Ended;
pub use builder::{ServerlessComputeService, ServiceBuilder};
pub use progress::DEFAULT_EVENTS_WITHOUT_PROGRESS;
pub(crate) use state::Service;
