//! What crosses the boundary and knows nothing of clusters: text, arrays, numbers, parameters, and what policies may call.

mod codes;
mod host;
mod parameter;
mod slices;

pub use codes::*;
pub use host::{Handle, Host, VictimSinkRecord};
pub use parameter::{Parameter, Value};
pub use slices::{Records, Slice, Text};
