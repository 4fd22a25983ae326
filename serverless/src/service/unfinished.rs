//! The end of the books: what has not ended when the simulation stops, and what it waits for.

use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;

use super::Service;
use super::attempts::{Attempt, AttemptKey, Stage};
use super::event::Event;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::invocation::{InvocationRecord, Outcome, Stall};
use crate::node::NodeId;
use crate::policy::PolicySlot;

/// Not more nodes are named in one message.
const MOST_NAMES: usize = 3;

impl Service {
    /// Ends the books: what has not ended is unfinished, and its record says what it waits for. Gives what all wait for
    /// if nothing more would happen.
    pub(crate) fn close(&mut self, kernel: &mut Kernel<Event>) -> Result<Option<Stall>, Error> {
        let now = kernel.now();
        self.explain_unfinished(now);
        self.books.metrics.advance(now);
        self.cluster.count_all_processors(&mut self.books, kernel);
        self.bill_unheard();
        self.give_back_all(now);
        self.write_remaining_instances()?;
        self.write_remaining_nodes()?;
        self.books.metrics.unrecovered = self.recovery.unrecovered();
        let mut unfinished = self.unfinished_records(kernel)?;
        let (unasked, runs) = self.work.unfinished();
        unfinished.extend(unasked);
        let is_cut = unfinished.iter().any(|record| record.outcome == Outcome::Unfinished);
        if is_cut || !runs.is_empty() || self.work.workload().next_of_source().is_some() {
            self.extend_window(now);
        }
        self.books.metrics.energy = self.energy(now);
        self.note_offered_processors(now);
        let waiting = || unfinished.iter().filter(|record| record.outcome == Outcome::Unfinished);
        // One that follows another that has not ended is not what all wait for.
        let first = waiting().find(|record| record.requested_at.is_some()).or_else(|| waiting().next());
        let stall = first.filter(|_| kernel.is_at_rest()).map(|first| Stall {
            invocations: waiting().count() as u64,
            first: first.invocation,
            reason: first.failure.as_deref().unwrap_or_default().to_owned(),
        });
        for record in unfinished {
            self.books.record(&record);
            if let Some(recorder) = &mut self.books.recorder {
                recorder.never_ends(record);
            }
        }
        runs.into_iter().try_for_each(|run| self.books.end_workflow(run)).map(|()| stall)
    }

    /// What those that are under way wait for; `None` if nobody is.
    pub(super) fn who_waits(&self, kernel: &Kernel<Event>) -> Option<Stall> {
        let waiting = || self.attempts.iter().filter(|(_, attempt)| attempt.record.outcome == Outcome::Unfinished);
        // One that runs, or comes later, is not what nobody gets past.
        let rank = |attempt: &Attempt| {
            let is_ahead = attempt.record.requested_at.is_some_and(|requested| requested > kernel.now());
            (attempt.place().is_some() || is_ahead, attempt.record.invocation)
        };
        let (key, attempt) = waiting().min_by_key(|(_, attempt)| rank(attempt))?;
        let reason = self.why_unfinished(key, attempt, kernel);
        let reason = reason.unwrap_or_else(|| self.why_queued());
        Some(Stall { invocations: waiting().count() as u64, first: attempt.record.invocation, reason })
    }

    /// The records of those that are under way, by number.
    fn unfinished_records(&mut self, kernel: &Kernel<Event>) -> Result<Vec<InvocationRecord>, Box<Error>> {
        let in_queue: Rc<str> = Rc::from(self.why_queued());
        let reason = |(key, attempt): (AttemptKey, &Attempt)| match self.why_unfinished(key, attempt, kernel) {
            _ if attempt.record.outcome != Outcome::Unfinished => None,
            Some(reason) => Some(Rc::from(reason)),
            None => Some(Rc::clone(&in_queue)),
        };
        let reasons: Vec<Option<Rc<str>>> = self.attempts.iter().map(reason).collect();
        let mut attempts: Vec<(u32, bool, InvocationRecord)> = Vec::with_capacity(reasons.len());
        for (attempt, reason) in self.attempts.drain().zip(reasons) {
            let (number, has_begun) = (attempt.number(), !attempt.is_between_attempts());
            let mut record = attempt.record;
            record.failure = record.failure.take().or(reason);
            // Its request is scheduled for later than the end.
            record.requested_at = record.requested_at.filter(|requested| *requested <= kernel.now());
            attempts.push((number, has_begun, record));
        }
        attempts.sort_by_key(|(attempt, _, record)| (record.invocation, *attempt));
        for (attempt, has_begun, record) in &attempts {
            if *has_begun {
                self.books.write_attempt(*attempt, record, record.outcome.as_str())?;
            }
        }
        // Of two attempts beside each other the first stands for the invocation.
        attempts.dedup_by_key(|(_, _, record)| record.invocation);
        Ok(attempts.into_iter().map(|(.., record)| record).collect())
    }

