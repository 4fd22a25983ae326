//! Calls a policy again as a log of decisions says that one was called, without a simulation, and compares the answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, CallFailure, Called, EvictionObject, KeepAliveObject, NodeAllocationObject,
    Orders, Seat, VictimSink, Victims,
};
use hearth_policy_api::{NONE, Offer, ParameterSpec, PolicyContext, PolicyDescriptor, PolicyKind, PolicySlot};
use serde_json::Value;

use super::given::as_told;
use super::{Catalog, Controller, Factory, FoundPolicy, PolicyChoice, SelectionError};
use crate::decisions::{
    Answered, Decision, DecisionLog, DecisionsHeader, Held, LogError, LoggedPolicy, Offered, Seen, Views, order,
};

/// Why decisions cannot be made again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log has no views to show again.
    #[error("has {} of what calls showed, from which no call can be made again: write it with full views", _0)]
    Views(&'static str),
    /// There is no such policy, or a parameter does not suit it.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// There is no policy of that name of a kind that is in the log.
    #[error("there is no policy {0:?} of a kind that is asked there: `hearth policies` lists those there are")]
    NoPolicy(String),
    /// It is not clear in which slot the policy is to serve.
    #[error(
        "no policy in the log is called {name}: name one of the slots {slots}, to have it asked what that one was asked"
    )]
    NoSlot {
        /// The policy.
        name: String,
        /// The slots of its kinds that are in the log.
        slots: String,
    },
    /// Nobody was in a slot.
    #[error("nobody is in policies.{} there: the log has {slots}", slot.path())]
    EmptySlot {
        /// The slot that was named.
        slot: PolicySlot,
        /// The slots that are in the log.
        slots: String,
    },
}

/// Which policy is called again, and where.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// The policy. Parameters that are not given are those of the log, where that has the policy in the slot, or else their defaults.
    pub policy: PolicyChoice,
    /// The slot in which it serves; without one all those in which the log has a policy of its name, or the only one of its kind.
    pub slot: Option<PolicySlot>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The policy and its version.
    pub policy: String,
    /// The slots in which it served.
    pub slots: Vec<PolicySlot>,
    /// How many calls were made again and came to the same.
    pub same: u64,
    /// The first call that did not.
    pub difference: Option<Box<Difference>>,
}

/// A call that comes to something else.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The call, and what was answered then.
    pub then: Decision,
    /// What is answered now.
    pub now: Decision,
}

/// A policy that can be called again.
enum Found {
    /// One of the program itself, by its name.
    Own(String),
    Described(PolicyDescriptor),
}

impl Found {
    fn of(catalog: &Catalog, kind: PolicyKind, choice: &PolicyChoice) -> Result<Self, SelectionError> {
        if catalog.is_own(kind, choice) {
            return Ok(Self::Own(choice.name.clone().unwrap_or_default()));
        }
        catalog.find(kind, choice).map(|FoundPolicy { descriptor, .. }| Self::Described(descriptor))
    }

    fn name(&self) -> &str {
        match self {
            Self::Own(name) => name,
            Self::Described(descriptor) => descriptor.name(),
        }
    }
}

/// An instance in its slot.
enum Object {
    NodeAllocation(NodeAllocationObject),
    Eviction(EvictionObject),
    Admission(AdmissionObject),
    KeepAlive(KeepAliveObject),
    Autoscaling(AutoscalingObject),
}

/// Makes instances for a slot.
enum Maker {
    NodeAllocation(Factory<NodeAllocationObject>),
    Eviction(Factory<EvictionObject>),
    Admission(Factory<AdmissionObject>),
    KeepAlive(Factory<KeepAliveObject>),
    Autoscaling(Factory<AutoscalingObject>),
}

impl Maker {
    fn of_catalog(catalog: &Catalog, kind: PolicyKind, choice: PolicyChoice) -> Result<Self, SelectionError> {
        Ok(match kind {
            PolicyKind::NodeAllocation => Self::NodeAllocation(catalog.node_allocation(choice)?),
            PolicyKind::Eviction => Self::Eviction(catalog.eviction(choice)?),
            PolicyKind::Admission => Self::Admission(catalog.admission(choice)?),
            PolicyKind::KeepAlive => Self::KeepAlive(catalog.keep_alive(choice)?),
            PolicyKind::Autoscaling => Self::Autoscaling(catalog.autoscaling(choice)?),
        })
    }

