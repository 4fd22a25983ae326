//! The boundary between `hearth` and a compiled policy: what keeps each side safe from the other.
//!
//! What crosses it is C: records and tables of functions ([`abi`](crate::abi)), to which one symbol of a library leads,
//! `hearth_policies_2`. [`export_policies!`](crate::export_policies) writes it for the policies of a crate in Rust; policies that
//! are built in are called through the same tables. `docs/policy-abi.md` is the contract.
//!
//! # What is promised across versions
//!
//! The version of this crate is the version of the interface.
//!
//! | change | version | how it is seen |
//! |---|---|---|
//! | a field at the end of a record or of a table, a rule, a kind of answer | minor | records begin with their size |
//! | a kind of parameter | minor | an earlier host refuses it by its number |
//! | a method of a policy trait, with a default | minor | older policies get the default |
//! | documentation, helpers, the test kit | patch | not at all |
//! | any other change of a record, a table or a number | major | the symbol has another number |
//!
//! A library of 2.n runs in every `hearth` of 2.n and later, and in earlier ones if it says that it can do with them
//! (`needs_minor`). The least version it needs, and where all fields of all records lie, is read from the file before any code
//! of the library runs; a difference is named. Libraries in Rust carry the types of fields, too, if built with the feature
//! `abi_stable` (the default).
//!
//! # What is contained, and what cannot be
//!
//! A panic in any call of a policy in Rust, whatever its payload, comes back as a [`CallFailure`]; so does one in a destructor.
//! Answers are checked by the host. What a library says, in reasons, errors and panics, is cleaned of control characters and cut to
//! [`SAID_AT_MOST`] characters before anybody shows it. Undefined behaviour, `std::process::abort`, a stack overflow and running out of memory end the
//! process, as in any program. A library built with `panic = "abort"` cannot contain its panics and is refused.

mod described;
mod descriptor;
mod failure;
#[cfg(feature = "loader")]
#[clippy::msrv = "1.88"]
pub mod loader;
mod objects;
mod rules;
mod said;
mod seat;
mod shim;
#[cfg(test)]
mod tests;

pub use descriptor::{PolicyDescriptor, interface_version};
#[doc(hidden)]
pub use descriptor::{library, without_roles};
pub use failure::{CallFailure, Called, fail};
pub use objects::{
    AdmissionObject, AutoscalingObject, EvictionObject, Instance, KeepAliveObject, NodeAllocationObject, Object, Role,
    admission, autoscaling, batch_allocation, eviction, keep_alive, node_allocation,
};
pub use said::SAID_AT_MOST;
pub use seat::{Logged, Order, Ordered, Orders, Seat};
#[doc(hidden)]
pub use shim::tables;

pub use crate::containers::{AskedContainers, ContainerSource, ContainersOf};
pub use crate::victims::{VictimSink, Victims};
