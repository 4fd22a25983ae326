//! What results look like outside: the summary and the table of invocations.

mod invocations;
mod summary;

pub use invocations::write_invocations;
pub use summary::{Summary, TimeSummary};
