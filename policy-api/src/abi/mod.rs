//! What crosses the boundary, as C sees it: records, tables of functions, and the one symbol that leads to them.
//!
//! `include/hearth_policy.h` is made of these types, and `docs/policy-abi.md` is the contract in words. Authors of policies in
//! Rust need none of it: [`export_policies!`](crate::export_policies) writes it for them.
//!
//! A record begins with its size in bytes, as whoever has made it knows it. New fields are added at the end, so that of two
//! sides each knows what the other one has. What has no size at its beginning ([`Text`], [`Slice`], [`Records`], [`Value`],
//! [`NodeSet`](crate::NodeSet)) never changes.

mod header;
mod layout;
mod library;
mod tables;

pub use crate::primitives::*;
pub use header::{ENTRY_SYMBOL, INTERFACE_MAJOR, INTERFACE_MINOR, LibraryHeader, PolicyRecord};
pub use layout::{FIELDS, Field, LAYOUT, LAYOUT_LENGTH};
pub use library::Library;
pub use tables::{
    AdmissionAnswer, AdmissionTable, AutoscalingTable, EvictionTable, KeepAliveTable, NodeAllocationTable,
    PlacementAnswer, PlanItemRecord, PlanSink, PoolScaleAnswer, PrewarmingAnswer, RetentionAnswer, ScaleAnswer,
    ShedAnswer,
};

/// A call has come to an answer.
pub const OK: u32 = 0;
/// A call has failed: why, it has told the host by `fail`.
pub const FAILED: u32 = 1;
