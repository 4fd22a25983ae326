//! A round of scheduling: asks the node allocation policy about those who wait, on a plan of the cluster, then carries
//! the decisions out (the timing model, section 5).

use hearth_policy_api::{Commitment, NONE, Placement, RequestView, Scope};
use hearth_simcore::kernel::Kernel;

use super::Service;
use super::attempts::{AttemptKey, Waiting, WaitingQueue};
use super::backfilling::{Backfilling, ExpectedEnds};
use super::event::Event;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, NodeId};
use crate::policy::{Method, Mistake, PolicySlot};

/// What a round has decided about one invocation.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Run it in an idle container, or in a new one.
    Dispatch { entry: Entry, node: NodeId, container: Option<ContainerId> },
    /// It waits for its image on this node.
    Bind { entry: Entry, node: NodeId, image: ImageId },
    /// End it as rejected.
    Reject { entry: Entry, reason: String },
}

/// A waiting invocation, and where it stands in an [`OrderedQueue`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub key: AttemptKey,
    pub position: usize,
}

/// The plan of a round. The buffers are kept from round to round.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub decisions: Vec<Decision>,
    /// Loads and copies to begin, in the order of deciding.
    pub loads: Vec<(NodeId, ImageId)>,
    pub copies: Vec<(NodeId, ImageId)>,
    /// Nodes whose cores the plan has taken, each once.
    nodes: Vec<NodeId>,
    /// Functions whose idle containers the plan has taken, with the node.
    idle: Vec<(NodeId, FunctionId)>,
}

/// What rounds of scheduling have from one to the next.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub plan: Plan,
    /// When those that run will have ended, where a place is kept for the first in the queue.
    pub expected_ends: Option<Box<ExpectedEnds>>,
    /// The round that follows a message has been done while it was handled.
    pub is_done: bool,
    /// Nobody is placed before the round.
    #[cfg(test)]
    pub never_at_once: bool,
    /// Where an image could not move that somebody bound there waits for.
    pub stalled_sites: Vec<(NodeId, ImageId)>,
}

impl Rounds {
    /// Before the first round. `expected_ends` where a place is kept for the first in the queue.
    pub fn new(expected_ends: Option<ExpectedEnds>) -> Self {
        let expected_ends = expected_ends.map(Box::new);
        Self {
            plan: Plan::default(),
            expected_ends,
            is_done: false,
            #[cfg(test)]
            never_at_once: false,
            stalled_sites: Vec::new(),
        }
    }
}

impl Service {
    /// Runs a round if somebody waits and something can be decided.
    pub(crate) fn schedule(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        self.advance_bound(kernel)?;
        if std::mem::take(&mut self.rounds.is_done)
            || self.attempts.queue().len() == 0
            || (self.policies.rules.scope == Scope::Request && self.cluster.free_core().is_empty())
        {
            return Ok(());
        }
        let mut plan = std::mem::take(&mut self.rounds.plan);
        if self.settings.backfilling != Backfilling::Unlimited {
            self.schedule_in_turn(&mut plan, kernel)?;
            self.attempts.close_gaps();
            self.rounds.plan = plan;
            return Ok(());
        }
        self.cluster.begin_round();
        self.announce_changes();
        let planned = match self.policies.rules.scope {
            Scope::Batch => self.plan_batch(&mut plan, kernel),
            Scope::Request => self.plan_requests(&mut plan, kernel),
        };
        self.take_back(&mut plan);
        planned?;
        self.carry_out(&mut plan, kernel)?;
        self.attempts.close_gaps();
        self.rounds.plan = plan;
        Ok(())
    }

    /// Tells a policy that observes what has changed since the last decision: nodes, then links.
    pub(super) fn announce_changes(&mut self) {
        if self.policies.rules.observes {
            let Self { cluster, policies, .. } = self;
            cluster.tell_changes(|node, view, up| policies.node_allocation.observe(node.0, view, up));
            self.announce_links();
        }
    }

    fn plan_requests(&mut self, plan: &mut Plan, kernel: &Kernel<Event>) -> Result<(), Error> {
        match self.policies.rules.commitment {
            Commitment::PerRound => self.plan_in_order(plan, kernel),
            Commitment::UntilStarted => self.plan_by_function(plan, kernel),
        }
    }