    fn of_controller(controller: &Controller, kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::NodeAllocation => Self::NodeAllocation(controller.factory()),
            PolicyKind::Eviction => Self::Eviction(controller.factory()),
            PolicyKind::Admission => Self::Admission(controller.factory()),
            PolicyKind::KeepAlive => Self::KeepAlive(controller.factory()),
            PolicyKind::Autoscaling => Self::Autoscaling(controller.factory()),
        }
    }

    fn make(&self, seat: &Seat) -> Called<Object> {
        Ok(match self {
            Self::NodeAllocation(factory) => Object::NodeAllocation(factory.make(seat)?),
            Self::Eviction(factory) => Object::Eviction(factory.make(seat)?),
            Self::Admission(factory) => Object::Admission(factory.make(seat)?),
            Self::KeepAlive(factory) => Object::KeepAlive(factory.make(seat)?),
            Self::Autoscaling(factory) => Object::Autoscaling(factory.make(seat)?),
        })
    }
}

impl Replay {
    /// Makes all calls of the log again that the policy was asked, up to the first that comes to something else.
    ///
    /// ```
    /// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
    /// # use hearth_serverless::decisions::{DecisionLog, DecisionWriter, Observation, Views, WrittenAs};
    /// use hearth_serverless::policy::{PolicyChoice, Replay};
    /// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
    /// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
    /// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
    /// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "500ms"}]}]}}"#)?;
    /// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("decisions.jsonl");
    /// # let observation = Observation { decisions: Some(Views::Full), ..Observation::default() };
    /// # let writer = DecisionWriter::new(Box::new(std::fs::File::create(&path)?), WrittenAs::Text);
    /// # Experiment::prepare_observed(&scenario, &catalog, &observation)?.decide_into(Box::new(writer))?.run()?;
    /// let log = DecisionLog::new(Box::new(std::io::BufReader::new(std::fs::File::open(&path)?)))?;
    /// let replayed = Replay { policy: PolicyChoice::named("fixed"), slot: None }.run(&catalog, log)?;
    /// // It is made, says its rules, and is asked how long the container is kept.
    /// assert_eq!((replayed.same, replayed.difference.is_none()), (3, true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the log cannot be read or has no full views, or there is no such policy for it.
    pub fn run(&self, catalog: &Catalog, log: DecisionLog) -> Result<Replayed, ReplayError> {
        match log.header().views {
            Views::Full => {}
            Views::Hash => return Err(ReplayError::Views("hashes")),
            Views::None => return Err(ReplayError::Views("nothing")),
        }
        let header = log.header().clone();
        let (makers, policy) = self.makers(catalog, &header)?;
        let mut replayed = Replayed { policy, slots: makers.keys().copied().collect(), same: 0, difference: None };
        let mut stage = Stage { makers, nodes: header.nodes.len(), orders: Rc::default(), objects: BTreeMap::new() };
        for decision in log {
            let then = decision?;
            if !stage.makers.contains_key(&then.slot) {
                continue;
            }
            let now = stage.call(&then).map_err(|problem| LogError { line: then.number + 1, problem })?;
            if then.differs_from(&now) {
                replayed.difference = Some(Box::new(Difference { then, now }));
                break;
            }
            replayed.same += 1;
        }
        Ok(replayed)
    }