    /// What an invocation waits for; `None` if it is a place in the queue.
    pub(super) fn why_unfinished(&self, key: AttemptKey, attempt: &Attempt, kernel: &Kernel<Event>) -> Option<String> {
        let record = &attempt.record;
        let head = &kernel.platform().host(self.head.host()).name;
        if record.requested_at.is_some_and(|requested| requested > kernel.now()) {
            return Some("was to be requested later".to_owned());
        }
        if let Some((node, _)) = attempt.place() {
            let name = &self.cluster.node(node).name;
            let what = if record.started_at.is_some() { "was running" } else { "was in a container that started" };
            return Some(format!("{what} on node {name:?}"));
        }
        if !kernel.is_up(self.head.host()) {
            return Some(format!("waits for the head: host {head:?} is down"));
        }
        match attempt.stage() {
            Stage::Requested if attempt.is_between_attempts() => Some("waits for its next attempt".to_owned()),
            Stage::Requested => Some(format!("waits for the head, host {head:?}, to process its request")),
            Stage::Bound { promise, image } => Some(self.why_image_is_missing(promise.node(), *image, kernel)),
            Stage::Submitted | Stage::Delayed => {
                let policy = self.policies.describe(PolicySlot::Admission);
                Some(format!("waits to be admitted: policies.admission, {policy}, has delayed it"))
            }
            Stage::AwaitsImage(image) => Some(self.why_download_is_missing(*image, kernel)),
            Stage::AwaitsContainer(node) => Some(self.why_no_container_is_free(record.function, *node)),
            Stage::AwaitsCore => Some(self.why_in_node_queues(key)),
            Stage::AwaitsInstance(at) => Some(self.why_no_instance_is_free(record.function, at.is_some())),
            Stage::Admitted | Stage::Queued | Stage::Held(_) | Stage::Served(_) | Stage::Ended => None,
        }
    }

    /// Why there is no core for somebody who stands in the queues of nodes.
    fn why_in_node_queues(&self, key: AttemptKey) -> String {
        let policy = self.policies.describe(PolicySlot::NodeAllocation);
        let nodes = self.attempts.nodes_of(key);
        let name = |node: &NodeId| format!("{:?}", self.cluster.node(*node).name);
        let mut names: Vec<String> = nodes.iter().take(MOST_NAMES).map(name).collect();
        if nodes.len() > names.len() {
            names.push(format!("{} more", nodes.len() - names.len()));
        }
        let (word, names) = (if nodes.len() == 1 { "queue of node" } else { "queues of nodes" }, names.join(", "));
        let has_core = |node: &&NodeId| self.cluster.free_core().contains(**node);
        let why = match nodes.iter().find(has_core) {
            Some(node) => format!(": node {} has a free core, and no room for the first in its queue", name(node)),
            None => String::new(),
        };
        format!("waits in the {word} {names}, as policies.node_allocation, {policy}, has answered{why}")
    }

    /// Why there is no container for somebody who waits for a busy one.
    fn why_no_container_is_free(&self, function: FunctionId, node: Option<NodeId>) -> String {
        let policy = self.policies.describe(PolicySlot::NodeAllocation);
        let place = node.map_or(String::new(), |node| format!(" on node {:?}", self.cluster.node(node).name));
        let why = if self.is_busy(function, node) { "" } else { ", and none is in use" };
        format!(
            "waits for a busy container of its function{place}, as policies.node_allocation, {policy}, has answered{why}"
        )
    }

    /// Why there is no place in an instance for somebody who waits for one.
    fn why_no_instance_is_free(&self, function: FunctionId, is_at_one: bool) -> String {
        if is_at_one {
            return "waits at an instance of its function, which serves others".to_owned();
        }
        let policy = self.policies.describe(PolicySlot::Autoscaling);
        format!("waits for an instance of its function: {}", self.instances.why_none_is_free(function, &policy))
    }

    /// Why an image is not on the head.
    fn why_download_is_missing(&self, image: ImageId, kernel: &Kernel<Event>) -> String {
        let name = &self.registry.image(image).name;
        let blocked = kernel.check_up(Endpoint::Disk(self.registry.host()), Endpoint::Disk(self.head.host())).err();
        let why = match blocked {
            Some(error) => format!(": {error}"),
            None if self.head.images.has_no_room_for(image) => ", which has no room for it".to_owned(),
            None => String::new(),
        };
        format!("waits for image {name:?} to be downloaded to the head{why}")
    }

    /// Why the image of somebody bound to a node is not there.
    fn why_image_is_missing(&self, node: NodeId, image: ImageId, kernel: &Kernel<Event>) -> String {
        let (held, sites) = (self.cluster.node(node), self.cluster.sites(image));
        let described = self.registry.image(image);
        let way = kernel.check_up(Endpoint::Disk(self.head.host()), Endpoint::Disk(held.host)).err();
        let why = match way {
            _ if sites.loading().contains(node) => " to be loaded into RAM".to_owned(),
            _ if sites.copying().contains(node) => " to be copied".to_owned(),
            _ if sites.on_disk().contains(node) => ": its RAM has no room for it".to_owned(),
            Some(error) => format!(": {error}"),
            None if !self.head.images.is_here(image) => ": the head does not have it".to_owned(),
            None => ": its disk has no room for it".to_owned(),
        };
        format!("waits on node {:?} for image {:?}{why}", held.name, described.name)
    }

    /// Why those in the queue have no place.
    pub(super) fn why_queued(&self) -> String {
        let (up, nodes) = (self.cluster.up().count(), self.cluster.nodes().len());
        let why_off = match self.node_pools.count_off() {
            0 if up == 0 => return "waits in the queue: all nodes are down".to_owned(),
            0 => String::new(),
            off => {
                let policy = self.policies.describe(PolicySlot::ClusterAutoscaling);
                format!("; {off} are off or boot, as policies.cluster_autoscaling, {policy}, has answered")
            }
        };
        if up == 0 {
            return format!("waits in the queue: no node is up{why_off}");
        }
        let policy = self.policies.describe(PolicySlot::NodeAllocation);
        let cores = self.cluster.free_cores();
        format!(
            "waits in the queue: policies.node_allocation, {policy}, has given it no place ({up} of {nodes} nodes are up, \
             {cores} of their cores are free{why_off})"
        )
    }
}