    /// Asks about everybody, in the order of the queue, while cores are left.
    fn plan_in_order(&mut self, plan: &mut Plan, kernel: &Kernel<Event>) -> Result<(), Error> {
        let mut position = 0;
        while let WaitingQueue::Ordered(queue) = self.attempts.queue()
            && position < queue.end()
            && !self.cluster.free_core().is_empty()
        {
            if let Some(waiting) = queue.get(position)
                && self.registry.functions[waiting.function].told_to_wait_in != self.cluster.round()
            {
                self.place(&waiting, position, plan, kernel)?;
            }
            position += 1;
        }
        Ok(())
    }

    /// Asks about the first of each function, in the order of the queue, and about the next of a function once the one
    /// before it has its place.
    fn plan_by_function(&mut self, plan: &mut Plan, kernel: &Kernel<Event>) -> Result<(), Error> {
        let mut last = None;
        while let WaitingQueue::ByFunction(queues) = self.attempts.queue()
            && let Some(waiting) = queues.next_head(last)
            && !self.cluster.free_core().is_empty()
        {
            last = Some(waiting.turn);
            let decided = self.place(&waiting, 0, plan, kernel)?;
            if decided {
                self.attempts.take_first(waiting.function);
            }
        }
        Ok(())
    }

    /// Asks the policy about an invocation that comes to an empty queue, and carries the answer out: a round of one, which
    /// needs no plan. False if it is to wait, or if this is no case for it: an image may have to be moved, or the policy
    /// looks at the whole queue or decides anew in each round.
    pub(crate) fn place_at_once(&mut self, waiting: &Waiting, kernel: &mut Kernel<Event>) -> Result<bool, Error> {
        let is_case = matches!(self.attempts.queue(), WaitingQueue::ByFunction(queues) if queues.len() == 0)
            && self.settings.backfilling == Backfilling::Unlimited
            && waiting.request.image == NONE
            && self.rounds.stalled_sites.is_empty()
            && !self.cluster.free_core().is_empty();
        #[cfg(test)]
        let is_case = is_case && !self.rounds.never_at_once;
        if !is_case {
            return Ok(false);
        }
        self.rounds.is_done = true;
        self.cluster.begin_round();
        self.announce_changes();
        match self.ask(waiting, kernel)? {
            Placement::Node(node) if self.cluster.free_core().contains(NodeId(node)) => {
                let node = NodeId(node);
                let idle = self.cluster.first_idle(node, waiting.function, self.settings.reuse_most_recent);
                self.dispatch(waiting.key, node, idle, kernel)
            }
            Placement::Node(node) => Err(self.wrong_node(node, Method::Place)),
            Placement::Wait => Ok(false),
            Placement::Reject(reason) => self.reject(waiting.key, reason.as_str(), kernel).map(|()| true),
        }
    }

    /// Asks the policy about one invocation and puts the answer into the plan; false if it is to wait.
    fn place(
        &mut self,
        waiting: &Waiting,
        position: usize,
        plan: &mut Plan,
        kernel: &Kernel<Event>,
    ) -> Result<bool, Error> {
        let entry = Entry { key: waiting.key, position };
        let request = &waiting.request;
        match self.ask(waiting, kernel)? {
            Placement::Node(node) if self.cluster.free_core().contains(NodeId(node)) => {
                self.decide(entry, NodeId(node), request, plan);
            }
            Placement::Node(node) => return Err(self.wrong_node(node, Method::Place)),
            Placement::Wait => {
                self.registry.functions[FunctionId(request.function)].told_to_wait_in = self.cluster.round();
                return Ok(false);
            }
            Placement::Reject(reason) => plan.decisions.push(Decision::Reject { entry, reason: reason.into_string() }),
        }
        Ok(true)
    }

    /// Shows the policy the cluster as one invocation sees it, and hears where that goes.
    pub(super) fn ask(&mut self, waiting: &Waiting, kernel: &Kernel<Event>) -> Result<Placement, Error> {
        let request = &waiting.request;
        let view = self.cluster.view(request, self.attempts.queue().len().max(1), kernel.now());
        let placement = self.policies.node_allocation.place(request, &view);
        placement.map_err(|mistake| self.mistake(mistake))
    }

    /// The error for an answer that names a node on which nothing can run.
    pub(crate) fn wrong_node(&self, node: u32, method: Method) -> Error {
        let nodes = self.cluster.nodes().len();
        let cause = match self.cluster.nodes().find(NodeId(node)) {
            None => format!("answered node {node}, but there are nodes 0 to {}", nodes.saturating_sub(1)),
            Some(described) if !self.cluster.up().contains(NodeId(node)) => {
                format!("answered node {node} ({:?}), which is down", described.name)
            }
            Some(described) => format!("answered node {node} ({:?}), which has no free core", described.name),
        };
        self.mistake(Mistake::new(PolicySlot::NodeAllocation, method, cause))
    }

