use std::fmt;

use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use crate::{ParameterSpec, Parameters};

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    NodeAllocation,
    Eviction,
    Admission,
    KeepAlive,
}

impl PolicyKind {
    pub const ALL: [PolicyKind; 4] = [Self::NodeAllocation, Self::Eviction, Self::Admission, Self::KeepAlive];
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeAllocation => "node allocation",
            Self::Eviction => "eviction",
            Self::Admission => "admission",
            Self::KeepAlive => "keep-alive",
        })
    }
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyContext {
    pub seed: u64,
    pub nodes: u32,
}

#[repr(transparent)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(RString);

impl PolicyError {
    pub fn new(cause: impl Into<String>) -> Self {
        Self(RString::from(cause.into()))
    }
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    pub work_conserving: bool,
    pub respects_capacity: bool,
    pub lets_in_when_idle: bool,
}

impl Claims {
    pub const ALL: Self = Self { work_conserving: true, respects_capacity: true, lets_in_when_idle: true };
}

pub trait Policy: Sized {
    const NAME: &'static str;
    const VERSION: &'static str;
    const DESCRIPTION: &'static str;
    const PARAMETERS: &'static [ParameterSpec] = &[];
    const CLAIMS: Claims = Claims::ALL;

    fn new(parameters: &Parameters, context: &PolicyContext) -> Result<Self, PolicyError>;
}

pub fn nanos(seconds: f64) -> u64 {
    assert!(seconds >= 0.0, "a time of {seconds} s was given: times are not negative");
    (seconds * 1e9).round() as u64
}
