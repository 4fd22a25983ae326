//! Tells the stories of some invocations: what is decided about it, with what there was to choose from.

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::{AdmissionDecision, Placement, PolicySlot};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::sites::Site;
use crate::causes::{ColdStart, ColdStartCause};
use crate::fault::Fault;
use crate::function::FunctionId;
use crate::invocation::{InvocationRecord, Start};
use crate::node::NodeId;
use crate::results::{FaultBegun, Story, Telling, Unit};
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::Event;
use crate::service::instances::InstanceKey;

/// Not more names than this stand in a sentence.
const MOST_NAMES: usize = 4;

/// Whose stories are told.
#[derive(Debug)]
pub(super) struct Teller {
    pub of: BTreeSet<u64>,
    /// Names of functions.
    functions: Vec<String>,
    faults: Vec<FaultBegun>,
    stories: BTreeMap<u64, Story>,
}

/// What is added in brackets, after the number of the call by which an answer can be named.
fn with_call(call: Option<u64>, added: &str) -> String {
    let call = call.map(|call| format!("call {call}"));
    let parts: Vec<&str> = call.as_deref().into_iter().chain((!added.is_empty()).then_some(added)).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

/// `a, b, c and 5 more`.
fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        _ if names.len() <= MOST_NAMES => names.join(", "),
        _ => format!("{} and {} more", names[..MOST_NAMES].join(", "), names.len() - MOST_NAMES),
    }
}

impl Service {
    /// Tells the stories of invocations, by their numbers, where a run is explained, with these names of functions.
    pub(crate) fn tell_stories_of(&mut self, invocations: BTreeSet<u64>, functions: Vec<String>) {
        if let Some(explain) = &mut self.explain {
            let (faults, stories) = (Vec::new(), BTreeMap::new());
            explain.teller = Some(Teller { of: invocations, functions, faults, stories });
        }
    }

    /// The stories that were asked for, of those invocations that have been requested, by number.
    pub(crate) fn take_stories(&mut self) -> Vec<Story> {
        let teller = self.explain.as_mut().and_then(|explain| explain.teller.as_mut());
        teller.map(|teller| std::mem::take(&mut teller.stories).into_values().collect()).unwrap_or_default()
    }

    /// Whether the story of anybody is told.
    #[inline]
    pub(in crate::service) fn tells_a_story(&self) -> bool {
        self.explain.as_ref().is_some_and(|explain| explain.teller.is_some())
    }

    /// A fault comes about.
    pub(in crate::service) fn tell_of_fault(&mut self, number: u32, fault: &Fault, kernel: &Kernel<Event>) {
        if !self.tells_a_story() {
            return;
        }
        let platform = kernel.platform();
        let (name, what) = match *fault {
            Fault::HostDown { host, .. } => (&platform.host(host).name, "goes down"),
            Fault::NodeSlow { host, .. } => (&platform.host(host).name, "is slowed down"),
            Fault::DiskLost { host } => (&platform.host(host).name, "loses its disk"),
            Fault::LinkDown { link } => (&platform.link(link).name, "goes down"),
            Fault::LinkDegraded { link, .. } => (&platform.link(link).name, "is degraded"),
        };
        let (at, name) = (kernel.now(), name.clone());
        let told: Vec<AttemptKey> =
            self.attempts.iter().filter(|(_, attempt)| attempt.is_told()).map(|(key, _)| key).collect();
        told.into_iter().for_each(|key| self.tell(key, at, |_| format!("{name} {what} (fault {number})")));
        if let Some(teller) = self.explain.as_mut().and_then(|explain| explain.teller.as_mut()) {
            teller.faults.push(FaultBegun { number, at, name, what });
        }
    }

    /// Whether the story is told of the invocation of an attempt.
    #[inline]
    fn is_told(&self, key: AttemptKey) -> bool {
        self.tells_a_story() && self.attempts.get(key).is_some_and(|attempt| attempt.is_told())
    }

    /// Adds to the story of an attempt, if it is told.
    pub(in crate::service) fn tell(&mut self, key: AttemptKey, now: SimTime, what: impl FnOnce(&Self) -> String) {
        if self.is_told(key) {
            let what = what(self);
            if let Some((_, explained)) = self.attempts.explained_mut(key)
                && let Some(telling) = &mut explained.telling
            {
                telling.tell(now, what);
            }
        }
    }

    fn node_name(&self, node: u32) -> String {
        self.cluster.nodes().get(node as usize).map_or_else(|| format!("node {node}"), |node| node.name.clone())
    }

    fn function_name(&self, function: FunctionId) -> String {
        let teller = self.explain.as_ref().and_then(|explain| explain.teller.as_ref());
        let name = teller.and_then(|teller| teller.functions.get(function.0 as usize));
        name.map_or_else(|| format!("function {}", function.0), Clone::clone)
    }

