//! The calls of policies for who looks at a simulation between its events.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use hearth_policy_api::{ContainerEvent, PolicySlot};

use super::{CallView, Decision, Seen};

/// The calls of all policies of a service in which something was decided: answered, or asked for besides.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// How many there have been.
    count: u64,
    /// Those since [`SharedCalls::begin`].
    recent: Vec<Decision>,
    /// The last one of each slot before these.
    last: BTreeMap<PolicySlot, Decision>,
    /// By slot: what the policy saw in the last one.
    views: BTreeMap<PolicySlot, CallView>,
    /// What has become of containers since [`SharedCalls::begin`].
    containers: Vec<ContainerEvent>,
}

impl Calls {
    /// How many there have been.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those of the last event.
    pub fn recent(&self) -> &[Decision] {
        &self.recent
    }

    /// What has become of containers in the last event.
    pub fn containers(&self) -> &[ContainerEvent] {
        &self.containers
    }

    /// The last call of a slot, and what the policy saw in it.
    pub fn last(&self, slot: PolicySlot) -> Option<(&Decision, &CallView)> {
        let recent = self.recent.iter().rfind(|decision| decision.slot == slot);
        Some((recent.or_else(|| self.last.get(&slot))?, self.views.get(&slot)?))
    }
}

/// The calls, in the hands of who notes them and who looks at them.
#[derive(Clone, Default)]
pub(crate) struct SharedCalls(Rc<RefCell<Calls>>);

impl fmt::Debug for SharedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the calls of policies")
    }
}

impl SharedCalls {
    /// The calls, to be looked at.
    pub fn look(&self) -> Ref<'_, Calls> {
        self.0.borrow()
    }

    /// Another event begins.
    pub fn begin(&self) {
        let Calls { recent, last, containers, .. } = &mut *self.0.borrow_mut();
        last.extend(recent.drain(..).map(|decision| (decision.slot, decision)));
        containers.clear();
    }

    /// Notes what has become of a container.
    pub fn note_container(&self, event: &ContainerEvent) {
        self.0.borrow_mut().containers.push(*event);
    }

    /// Notes a call. How an instance is made, and what it wants to hear, decides nothing.
    pub(super) fn note(&self, decision: Decision, seen: &Seen<'_>) {
        if matches!(seen, Seen::Nothing | Seen::Context(_)) {
            return;
        }
        let calls = &mut *self.0.borrow_mut();
        calls.count += 1;
        calls.views.entry(decision.slot).or_default().keep(seen);
        calls.recent.push(decision);
    }
}
