//! How the host is to ask a policy, as one number.

use crate::abi::{
    RULE_ADMITS_ALL, RULE_ANSWERS_HOLD, RULE_ASKED_ON_REQUESTS, RULE_CHOOSES_SOURCES, RULE_HEARS_LATE, RULE_HEDGES,
    RULE_OBSERVES, RULE_OBSERVES_ARRIVALS, RULE_OBSERVES_CONTAINERS, RULE_OBSERVES_ENDS, RULE_PER_ROUND, RULE_QUEUES,
    RULE_RANKS, RULE_SCALES_POOLS, RULE_SEES_HISTORY, RULE_SEES_WORKFLOWS, RULE_SHEDS,
};
use crate::{AdmissionRules, AllocationRules, AutoscalingRules, Commitment, EvictionRules, KeepAliveRules};

/// The bit of a rule that holds.
const fn bit(holds: bool, bit: u32) -> u32 {
    if holds { bit } else { 0 }
}

/// Rules of a kind of policy.
pub(super) trait Rules: Sized {
    /// All bits that this kind of policy can set.
    const KNOWN: u32;

    fn to_bits(self) -> u32;
    fn of_bits(bits: u32) -> Self;
}

impl Rules for AllocationRules {
    const KNOWN: u32 = RULE_PER_ROUND
        | RULE_OBSERVES
        | RULE_OBSERVES_ENDS
        | RULE_RANKS
        | RULE_ANSWERS_HOLD
        | RULE_SEES_HISTORY
        | RULE_SHEDS
        | RULE_OBSERVES_CONTAINERS
        | RULE_HEDGES
        | RULE_SEES_WORKFLOWS
        | RULE_CHOOSES_SOURCES
        | RULE_QUEUES;

    fn to_bits(self) -> u32 {
        bit(self.commitment == Commitment::PerRound, RULE_PER_ROUND)
            | bit(self.observes, RULE_OBSERVES)
            | bit(self.observes_ends, RULE_OBSERVES_ENDS)
            | bit(self.ranks, RULE_RANKS)
            | bit(self.answers_hold, RULE_ANSWERS_HOLD)
            | bit(self.sees_history, RULE_SEES_HISTORY)
            | bit(self.sheds, RULE_SHEDS)
            | bit(self.observes_containers, RULE_OBSERVES_CONTAINERS)
            | bit(self.sees_workflows, RULE_SEES_WORKFLOWS)
            | bit(self.chooses_sources, RULE_CHOOSES_SOURCES)
            | bit(self.hedges, RULE_HEDGES)
            | bit(self.queues, RULE_QUEUES)
    }

    fn of_bits(bits: u32) -> Self {
        Self {
            commitment: if bits & RULE_PER_ROUND != 0 { Commitment::PerRound } else { Commitment::UntilStarted },
            observes: bits & RULE_OBSERVES != 0,
            observes_ends: bits & RULE_OBSERVES_ENDS != 0,
            ranks: bits & RULE_RANKS != 0,
            answers_hold: bits & RULE_ANSWERS_HOLD != 0,
            sees_history: bits & RULE_SEES_HISTORY != 0,
            sheds: bits & RULE_SHEDS != 0,
            observes_containers: bits & RULE_OBSERVES_CONTAINERS != 0,
            sees_workflows: bits & RULE_SEES_WORKFLOWS != 0,
            chooses_sources: bits & RULE_CHOOSES_SOURCES != 0,
            hedges: bits & RULE_HEDGES != 0,
            queues: bits & RULE_QUEUES != 0,
        }
    }
}

impl Rules for EvictionRules {
    const KNOWN: u32 = RULE_OBSERVES_CONTAINERS | RULE_HEARS_LATE;

    fn to_bits(self) -> u32 {
        bit(self.observes_containers, RULE_OBSERVES_CONTAINERS) | bit(self.hears_late, RULE_HEARS_LATE)
    }

    fn of_bits(bits: u32) -> Self {
        Self { observes_containers: bits & RULE_OBSERVES_CONTAINERS != 0, hears_late: bits & RULE_HEARS_LATE != 0 }
    }
}

impl Rules for AdmissionRules {
    const KNOWN: u32 =
        RULE_OBSERVES_ENDS | RULE_ADMITS_ALL | RULE_SEES_HISTORY | RULE_OBSERVES_CONTAINERS | RULE_SEES_WORKFLOWS;

    fn to_bits(self) -> u32 {
        bit(self.observes_ends, RULE_OBSERVES_ENDS)
            | bit(self.admits_all, RULE_ADMITS_ALL)
            | bit(self.sees_history, RULE_SEES_HISTORY)
            | bit(self.observes_containers, RULE_OBSERVES_CONTAINERS)
            | bit(self.sees_workflows, RULE_SEES_WORKFLOWS)
    }

    fn of_bits(bits: u32) -> Self {
        Self {
            observes_ends: bits & RULE_OBSERVES_ENDS != 0,
            admits_all: bits & RULE_ADMITS_ALL != 0,
            sees_history: bits & RULE_SEES_HISTORY != 0,
            observes_containers: bits & RULE_OBSERVES_CONTAINERS != 0,
            sees_workflows: bits & RULE_SEES_WORKFLOWS != 0,
        }
    }
}

impl Rules for KeepAliveRules {
    const KNOWN: u32 = RULE_OBSERVES_ARRIVALS | RULE_SEES_HISTORY | RULE_OBSERVES_CONTAINERS | RULE_SEES_WORKFLOWS;

    fn to_bits(self) -> u32 {
        bit(self.observes_arrivals, RULE_OBSERVES_ARRIVALS)
            | bit(self.sees_history, RULE_SEES_HISTORY)
            | bit(self.observes_containers, RULE_OBSERVES_CONTAINERS)
            | bit(self.sees_workflows, RULE_SEES_WORKFLOWS)
    }

    fn of_bits(bits: u32) -> Self {
        Self {
            observes_arrivals: bits & RULE_OBSERVES_ARRIVALS != 0,
            sees_history: bits & RULE_SEES_HISTORY != 0,
            observes_containers: bits & RULE_OBSERVES_CONTAINERS != 0,
            sees_workflows: bits & RULE_SEES_WORKFLOWS != 0,
        }
    }
}

impl Rules for AutoscalingRules {
    const KNOWN: u32 = RULE_ASKED_ON_REQUESTS | RULE_OBSERVES_CONTAINERS | RULE_SCALES_POOLS;

    /// All but the period, which crosses by itself.
    fn to_bits(self) -> u32 {
        bit(self.asked_on_requests, RULE_ASKED_ON_REQUESTS)
            | bit(self.observes_containers, RULE_OBSERVES_CONTAINERS)
            | bit(self.scales_pools, RULE_SCALES_POOLS)
    }

    fn of_bits(bits: u32) -> Self {
        Self {
            asked_on_requests: bits & RULE_ASKED_ON_REQUESTS != 0,
            observes_containers: bits & RULE_OBSERVES_CONTAINERS != 0,
            scales_pools: bits & RULE_SCALES_POOLS != 0,
            ..Self::default()
        }
    }
}