    /// What makes the instances of each slot, and what the policies are called.
    fn makers(
        &self,
        catalog: &Catalog,
        header: &DecisionsHeader,
    ) -> Result<(BTreeMap<PolicySlot, Maker>, String), ReplayError> {
        let (mut makers, mut controllers) = (BTreeMap::new(), BTreeMap::new());
        let mut names = BTreeSet::new();
        for (logged, found) in self.found(catalog, header)? {
            let slot = logged.slot;
            let descriptor = match found {
                Found::Own(name) => {
                    let choice = PolicyChoice { name: Some(name.clone()), ..self.policy.clone() };
                    makers.insert(slot, Maker::of_catalog(catalog, slot.kind(), choice)?);
                    names.insert(name);
                    continue;
                }
                Found::Described(descriptor) => descriptor,
            };
            let name = descriptor.name();
            names.insert(format!("{name} {}", descriptor.version()));
            let choice = self.choice(name, &descriptor.parameters(), logged);
            let maker = if logged.controller && descriptor.kinds().count() > 1 {
                let controller = match controllers.entry(name) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(catalog.controller(choice)?),
                };
                Maker::of_controller(controller, slot.kind())
            } else {
                Maker::of_catalog(catalog, slot.kind(), choice)?
            };
            makers.insert(slot, maker);
        }
        Ok((makers, names.into_iter().collect::<Vec<_>>().join(", ")))
    }

    /// Which policy serves in which slots of the log.
    fn found<'a>(
        &self,
        catalog: &Catalog,
        header: &'a DecisionsHeader,
    ) -> Result<Vec<(&'a LoggedPolicy, Found)>, ReplayError> {
        let in_words = |slots: &[&LoggedPolicy]| {
            let paths: Vec<&str> = slots.iter().map(|logged| logged.slot.path()).collect();
            if paths.is_empty() { "none".to_owned() } else { paths.join(", ") }
        };
        // The slots of a controller have one instance: who is asked in one of them must hear what it was told in the others.
        let is_named = |logged: &LoggedPolicy| self.slot.is_none_or(|slot| slot == logged.slot);
        let of_controller = header.policies.iter().any(|logged| is_named(logged) && logged.controller);
        let named = |logged: &&LoggedPolicy| is_named(logged) || (of_controller && logged.controller);
        let slots: Vec<&LoggedPolicy> = header.policies.iter().filter(named).collect();
        if let (Some(slot), []) = (self.slot, slots.as_slice()) {
            return Err(ReplayError::EmptySlot { slot, slots: in_words(&header.policies.iter().collect::<Vec<_>>()) });
        }
        // The policy that was there, maybe in another build.
        let is_called_so = |logged: &&&LoggedPolicy| self.policy.name.as_ref().is_none_or(|name| *name == logged.name);
        let again = |logged: &&'a LoggedPolicy| {
            let choice = PolicyChoice { name: Some(logged.name.clone()), ..self.policy.clone() };
            Some((*logged, Found::of(catalog, logged.slot.kind(), &choice).ok()?))
        };
        let found: Vec<_> = slots.iter().filter(is_called_so).filter_map(again).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // Another one, where it is clear in whose place.
        let mut problem = None;
        let mut found = Vec::new();
        for logged in &slots {
            match Found::of(catalog, logged.slot.kind(), &self.policy) {
                Ok(policy) => found.push((*logged, policy)),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        match (found.as_slice(), problem) {
            ([_], _) => Ok(found),
            ([], Some(SelectionError::Unknown { name, .. })) => Err(ReplayError::NoPolicy(name)),
            ([], Some(error)) => Err(error.into()),
            _ => {
                let slots: Vec<&LoggedPolicy> = found.iter().map(|(logged, _)| *logged).collect();
                let name = found.first().map_or("it", |(_, found)| found.name()).to_owned();
                Err(ReplayError::NoSlot { name, slots: in_words(&slots) })
            }
        }
    }

    /// The policy with the parameters of the log, if it has that policy there, but for those that are given.
    fn choice(&self, name: &str, specs: &[ParameterSpec], logged: &LoggedPolicy) -> PolicyChoice {
        let mut choice = PolicyChoice { name: Some(name.to_owned()), ..self.policy.clone() };
        if logged.name == name {
            for ParameterSpec { name, kind, .. } in specs {
                if let (Some(told), None) = (logged.parameters.get(name), choice.parameters.get(name)) {
                    choice.parameters.insert(name.clone(), as_told(kind, told));
                }
            }
        }
        choice
    }
}