    /// The policy in a slot, as in `node allocation (first-fit)`.
    fn policy_in_words(&self, slot: PolicySlot) -> String {
        format!("{} ({})", slot.path().replace('_', " "), self.policies.describe(slot))
    }

    /// Who comes to the queue, and what there is before it.
    pub(in crate::service) fn tell_of_queue(&mut self, key: AttemptKey, now: SimTime) {
        self.tell(key, now, |service| {
            let ahead = service.attempts.queue().len();
            let (free, up) = (service.cluster.free_cores(), service.cluster.cores_up());
            let counts = service
                .registry
                .functions()
                .names()
                .map(|function| (service.attempts.counts_of(function).running, service.function_name(function)));
            let mut counts: Vec<(u64, String)> = counts.filter(|(running, _)| *running > 0).collect();
            counts.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
            let holders: Vec<String> = counts.iter().map(|(running, name)| format!("{name} × {running}")).collect();
            let of_cores = if service.cluster.shares_processors() {
                String::new()
            } else {
                format!(", {free} of {up} cores free")
            };
            format!("comes to the queue: {ahead} ahead of it{of_cores}; in containers: {}", listed(&holders))
        });
    }

    /// What admission has answered about it.
    pub(in crate::service) fn tell_of_admission(
        &mut self,
        key: AttemptKey,
        decision: &AdmissionDecision,
        now: SimTime,
    ) {
        self.tell(key, now, |service| {
            let policy = service.policy_in_words(PolicySlot::Admission);
            let call = service.policies.watch().last_asked(PolicySlot::Admission);
            match decision {
                AdmissionDecision::Admit => {
                    format!("{policy} lets it in{}", with_call(call, ""))
                }
                AdmissionDecision::Delay(nanos) => {
                    let by = format!("by {:.3} s", SimTime::from_nanos(*nanos).as_secs_f64());
                    format!("{policy} puts it off{}", with_call(call, &by))
                }
                AdmissionDecision::Reject(reason) => {
                    format!("{policy} rejects it: {reason}{}", with_call(call, ""))
                }
            }
        });
    }

    /// What node allocation has answered about it, and what else there was.
    pub(in crate::service) fn tell_of_answer(
        &mut self,
        key: AttemptKey,
        answer: &Placement,
        call: Option<u64>,
        now: SimTime,
    ) {
        self.tell(key, now, |service| {
            let policy = service.policy_in_words(PolicySlot::NodeAllocation);
            let answered = match answer {
                Placement::Node(node) => format!("answers node {}", service.node_name(*node)),
                Placement::Warm { node, container } => {
                    format!("answers container {container} on {}", service.node_name(*node))
                }
                Placement::Cold { node } => format!("answers a new container on {}", service.node_name(*node)),
                Placement::Wait => "answers to wait".to_owned(),
                Placement::Reject(reason) => format!("rejects it: {reason}"),
                Placement::Busy { node, .. } => format!(
                    "answers to wait for a container in use{}",
                    service
                        .cluster
                        .nodes()
                        .get(*node as usize)
                        .map_or_else(String::new, |node| format!(" on {}", node.name))
                ),
                Placement::Queue { nodes, .. } => {
                    let names: Vec<String> = nodes.iter().map(|node| service.node_name(*node)).collect();
                    format!("answers the queues of {}", listed(&names))
                }
            };
            let Some(function) = service.attempts.get(key).map(|attempt| attempt.record.function) else {
                return format!("{policy} {answered}");
            };
            let chosen = match answer {
                Placement::Node(node) | Placement::Warm { node, .. } | Placement::Cold { node } => Some(NodeId(*node)),
                _ => None,
            };
            let others = |nodes: &mut dyn Iterator<Item = NodeId>| -> Vec<String> {
                nodes.filter(|node| Some(*node) != chosen).map(|node| service.node_name(node.0)).collect()
            };
            let idle = others(&mut service.cluster.idle(function).iter());
            let free = others(&mut service.cluster.free_core().iter());
            let mut refused = Vec::new();
            if !idle.is_empty() {
                refused.push(format!("an idle container on {}", listed(&idle)));
            }
            if !free.is_empty() {
                refused.push(format!("a free core on {}", listed(&free)));
            }
            let refused = if refused.is_empty() { "no other".to_owned() } else { refused.join("; ") };
            let refused = format!("it could have had {refused}");
            format!("{policy} {answered}{}", with_call(call, &refused))
        });
    }

    /// An image that it waits for begins to move, or data of its body, and what else moves then.
    pub(in crate::service) fn tell_of_move(&mut self, key: AttemptKey, site: Option<Site>, bytes: u64, now: SimTime) {
        self.tell(key, now, |service| {
            let size = Unit::Bytes.shown(bytes as f64);
            let what = match site {
                Some(site) => format!("{} begins to move ({size}", service.move_in_words(site)),
                None => format!("its body moves data ({size}"),
            };
            match service.others_that_move(key, site) {
                others if others.is_empty() => format!("{what}, alone)"),
                others => format!("{what}, beside {})", listed(&others)),
            }
        });
    }

