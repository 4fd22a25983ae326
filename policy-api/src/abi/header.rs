//! What a library exports, and what an instance of a policy is made with.

#![allow(unsafe_code)]

use std::fmt;

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use super::{
    AdmissionTable, AutoscalingTable, EvictionTable, KeepAliveTable, NodeAllocationTable, Parameter, Records, Slice,
    Text, Value,
};
use crate::PolicyContext;

/// The major version of the interface.
pub const INTERFACE_MAJOR: u32 = 2;
/// The minor version of the interface.
pub const INTERFACE_MINOR: u32 = 1;

/// What the name of the symbol begins with that a library exports: a [`Library`](super::Library). A library in C has this name itself;
/// crates put two underscores and their name behind it, so that many can be linked into one program.
pub const ENTRY_SYMBOL: &str = "hearth_policies_2";

/// What is read of a library before any of its code runs.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct LibraryHeader {
    /// Size of this record in bytes.
    pub size: u32,
    /// The major version of the interface that the library was built for.
    pub major: u32,
    /// The minor version of the interface that the library was built for.
    pub minor: u32,
    /// The least minor version of the host that the library can do with.
    pub needs_minor: u32,
    /// 1 if a failure that unwinds the stack ends the process (`panic = "abort"`), else 0.
    pub aborts: u32,
    /// How many numbers `HEARTH_LAYOUT` had when the library was built.
    pub layout_length: u32,
    /// The policies: addresses of records, one behind the other.
    pub policies: Slice<'static, &'static PolicyRecord>,
    /// Called once after the library has been opened, before anything else of it; may be null.
    pub prepare: Option<unsafe extern "C" fn()>,
    /// For libraries in Rust: where `abi_stable`'s description of all records lies. Null in others.
    pub described: *const (),
}

/// A policy: what it is called, what can be set, how it is made, and the roles it has.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct PolicyRecord {
    /// Size of this record in bytes.
    pub size: u32,
    /// What the policy does not promise, as `HEARTH_NOT_…` added up.
    pub not_promised: u32,
    /// The name that scenarios use, in kebab case.
    pub name: Text,
    /// Semantic version.
    pub version: Text,
    /// One line.
    pub description: Text,
    /// What can be set.
    pub parameters: Records<'static, Parameter>,
    /// Makes an instance from the values of the parameters, in their order, and writes it to `policy`. The instance must be
    /// fit to be used by the thread that made it.
    pub create: Option<
        unsafe extern "C" fn(context: *const PolicyContext, values: Slice<'_, Value>, policy: *mut *mut ()) -> u32,
    >,
    /// Ends an instance. Nothing is called for it afterwards.
    pub destroy: Option<unsafe extern "C" fn(policy: *mut ())>,
    /// Where an invocation runs, if the policy says that.
    pub node_allocation: Option<&'static NodeAllocationTable>,
    /// Which idle containers or images go, if the policy says that.
    pub eviction: Option<&'static EvictionTable>,
    /// Which requests are let in, if the policy says that.
    pub admission: Option<&'static AdmissionTable>,
    /// How long idle containers stay, if the policy says that.
    pub keep_alive: Option<&'static KeepAliveTable>,
    /// How many instances functions have, or nodes pools, if the policy says that. Since 2.1.
    pub autoscaling: Option<&'static AutoscalingTable>,
}

// SAFETY: nothing in it changes.
unsafe impl Sync for PolicyRecord {}
// SAFETY: as above.
unsafe impl Send for PolicyRecord {}

impl fmt::Debug for PolicyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyRecord")
    }
}

impl fmt::Debug for LibraryHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryHeader").field("major", &self.major).field("minor", &self.minor).finish_non_exhaustive()
    }
}