/// The policy's instances.
struct Stage {
    makers: BTreeMap<PolicySlot, Maker>,
    nodes: usize,
    orders: Rc<Orders>,
    objects: BTreeMap<(PolicySlot, u32), Object>,
}

impl Stage {
    /// Makes a call again; what comes of it is written as the call was.
    fn call(&mut self, then: &Decision) -> Result<Decision, String> {
        let held = Held::read(then, self.nodes)?;
        let (slot, storage) = (then.slot, then.storage.unwrap_or(NONE));
        // What was asked for in calls before is nothing to this one.
        self.orders.take();
        let answer = held.lend(|seen| {
            let answer = match seen {
                Seen::Context(context) => self.make(slot, storage, context),
                seen => match self.objects.get_mut(&(slot, storage)) {
                    Some(object) => object.call(&then.method, seen, &then.answer),
                    None => Err(CallFailure { cause: "nobody was made for it".to_owned() }),
                },
            }?;
            let asked = seen.asked_nodes();
            match asked.iter().find(|node| !held.known_nodes().contains(node)) {
                None => Ok(answer),
                Some(node) => {
                    let cause = format!(
                        "asks for the containers of node {node}, of which the log does not tell, and answers {answer}"
                    );
                    Err(CallFailure { cause })
                }
            }
        });
        let orders = self.orders.take().iter().map(|ordered| order(&ordered.order)).collect();
        let (answer, failed) = match answer {
            Ok(answer) => (answer, None),
            Err(failure) => (Value::Null, Some(failure.cause)),
        };
        let log = Vec::new();
        Ok(Decision { answer, failed, orders, log, took_ns: None, ..then.clone() })
    }

    fn make(&mut self, slot: PolicySlot, storage: u32, context: &PolicyContext) -> Called<Value> {
        let PolicyContext { seed, nodes, node, ram, disk, .. } = *context;
        let seat =
            Seat::new(&PolicyContext { slot, seed, nodes, node, ram, disk, ..PolicyContext::default() }, &self.orders);
        if let Some(maker) = self.makers.get(&slot) {
            let object = maker.make(&seat)?;
            self.objects.insert((slot, storage), object);
        }
        Ok(Value::Null)
    }
}

fn written(answer: impl Answered) -> Value {
    answer.written()
}

/// What a method is called with that it does not have.
fn not_one_of(method: &str) -> CallFailure {
    CallFailure { cause: format!("{method} is no method of its kind of policy") }
}

impl Object {
    /// Calls a method as it was called.
    fn call(&mut self, method: &str, seen: &Seen<'_>, then: &Value) -> Called<Value> {
        match self {
            Self::NodeAllocation(object) => of_node_allocation(object, method, seen),
            Self::Eviction(object) => of_eviction(object, method, seen, then),
            Self::Admission(object) => of_admission(object, method, seen),
            Self::KeepAlive(object) => of_keep_alive(object, method, seen),
            Self::Autoscaling(object) => of_autoscaling(object, method, seen),
        }
    }
}

fn of_node_allocation(object: &mut NodeAllocationObject, method: &str, seen: &Seen<'_>) -> Called<Value> {
    match (method, seen) {
        ("rules", _) => object.rules().map(written),
        (_, Seen::Place(request, cluster, _)) => object.place(request, cluster).map(written),
        (_, Seen::Batch(batch, _)) => {
            let mut plan = Vec::new();
            object.plan(batch, &mut plan).map(|()| written(plan))
        }
        (_, Seen::Rank(request, now)) => object.rank(request, *now).map(written),
        (_, Seen::Node(node, view, up)) => object.observe(*node, view, *up).map(written),
        (_, Seen::Link(link)) => object.observe_link(link).map(written),
        (_, Seen::End(end)) => object.on_end(end).map(written),
        (_, Seen::Queue(queue)) => object.shed(queue).map(written),
        (_, Seen::Copy(copy)) => object.source(copy).map(written),
        (_, Seen::DelayedStart(start)) => object.on_delayed_start(start).map(written),
        (_, Seen::Workflow(workflow)) => object.on_workflow(workflow).map(written),
        (_, Seen::Container(event)) => object.on_container(event).map(written),
        (_, Seen::Timer(timer, cluster, _)) => object.on_timer(*timer, cluster).map(written),
        _ => Err(not_one_of(method)),
    }
}