    /// Turns a choice of node into what is to be done there, in the state the plan has left. The node need not have a
    /// free core: without one only its image is seen to.
    pub(crate) fn decide(&mut self, entry: Entry, node: NodeId, request: &RequestView, plan: &mut Plan) {
        let image = (request.image != NONE).then_some(ImageId(request.image));
        let function = FunctionId(request.function);
        let in_ram = self.cluster.is_image_in_ram(node, image);
        if self.cluster.node_view(node).free_cores > 0 {
            if self.cluster.plan_core(node) {
                plan.nodes.push(node);
            }
            if let Some(container) = self.cluster.plan_idle(node, function, self.settings.reuse_most_recent) {
                plan.idle.push((node, function));
                return plan.decisions.push(Decision::Dispatch { entry, node, container: Some(container) });
            }
            self.cluster.plan_room(node, request.ram_limit, request.disk_limit);
            if in_ram {
                return plan.decisions.push(Decision::Dispatch { entry, node, container: None });
            }
        }
        if in_ram {
            return;
        }
        let Some(image) = image else { return };
        if self.cluster.sites(image).on_disk().contains(node) {
            self.plan_load(node, image, plan);
        } else {
            self.plan_copy(node, image, plan);
        }
        if self.policies.rules.commitment == Commitment::UntilStarted {
            plan.decisions.push(Decision::Bind { entry, node, image });
        }
    }

    /// Plans to load an image unless it is in RAM or on its way there.
    pub(crate) fn plan_load(&mut self, node: NodeId, image: ImageId, plan: &mut Plan) {
        if self.cluster.plan_load(node, image) {
            plan.loads.push((node, image));
        }
    }

    /// Plans to copy an image unless it is on disk or on its way there.
    pub(crate) fn plan_copy(&mut self, node: NodeId, image: ImageId, plan: &mut Plan) {
        if self.cluster.plan_copy(node, image) {
            plan.copies.push((node, image));
        }
    }

    /// Takes the plan's marks off the cluster, so that carrying it out starts from what is.
    pub(super) fn take_back(&mut self, plan: &mut Plan) {
        for (node, function) in plan.idle.drain(..) {
            self.cluster.unplan_idle(node, function);
        }
        for node in plan.nodes.drain(..) {
            self.cluster.unplan_node(node);
        }
        for &(node, image) in &plan.loads {
            self.cluster.unplan_load(node, image);
        }
        for &(node, image) in &plan.copies {
            self.cluster.unplan_copy(node, image);
        }
    }

    /// Carries out dispatches, then loads, then copies. What fails is decided anew in a later round.
    pub(super) fn carry_out(&mut self, plan: &mut Plan, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        for decision in plan.decisions.drain(..) {
            match decision {
                Decision::Dispatch { entry, node, container } => {
                    let dispatched = self.dispatch(entry.key, node, container, kernel)?;
                    self.settle_entry(entry, dispatched)?;
                }
                Decision::Bind { entry, node, image } => {
                    self.settle_entry(entry, true)?;
                    self.bind(entry.key, node, image)?;
                }
                Decision::Reject { entry, reason } => {
                    self.settle_entry(entry, true)?;
                    self.reject(entry.key, &reason, kernel)?;
                }
            }
        }
        for (node, image) in plan.loads.drain(..) {
            if !self.load(node, image, kernel)? {
                self.rounds.stalled_sites.push((node, image));
            }
        }
        for (node, image) in plan.copies.drain(..) {
            if !self.copy(node, image, kernel)? {
                self.rounds.stalled_sites.push((node, image));
            }
        }
        Ok(())
    }

    /// Takes an invocation out of the queue, or puts it back, as its dispatch went.
    pub(super) fn settle_entry(&mut self, entry: Entry, dispatched: bool) -> Result<(), Error> {
        if dispatched {
            self.attempts.take_decided(entry);
        } else if self.commits_at_once() {
            let waiting = self.waiting(entry.key)?;
            self.attempts.put_back(waiting)?;
        }
        Ok(())
    }

    /// Whether the queue gives those away at once about whom a decision is made.
    fn commits_at_once(&self) -> bool {
        matches!(self.attempts.queue(), WaitingQueue::ByFunction(_))
    }
}