    fn move_in_words(&self, (node, image): Site) -> String {
        let name = &self.registry.image(image).name;
        node.map_or_else(
            || format!("image {name} to the head"),
            |node| format!("image {name} on {}", self.node_name(node.0)),
        )
    }

    /// What else moves: images, and data of bodies by function.
    fn others_that_move(&self, key: AttemptKey, site: Option<Site>) -> Vec<String> {
        let Some(explain) = &self.explain else { return Vec::new() };
        let images = explain.sites.moving().filter(|other| Some(*other) != site);
        let mut others: Vec<String> = images.map(|site| self.move_in_words(site)).collect();
        let mut data: BTreeMap<FunctionId, u32> = BTreeMap::new();
        for (_, attempt) in self.attempts.iter().filter(|(other, _)| *other != key) {
            if attempt.explained.as_ref().is_some_and(|explained| explained.doing.is_a_transfer()) {
                *data.entry(attempt.record.function).or_default() += 1;
            }
        }
        others.extend(
            data.into_iter().map(|(function, count)| format!("data of {} × {count}", self.function_name(function))),
        );
        others
    }

    /// It starts in a container, and why in a new one if it is that.
    pub(in crate::service) fn tell_of_start(&mut self, key: AttemptKey, node: NodeId, start: Start, now: SimTime) {
        self.tell(key, now, |service| {
            let on = service.node_name(node.0);
            let cold = service.attempts.get(key).and_then(|attempt| attempt.cold_start());
            match (start, cold) {
                (Start::Warm, _) => format!("starts warm in an idle container on {on}"),
                (Start::Cold, None) => format!("starts cold on {on}"),
                (Start::Cold, Some(cold)) => format!("starts cold on {on}: {}", service.why_cold(&cold)),
            }
        });
    }

    /// It is served by an instance.
    pub(in crate::service) fn tell_of_seat(
        &mut self,
        key: AttemptKey,
        instance: InstanceKey,
        start: Start,
        now: SimTime,
    ) {
        self.tell(key, now, |service| {
            let mut described = service.instances.in_words(instance, |node| service.node_name(node.0));
            let way = service.explain.as_ref().and_then(|explain| explain.ways.get(instance));
            if let Some(way) = way.filter(|way| start == Start::Cold && !way.phases.is_empty()) {
                described.push_str(&format!(", whose start took {}", way.phases));
            }
            let cold = service.attempts.get(key).and_then(|attempt| attempt.cold_start());
            match (start, cold) {
                (Start::Cold, Some(cold)) => format!("is served by {described}: {}", service.why_cold(&cold)),
                _ => format!("is served by {described}"),
            }
        });
    }

    /// Why there was no container, in words.
    fn why_cold(&self, cold: &ColdStart) -> String {
        let at = cold.end.map_or_else(String::new, |end| format!(" at {:.3} s", end.at.as_secs_f64()));
        let on = cold.node.map_or_else(String::new, |node| format!(" on {}", self.node_name(node)));
        let keep_alive = || self.policy_in_words(PolicySlot::KeepAlive);
        match cold.cause {
            ColdStartCause::PassedOver => {
                format!("there was an idle container{on}, and node allocation asked for a new one")
            }
            ColdStartCause::OnOtherNode => format!("there was an idle container{on}, which was not chosen"),
            ColdStartCause::First => "its function had never had a container".to_owned(),
            ColdStartCause::Concurrency => "never before were so many of its function under way at once".to_owned(),
            ColdStartCause::NotKept => format!("the last container ended{at}{on}: {} did not keep it", keep_alive()),
            ColdStartCause::Expired => format!("the last container expired{at}{on}, as {} had it", keep_alive()),
            ColdStartCause::Evicted => {
                let policy = self.policy_in_words(PolicySlot::Containers);
                let by = cold.end.and_then(|end| end.evicted_for).map_or_else(String::new, |function| {
                    format!(", to make room for one of {}", self.function_name(function))
                });
                format!("the last container was evicted{at}{on} by {policy}{by}")
            }
            ColdStartCause::Removed => format!("the last container was removed{at}{on}"),
            ColdStartCause::Crashed => format!("the last container crashed{at}{on}"),
            ColdStartCause::Lost => format!("the last container was lost{at} with {}", on.trim_start_matches(" on ")),
            ColdStartCause::Stopped => {
                format!("the last container was stopped{at}{on} with an attempt that was not needed any more")
            }
        }
    }
}

impl super::Explain {
    /// The story of an invocation that has ended, if it was told.
    pub(super) fn end_story(&mut self, telling: Telling, record: &InvocationRecord) {
        if let Some(teller) = &mut self.teller {
            teller.stories.insert(record.invocation, telling.finish(record.clone(), teller.faults.clone()));
        }
    }
}
