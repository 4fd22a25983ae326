use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use crate::RequestView;

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionView {
    pub now: u64,
    pub waiting: u64,
    pub waiting_of_function: u64,
    pub running: u64,
    pub running_of_function: u64,
    pub free_cores: u64,
    pub delays: u32,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub enum AdmissionDecision {
    Admit,
    Delay(u64),
    Reject(RString),
}

pub trait Admission {
    fn admit(&mut self, request: &RequestView, load: &AdmissionView) -> AdmissionDecision;
}
