//! Instances of the policy under test.

use super::alarms::Alarms;
use crate::boundary::{Called, Object, Role, Seat};
use crate::{Parameters, PolicyContext, PolicyDescriptor, PolicyKind, PolicySlot};

/// Makes instances.
pub(super) struct Subject {
    policy: PolicyDescriptor,
    kind: PolicyKind,
    parameters: Parameters,
}

impl Subject {
    /// Of a policy in one of its kinds.
    pub fn new(policy: &PolicyDescriptor, kind: PolicyKind, parameters: Parameters) -> Self {
        Self { policy: *policy, kind, parameters }
    }

    /// An instance and its timers; all have one seed.
    pub fn instance<T: Role>(&self, nodes: u32) -> Result<(Object<T>, Alarms), String> {
        let slot = match self.kind {
            PolicyKind::NodeAllocation => PolicySlot::NodeAllocation,
            PolicyKind::Eviction => PolicySlot::Containers,
            PolicyKind::Admission => PolicySlot::Admission,
            PolicyKind::KeepAlive => PolicySlot::KeepAlive,
        };
        let context = PolicyContext { slot, seed: 42, nodes, ..PolicyContext::default() };
        let alarms = Alarms::default();
        let made = self.policy.make(&self.parameters, &Seat::new(&context, alarms.orders()));
        made.map(|object| (object, alarms)).map_err(|failure| format!("cannot be made: {failure}"))
    }
}

/// The answer of a call, or what to say of its failure.
pub(super) fn answer<T>(call: &str, called: Called<T>) -> Result<T, String> {
    called.map_err(|failure| format!("failed in {call}: {failure}"))
}
