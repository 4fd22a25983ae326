//! What latencies are made of, for people and for programs: causes ranked over all invocations, and the story of one.

pub mod call;
pub mod ranking;
pub mod story;
pub mod totals;
pub mod without;