fn of_eviction(object: &mut EvictionObject, method: &str, seen: &Seen<'_>, then: &Value) -> Called<Value> {
    match (method, seen) {
        ("rules", _) => object.rules().map(written),
        (_, Seen::Item(item)) => object.insert(item).map(written),
        (_, Seen::Touched(id, touch, now)) => object.touch(*id, *touch, *now).map(written),
        (_, Seen::Removed(id, removal, now)) => object.remove(*id, *removal, *now).map(written),
        (_, Seen::Need(need)) => {
            let mut again = Again::new(then);
            object.choose(need, &mut Victims::new(&mut again)).map(|()| written(again.offered))
        }
        (_, Seen::Created(item, creation)) => object.created(item, *creation).map(written),
        (_, Seen::Ended(id, now)) => object.ended(*id, *now).map(written),
        (_, Seen::EvictionTimer(timer, now)) => object.on_timer(*timer, *now).map(written),
        _ => Err(not_one_of(method)),
    }
}

fn of_admission(object: &mut AdmissionObject, method: &str, seen: &Seen<'_>) -> Called<Value> {
    match (method, seen) {
        ("rules", _) => object.rules().map(written),
        (_, Seen::Admission(request, view, _)) => object.admit(request, view).map(written),
        (_, Seen::End(end)) => object.on_end(end).map(written),
        (_, Seen::Workflow(workflow)) => object.on_workflow(workflow).map(written),
        (_, Seen::Container(event)) => object.on_container(event).map(written),
        (_, Seen::Timer(timer, cluster, _)) => object.on_timer(*timer, cluster).map(written),
        _ => Err(not_one_of(method)),
    }
}

fn of_keep_alive(object: &mut KeepAliveObject, method: &str, seen: &Seen<'_>) -> Called<Value> {
    match (method, seen) {
        ("rules", _) => object.rules().map(written),
        ("prewarm", Seen::Completion(completion)) => object.prewarm(completion).map(written),
        (_, Seen::Completion(completion)) => object.on_idle(completion).map(written),
        (_, Seen::Arrival(function, now)) => object.on_arrival(*function, *now).map(written),
        (_, Seen::Workflow(workflow)) => object.on_workflow(workflow).map(written),
        (_, Seen::Container(event)) => object.on_container(event).map(written),
        (_, Seen::Timer(timer, cluster, _)) => object.on_timer(*timer, cluster).map(written),
        _ => Err(not_one_of(method)),
    }
}

fn of_autoscaling(object: &mut AutoscalingObject, method: &str, seen: &Seen<'_>) -> Called<Value> {
    match (method, seen) {
        ("rules", _) => object.rules().map(written),
        (_, Seen::Scale(view)) => object.scale(view).map(written),
        (_, Seen::Pool(pool)) => object.scale_pool(pool).map(written),
        (_, Seen::Container(event)) => object.on_container(event).map(written),
        (_, Seen::Timer(timer, cluster, _)) => object.on_timer(*timer, cluster).map(written),
        _ => Err(not_one_of(method)),
    }
}

/// Says of each victim what was said then; once another one is offered, that it is enough.
struct Again {
    then: std::vec::IntoIter<Offered>,
    offered: Vec<Offered>,
}

impl Again {
    fn new(then: &Value) -> Self {
        let offered = then.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Offered::read);
        Self { then: offered.collect::<Vec<_>>().into_iter(), offered: Vec::new() }
    }
}

impl VictimSink for Again {
    fn offer(&mut self, id: u32) -> Offer {
        let heard = match self.then.next() {
            Some(Offered::Victim(then, heard)) if then == id => heard,
            _ => Offer::Enough,
        };
        self.offered.push(Offered::Victim(id, heard));
        heard
    }

    fn also(&mut self, id: u32) -> bool {
        let goes = matches!(self.then.next(), Some(Offered::Also(then, true)) if then == id);
        self.offered.push(Offered::Also(id, goes));
        goes
    }
}
