//! The boundary between `hearth` and a compiled policy: what crosses it, and what keeps each side safe from the other.
//!
//! # What a library holds
//!
//! [`export_policies!`](crate::export_policies) puts one symbol into the library,
//! `hearth_policies_<major>__<crate>`: an `abi_stable` library header that leads to one [`PolicyModule`], a list of
//! [`PolicyDescriptor`]s. A descriptor makes *objects*: `sabi_trait` objects whose methods call the policy inside
//! `catch_unwind`. The number in the symbol is the major version of this crate, and the name of the crate keeps policies
//! that are linked into one program apart.
//!
//! # What is promised across versions
//!
//! The version of this crate is the version of the interface.
//!
//! | change | version | how it is seen |
//! |---|---|---|
//! | a method at the end of a policy trait, with a default | minor | older policies get the default |
//! | a field at the end of [`PolicyModule`] or [`PolicyDescriptor`] | minor | older libraries are read without it |
//! | documentation, helpers, the test kit | patch | not at all |
//! | any view, answer or enum that crosses (`NodeView`, `Placement`, …) | major | the symbol has another number |
//! | another version of `abi_stable` with another layout | major | its header differs |
//!
//! `hearth` loads libraries of its own major version and the same or an older minor version. A newer one is refused by
//! name, since what it counts on would silently not happen. A layout that differs although the numbers agree (somebody
//! built against a changed copy) is found when the library is loaded, field by field, before anything is called.
//!
//! # What is contained, and what cannot be
//!
//! A panic in any call, whatever its payload, comes back as a [`CallFailure`]; so does one in a destructor. Answers are
//! checked by the host. Undefined behaviour in `unsafe` code of a policy, `std::process::abort`, a stack overflow and
//! running out of memory end the process, as in any Rust program. A library built with `panic = "abort"` cannot contain
//! its panics and is refused when it is loaded.

pub use abi_stable::std_types::RResult;

#[cfg(feature = "loader")]
pub mod loader;
mod module;
mod objects;
mod shim;
#[cfg(test)]
mod tests;

pub use module::{Constructor, Made, PolicyDescriptor, PolicyModule, interface_version};
#[doc(hidden)]
pub use module::{DescriptorFields, ModuleFields, export};
pub use objects::{AdmissionObject, CallFailure, Called, EvictionObject, KeepAliveObject, NodeAllocationObject};
pub use shim::{admission, eviction, keep_alive, node_allocation};

pub use crate::victims::{VictimSink, Victims};
