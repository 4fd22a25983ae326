//! What policies see and answer, written down for who looks at a simulation: each is wrapped in another policy that passes everything on.
//! Where nobody looks, nothing is wrapped.

mod around;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use hearth_policy_api::{ContainerEvent, NodeSet, NodeView, PolicySlot, Records, RequestView};
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashSet;

use super::{Factory, PolicySet};
pub(crate) use around::Seeing;

/// A call of a policy that has answered something.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyCall {
    /// How many there had been before.
    pub number: u64,
    /// When.
    pub date: SimTime,
    /// Where the policy serves.
    pub slot: PolicySlot,
    /// The node whose storage it serves; `None` for the head's, and for who has a slot alone.
    pub storage: Option<u32>,
    /// What was called, as in `place`.
    pub method: &'static str,
    /// The invocation that it was about, if it was about one.
    pub invocation: Option<u64>,
    /// The function that it was about, if it was about one.
    pub function: Option<u32>,
    /// What it answered.
    pub answer: CallAnswer,
}

/// What a policy has answered.
#[derive(Clone, PartialEq, Debug)]
pub struct CallAnswer {
    /// In one word, as in `Wait`: that of the variant where the answer is one of several.
    pub word: &'static str,
    /// The nodes that it names.
    pub nodes: Vec<u32>,
    /// The containers or images that it names.
    pub items: Vec<u32>,
    /// A time or a date that it names, with what that is.
    pub time: Option<(&'static str, u64)>,
    /// A number that it names, with what that is.
    pub count: Option<(&'static str, u64)>,
    /// Why.
    pub reason: Option<String>,
}

impl CallAnswer {
    fn word(word: &'static str) -> Self {
        Self { word, nodes: Vec::new(), items: Vec::new(), time: None, count: None, reason: None }
    }

    fn nodes(word: &'static str, nodes: &[u32]) -> Self {
        Self { nodes: nodes.to_vec(), ..Self::word(word) }
    }
}

/// What a policy saw in a call: the last one of its slot.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CallView {
    /// The request that it was about.
    pub request: Option<RequestView>,
    /// The nodes, by number.
    pub nodes: Vec<NodeView>,
    /// Sets of nodes, with what each is.
    pub sets: Vec<(&'static str, Vec<u32>)>,
    /// Those who wait, where a policy sees all of them.
    pub queue: Vec<RequestView>,
    /// Numbers, with what each is.
    pub counts: Vec<(&'static str, u64)>,
    /// Times and dates in ns, with what each is.
    pub times: Vec<(&'static str, u64)>,
}

impl CallView {
    fn clear(&mut self) {
        self.request = None;
        self.nodes.clear();
        self.queue.clear();
        self.counts.clear();
        self.times.clear();
        self.sets.clear();
    }

    fn set_nodes(&mut self, nodes: &Records<'_, NodeView>) {
        self.nodes.extend(nodes.iter().copied());
    }

    fn set(&mut self, what: &'static str, nodes: NodeSet<'_>) {
        self.sets.push((what, nodes.iter().collect()));
    }
}

/// The calls of all policies of a service.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// How many there have been.
    count: u64,
    /// Those since the last time that they were taken.
    recent: Vec<PolicyCall>,
    /// By slot: the last one, and what the policy saw in it.
    last: BTreeMap<PolicySlot, (PolicyCall, CallView)>,
    /// What has become of containers since the last time that this was taken.
    containers: Vec<ContainerEvent>,
}

impl Calls {
    /// How many there have been.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those since [`begin`](Self::begin).
    pub fn recent(&self) -> &[PolicyCall] {
        &self.recent
    }

    /// What has become of containers since [`begin`](Self::begin).
    pub fn containers(&self) -> &[ContainerEvent] {
        &self.containers
    }

    /// The last call of a slot.
    pub fn last(&self, slot: PolicySlot) -> Option<&(PolicyCall, CallView)> {
        self.last.get(&slot)
    }

    /// Another event begins.
    pub fn begin(&mut self) {
        self.recent.clear();
        self.containers.clear();
    }
}

/// The calls, in the hands of all that write them down.
#[derive(Clone, Default)]
pub(crate) struct SharedCalls(Rc<RefCell<Calls>>);

impl fmt::Debug for SharedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the calls of policies")
    }
}

/// A call that is being written down.
struct Noted<'a> {
    date: u64,
    method: &'static str,
    invocation: Option<u64>,
    function: Option<u32>,
    answer: CallAnswer,
    view: &'a dyn Fn(&mut CallView),
}

impl SharedCalls {
    /// The calls, to be looked at.
    pub fn look(&self) -> Ref<'_, Calls> {
        self.0.borrow()
    }

    /// Another event begins.
    pub fn begin(&self) {
        self.0.borrow_mut().begin();
    }

    fn note(&self, slot: PolicySlot, storage: Option<u32>, noted: Noted<'_>) {
        let Noted { date, method, invocation, function, answer, view } = noted;
        let mut calls = self.0.borrow_mut();
        let (number, date) = (calls.count, SimTime::from_nanos(date));
        let call = PolicyCall { number, date, slot, storage, method, invocation, function, answer };
        calls.count += 1;
        let (last, seen) = calls.last.entry(slot).or_insert_with(|| (call.clone(), CallView::default()));
        last.clone_from(&call);
        seen.clear();
        view(seen);
        calls.recent.push(call);
    }

    fn note_container(&self, event: &ContainerEvent) {
        self.0.borrow_mut().containers.push(*event);
    }

    /// Has everything written down that the policies of a set are asked and answer.
    pub fn see_all(&self, mut set: PolicySet) -> PolicySet {
        let nobody = Predecessors::default;
        set.admission = self.see(&set.admission, nobody());
        set.node_allocation = self.see(&set.node_allocation, nobody());
        set.keep_alive = self.see(&set.keep_alive, nobody());
        set.containers = self.see(&set.containers, nobody());
        set.images_in_ram = self.see(&set.images_in_ram, nobody());
        set.images_on_disk = self.see(&set.images_on_disk, nobody());
        set.images_on_head = self.see(&set.images_on_head, nobody());
        set.autoscaling = set.autoscaling.map(|factory| self.see(&factory, nobody()));
        set.cluster_autoscaling = set.cluster_autoscaling.map(|factory| self.see(&factory, nobody()));
        set
    }

    /// Has everything written down that the instances of a policy are asked and answer, which do not hear of what their predecessors
    /// have decided.
    pub fn see<O: Seeing>(&self, factory: &Factory<O>, predecessors: Predecessors) -> Factory<O> {
        let (seen, inner) = (self.clone(), factory.clone());
        let mut seeing = Factory::new(factory.record.clone(), move |seat| {
            let object = inner.make(seat)?;
            Ok(O::seen(object, seat, seen.clone(), predecessors.clone()))
        });
        seeing.is_of_controller = factory.is_of_controller;
        seeing
    }
}

/// The attempts that the policy before has decided about, by their keys: one that has come later hears of their ends what it cannot
/// know what to do with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Predecessors(pub Rc<RefCell<FxHashSet<u64>>>);

impl Predecessors {
    /// Those of these keys.
    pub fn of(keys: impl IntoIterator<Item = u64>) -> Self {
        Self(Rc::new(RefCell::new(keys.into_iter().collect())))
    }

    /// Whether this one is to hear of the end of an attempt, or that it is back in the queue. It is asked about it again then.
    fn hears_of_end(&self, key: u64) -> bool {
        !self.0.borrow_mut().remove(&key)
    }

    fn hears_of_start(&self, key: u64) -> bool {
        !self.0.borrow().contains(&key)
    }
}
