//! A round of scheduling: asks the node allocation policy about those who wait, on a plan of the cluster, then carries
//! the decisions out (the timing model, section 5).

mod answers;
mod backfilling;
mod batch;
mod in_turn;
mod plan;
mod shedding;

pub use backfilling::Backfilling;

use hearth_policy_api::boundary::ContainersOf;
use hearth_policy_api::{Commitment, NONE, Placement};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use self::answers::Answers;
use self::backfilling::ExpectedEnds;
use self::batch::BatchPlan;
pub(super) use self::plan::Entry;
use self::plan::{Choice, Decision, Plan, Wanted};
use self::shedding::Heads;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::invocation::InvocationState;
use crate::node::{ContainerId, NodeId};
use crate::policy::{Method, Mistake, PolicySlot};
use crate::service::Service;
use crate::service::attempts::{AttemptKey, Turn, Waiting, WaitingQueue};
use crate::service::containers::ShownContainers;
use crate::service::event::Event;
use crate::service::node_queues::QueueAnswer;
use crate::service::registry::RegisteredFunction;
use crate::table::Table;

/// What rounds of scheduling have from one to the next.
#[derive(Debug)]
pub(crate) struct Rounds {
    plan: Plan,
    batch: BatchPlan,
    /// Who may be rejected in the queue.
    heads: Heads,
    /// When those that run will have ended, where a place is kept for the first in the queue.
    expected_ends: Option<Box<ExpectedEnds>>,
    /// The message that is being handled has led to a round already, of one: none follows it.
    is_done: bool,
    /// Nobody is placed before the round.
    #[cfg(test)]
    never_at_once: bool,
    /// What the policy has answered, if its answers hold.
    answers: Answers,
    /// By function: the last round in which the policy let it wait.
    told_to_wait_in: Table<FunctionId, u64>,
    /// Where an image could not move that somebody bound there waits for.
    stalled_sites: Vec<(NodeId, ImageId)>,
}

/// What has been answered of somebody.
#[derive(Debug)]
enum Asked {
    /// It stays in the queue.
    ToWait,
    /// The plan has what becomes of it.
    Decided,
    /// It is to queue at nodes, before anybody else is asked about.
    ToQueue(QueueAnswer),
}

/// Who is to queue at which nodes.
type Queues = (AttemptKey, QueueAnswer);

impl Rounds {
    /// Before the first round, on so many nodes.
    pub fn new(backfilling: Backfilling, nodes: usize) -> Self {
        let keeps_a_place = backfilling == Backfilling::Easy;
        Self {
            plan: Plan::default(),
            batch: BatchPlan::default(),
            heads: Heads::default(),
            expected_ends: keeps_a_place.then(|| Box::new(ExpectedEnds::new(nodes))),
            is_done: false,
            #[cfg(test)]
            never_at_once: false,
            answers: Answers::default(),
            told_to_wait_in: Table::default(),
            stalled_sites: Vec::new(),
        }
    }

    /// What has been answered was answered by another policy.
    pub fn forget_answers(&mut self) {
        self.answers = Answers::default();
    }

    /// There is one more function, of which nobody waits.
    pub fn add_function(&mut self) {
        self.told_to_wait_in.push(0);
    }

    /// The policy has let somebody of a function wait in a round.
    fn let_wait(&mut self, function: FunctionId, round: u64) {
        self.told_to_wait_in[function] = round;
    }

    /// Whether it has done so in a round or since.
    fn has_let_wait(&self, function: FunctionId, since: u64) -> bool {
        self.told_to_wait_in[function] >= since
    }

    /// Has nobody placed before the round that follows the message.
    #[cfg(test)]
    pub fn never_place_at_once(&mut self) {
        self.never_at_once = true;
    }

    /// The message has been handled, and needs no round.
    #[inline]
    pub fn begin_anew(&mut self) {
        self.is_done = false;
    }

    /// An attempt holds a core of a node; its body begins at a date at the latest, and ends at its limit if not before.
    #[inline]
    pub fn runs(&mut self, key: AttemptKey, node: NodeId, begins: SimTime, function: &RegisteredFunction) {
        if let Some(ends) = &mut self.expected_ends {
            let limit = function.limits.time;
            let end = if limit > SimDuration::ZERO { begins + limit } else { SimTime::MAX };
            ends.begin(key, node, end, function);
        }
    }

    /// An attempt has given its core back.
    #[inline]
    pub fn no_longer_runs(&mut self, key: AttemptKey) {
        if let Some(ends) = &mut self.expected_ends {
            ends.end(key);
        }
    }

    /// An image could not move to a node where somebody waits for it: to be tried again in each round.
    pub fn stall(&mut self, node: NodeId, image: ImageId) {
        self.stalled_sites.push((node, image));
    }

    /// Whether something is to be tried again.
    #[inline]
    pub fn is_stalled(&self) -> bool {
        !self.stalled_sites.is_empty()
    }

    /// What is to be tried again now.
    pub fn take_stalls(&mut self) -> Vec<(NodeId, ImageId)> {
        std::mem::take(&mut self.stalled_sites)
    }

    /// Nobody waits on a node any more.
    pub fn forget_stalls_on(&mut self, node: NodeId) {
        self.stalled_sites.retain(|(on, _)| *on != node);
    }

    /// Nobody waits any more but where `still` says so.
    pub fn keep_stalls(&mut self, still: impl Fn(NodeId, ImageId) -> bool) {
        self.stalled_sites.retain(|(node, image)| still(*node, *image));
    }

    /// Whether an image is to be tried again on a node.
    #[cfg(test)]
    pub fn is_stalled_at(&self, node: NodeId, image: ImageId) -> bool {
        self.stalled_sites.contains(&(node, image))
    }
}

/// Where an answer has a request go, and which container it takes there; `None` if it names no place to start.
fn choice_of(answer: &Placement) -> Option<(NodeId, Choice)> {
    match *answer {
        Placement::Node(node) => Some((NodeId(node), Choice::Any)),
        Placement::Warm { node, container } => Some((NodeId(node), Choice::Warm(ContainerId(container)))),
        Placement::Cold { node } => Some((NodeId(node), Choice::Cold)),
        Placement::Wait | Placement::Reject(_) | Placement::Busy { .. } | Placement::Queue { .. } => None,
    }
}

/// The same, if a request of a function can start so now.
fn place_of(answer: &Placement, function: FunctionId, cluster: &Cluster) -> Option<(NodeId, Choice)> {
    let can_start = |(node, choice): &(NodeId, Choice)| {
        cluster.free_core().contains(*node) && cluster.can_take(*node, function, *choice)
    };
    choice_of(answer).filter(can_start)
}

impl Service {
    /// Places an admitted invocation whose image is on the head, or puts it behind those that wait for a place.
    pub(crate) fn enqueue(&mut self, waiting: &Waiting, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.attempts.enter(waiting.key, InvocationState::Queued, kernel.now());
        self.tell_of_queue(waiting.key, kernel.now());
        let rank = self.policies.rank(&waiting.request, kernel.now());
        if self.place_at_once(waiting, rank, kernel)? {
            return Ok(());
        }
        Ok(self.attempts.enqueue(*waiting, rank)?)
    }

    /// Runs a round if somebody waits and something can be decided.
    pub(crate) fn schedule(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.advance_bound(kernel)?;
        if self.attempts.is_core_awaited() {
            self.serve_node_queues(kernel)?;
        }
        if self.policies.rules().sheds {
            self.shed(kernel)?;
        }
        if std::mem::take(&mut self.rounds.is_done)
            || self.attempts.queue().len() == 0
            || (!self.policies.is_batch() && !self.may_be_asked())
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
        let mut last = None;
        loop {
            self.cluster.begin_round();
            self.announce_changes();
            let planned = match self.policies.is_batch() {
                true => self.plan_batch(&mut plan, kernel).map(|()| None),
                false => self.plan_requests(&mut plan, &mut last, kernel),
            };
            self.take_back(&mut plan);
            let queues = planned?;
            self.carry_out(&mut plan, kernel)?;
            // It may have a core at once, which nobody behind it is to be offered.
            let Some((key, answer)) = queues else { break };
            self.queue_at_nodes(key, answer, kernel)?;
        }
        self.attempts.close_gaps();
        self.rounds.plan = plan;
        Ok(())
    }

    /// Tells a policy that observes what has changed since the last decision: containers, nodes, then links.
    pub(in crate::service) fn announce_changes(&mut self) {
        self.tell_of_containers();
        if self.policies.rules().observes {
            self.announce_nodes();
            self.announce_links();
        }
    }

    /// Tells a policy that observes which nodes have changed: a node that is lost is told at its date, whether there is something to
    /// decide or not.
    pub(in crate::service) fn announce_nodes(&mut self) {
        if self.policies.rules().observes {
            let Self { cluster, policies, .. } = self;
            cluster.tell_changes(|node, view, up| policies.observe_node(node, view, up));
        }
    }

    /// Whether there is something to ask for: a node has a free core, or the policy has requests queue at nodes.
    #[inline]
    fn may_be_asked(&self) -> bool {
        !self.cluster.free_core().is_empty() || self.policies.rules().queues
    }

    /// Asks about those who wait, of those whose answers bind about those behind the last one; gives one that is to queue at nodes,
    /// which is the last one then.
    fn plan_requests(
        &mut self,
        plan: &mut Plan,
        last: &mut Option<Turn>,
        kernel: &Kernel<Event>,
    ) -> Result<Option<Queues>, Box<Error>> {
        match self.policies.rules().commitment {
            Commitment::PerRound => self.plan_in_order(plan, kernel.now()).map(|()| None),
            Commitment::UntilStarted => self.plan_by_function(plan, last, kernel),
        }
    }

    /// Asks about everybody, in the order of the queue, while cores are left and somebody of a function waits of which
    /// nobody was told to.
    fn plan_in_order(&mut self, plan: &mut Plan, now: SimTime) -> Result<(), Box<Error>> {
        let (manner, tells) = (self.manner(), self.tells_a_story());
        let Self { bounds, attempts, cluster, policies, rounds, container_lists, .. } = self;
        let WaitingQueue::Ordered(queue) = attempts.queue() else { return Ok(()) };
        let (round, mut told_to_wait) = (cluster.round(), 0);
        for position in 0..queue.end() {
            if cluster.free_cores() == 0 || told_to_wait == queue.functions().len() {
                break;
            }
            let Some((key, request)) = queue.at(position) else { continue };
            let function = FunctionId(request.function);
            if rounds.has_let_wait(function, round) {
                continue;
            }
            let entry = Entry { key, function, position };
            let hidden = cluster.do_requests_vary().then(|| cluster.hide_full(function));
            let mut call = None;
            let ask = || {
                let sees_history = policies.rules().sees_history;
                let shown = ShownContainers::new(cluster, attempts, container_lists, now);
                let containers = ContainersOf::new(&shown);
                let view = cluster.view(request, queue.len(), now, sees_history, containers);
                let answer = policies.place(request, &view)?;
                call = policies.watch().last_asked(PolicySlot::NodeAllocation);
                Ok((answer, policies.placement_before_instead()))
            };
            let answer = rounds.answers.find_or(request, cluster, ask);
            if let Some(hidden) = hidden {
                cluster.show_full(hidden);
            }
            let answer = answer?;
            let answer = bounds.within(function, answer, cluster);
            if tells {
                plan.answers.push((key, answer.clone(), call));
            }
            match answer {
                Placement::Node(node) if cluster.free_core().contains(NodeId(node)) => {
                    plan.decide(&Wanted::by(entry, request), (NodeId(node), Choice::Any), cluster, manner);
                }
                Placement::Node(node) => return Err(self.wrong_node(node, Method::Place)),
                answer @ (Placement::Warm { .. } | Placement::Cold { .. }) => {
                    let Some(place) = place_of(&answer, function, cluster) else {
                        return Err(self.wrong_place(&answer, function));
                    };
                    plan.decide(&Wanted::by(entry, request), place, cluster, manner);
                }
                Placement::Wait => {
                    rounds.let_wait(function, round);
                    told_to_wait += 1;
                    plan.staying.push((key, None));
                }
                Placement::Reject(reason) => {
                    plan.decisions.push(Decision::Reject { entry, reason });
                }
                Placement::Busy { .. } => return Err(self.binds_against_its_rules("to wait for a busy container")),
                Placement::Queue { .. } => return Err(self.binds_against_its_rules("to queue at nodes")),
            }
        }
        Ok(())
    }

    /// Asks about the first of each function, in the order of the queue, and about the next of a function once the one
    /// before it has its place.
    fn plan_by_function(
        &mut self,
        plan: &mut Plan,
        last: &mut Option<Turn>,
        kernel: &Kernel<Event>,
    ) -> Result<Option<Queues>, Box<Error>> {
        while let WaitingQueue::ByFunction(queues) = self.attempts.queue()
            && let Some(waiting) = queues.next_head(*last)
            && self.may_be_asked()
        {
            *last = Some(waiting.turn);
            match self.place(&waiting, plan, kernel)? {
                Asked::ToWait => {}
                Asked::Decided => self.attempts.take_first(waiting.function),
                Asked::ToQueue(answer) => {
                    self.attempts.take_first(waiting.function);
                    return Ok(Some((waiting.key, answer)));
                }
            }
        }
        Ok(None)
    }

    /// Asks the policy about an invocation that comes to an empty queue, and carries the answer out: a round of one, which
    /// needs no plan. False if it is to wait, or if this is no case for it: an image may have to be moved, or the policy
    /// looks at the whole queue or decides anew in each round.
    fn place_at_once(&mut self, waiting: &Waiting, rank: u64, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let is_case = matches!(self.attempts.queue(), WaitingQueue::ByFunction(queues) if queues.len() == 0)
            && self.settings.backfilling == Backfilling::Unlimited
            && waiting.request.image == NONE
            && self.rounds.stalled_sites.is_empty()
            && !self.cluster.free_core().is_empty()
            // Those there come before it, and may not have been looked at since a core is free.
            && !self.attempts.is_core_awaited();
        #[cfg(test)]
        let is_case = is_case && !self.rounds.never_at_once;
        if !is_case {
            return Ok(false);
        }
        self.rounds.is_done = true;
        self.cluster.begin_round();
        self.announce_changes();
        match self.ask(waiting, kernel)? {
            Placement::Node(node) => {
                let (node, most_recent) = (NodeId(node), self.settings.reuse_most_recent);
                if !self.cluster.free_core().contains(node) {
                    return Err(self.wrong_node(node.0, Method::Place));
                }
                let container = self.cluster.first_idle(node, waiting.function, most_recent);
                self.dispatch_at_once(waiting, node, container, kernel)
            }
            rarer => self.place_otherwise(waiting, rank, rarer, kernel),
        }
    }

    /// Carries out an answer other than a node: apart, so that the common one is compiled into its caller.
    #[inline(never)]
    fn place_otherwise(
        &mut self,
        waiting: &Waiting,
        rank: u64,
        answer: Placement,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        match answer {
            Placement::Node(node) => Err(self.wrong_node(node, Method::Place)),
            answer @ (Placement::Warm { .. } | Placement::Cold { .. }) => {
                let (node, choice) = self.check_place(&answer, waiting.function)?;
                let container = match choice {
                    Choice::Warm(container) => Some(container),
                    Choice::Any | Choice::Cold => None,
                };
                self.dispatch_at_once(waiting, node, container, kernel)
            }
            Placement::Wait => Ok(false),
            Placement::Reject(reason) => self.reject(waiting.key, reason.as_str(), kernel).map(|()| true),
            Placement::Busy { node, until } => {
                let answer = self.check_busy(node, until)?;
                // It takes its turn in the queue, which it keeps.
                self.attempts.enqueue(*waiting, rank)?;
                self.attempts.take_first(waiting.function);
                self.await_busy(waiting.key, answer, kernel).map(|()| true)
            }
            Placement::Queue { nodes, until } => {
                let answer = self.check_queue(&nodes, until)?;
                self.attempts.enqueue(*waiting, rank)?;
                self.attempts.take_first(waiting.function);
                self.queue_at_nodes(waiting.key, answer, kernel).map(|()| true)
            }
        }
    }

    #[inline(always)]
    fn dispatch_at_once(
        &mut self,
        waiting: &Waiting,
        node: NodeId,
        container: Option<ContainerId>,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        let dispatched = self.dispatch((waiting.key, waiting.function), node, container, kernel)?;
        if !dispatched {
            self.tell_of_requeue(waiting.key, node, kernel.now());
        }
        Ok(dispatched)
    }

    /// Asks the policy about the first of a function and puts the answer into the plan.
    fn place(&mut self, waiting: &Waiting, plan: &mut Plan, kernel: &Kernel<Event>) -> Result<Asked, Box<Error>> {
        let entry = Entry { key: waiting.key, function: waiting.function, position: 0 };
        match self.ask(waiting, kernel)? {
            Placement::Node(node) if self.cluster.free_core().contains(NodeId(node)) => {
                let manner = self.manner();
                let place = (NodeId(node), Choice::Any);
                plan.decide(&Wanted::by(entry, &waiting.request), place, &mut self.cluster, manner);
            }
            Placement::Node(node) => return Err(self.wrong_node(node, Method::Place)),
            answer @ (Placement::Warm { .. } | Placement::Cold { .. }) => {
                let (place, manner) = (self.check_place(&answer, waiting.function)?, self.manner());
                plan.decide(&Wanted::by(entry, &waiting.request), place, &mut self.cluster, manner);
            }
            Placement::Wait => {
                plan.staying.push((waiting.key, None));
                return Ok(Asked::ToWait);
            }
            Placement::Reject(reason) => plan.decisions.push(Decision::Reject { entry, reason }),
            Placement::Busy { node, until } => {
                let answer = self.check_busy(node, until)?;
                plan.decisions.push(Decision::Await { entry, answer });
            }
            Placement::Queue { nodes, until } => return Ok(Asked::ToQueue(self.check_queue(&nodes, until)?)),
        }
        Ok(Asked::Decided)
    }

    /// Shows the policy the cluster as one invocation sees it, and hears where that goes.
    #[inline(always)]
    pub(in crate::service) fn ask(
        &mut self,
        waiting: &Waiting,
        kernel: &Kernel<Event>,
    ) -> Result<Placement, Box<Error>> {
        if self.cluster.do_requests_vary() {
            return self.ask_where_there_is_room(waiting, kernel);
        }
        self.ask_of_all(waiting, kernel)
    }

    /// The same where containers keep parts of processors, not all the same: nodes without room are not shown as free.
    #[cold]
    #[inline(never)]
    fn ask_where_there_is_room(&mut self, waiting: &Waiting, kernel: &Kernel<Event>) -> Result<Placement, Box<Error>> {
        let hidden = self.cluster.hide_full(waiting.function);
        let answer = self.ask_of_all(waiting, kernel);
        self.cluster.show_full(hidden);
        answer
    }

    #[inline(always)]
    fn ask_of_all(&mut self, waiting: &Waiting, kernel: &Kernel<Event>) -> Result<Placement, Box<Error>> {
        let (key, request) = (waiting.key, &waiting.request);
        let (waiting, sees_history) = (self.attempts.queue().len().max(1), self.policies.rules().sees_history);
        let Self { attempts, cluster, policies, container_lists, bounds, .. } = self;
        let shown = ShownContainers::new(cluster, attempts, container_lists, kernel.now());
        let view = cluster.view(request, waiting, kernel.now(), sees_history, ContainersOf::new(&shown));
        let answer = policies.place(request, &view)?;
        let answer = bounds.within(FunctionId(request.function), answer, cluster);
        let call = self.policies.watch().last_asked(PolicySlot::NodeAllocation);
        self.tell_of_answer(key, &answer, call, kernel.now());
        Ok(answer)
    }

    /// The node, and the container there, of an answer that says which container a request of a function takes.
    fn check_place(&self, answer: &Placement, function: FunctionId) -> Result<(NodeId, Choice), Box<Error>> {
        place_of(answer, function, &self.cluster).ok_or_else(|| self.wrong_place(answer, function))
    }

    /// The error for an answer that names a node or a container which a request of a function cannot have.
    fn wrong_place(&self, answer: &Placement, function: FunctionId) -> Box<Error> {
        match choice_of(answer) {
            Some((node, choice)) if self.cluster.free_core().contains(node) => {
                self.wrong_choice(node, function, choice, Method::Place)
            }
            named => self.wrong_node(named.map_or(NONE, |(node, _)| node.0), Method::Place),
        }
    }

    /// The error for an answer that names a container which a request of a function cannot have.
    fn wrong_choice(&self, node: NodeId, function: FunctionId, choice: Choice, method: Method) -> Box<Error> {
        let described = self.cluster.node(node);
        let (number, why) = match choice {
            Choice::Any | Choice::Cold => (NONE, "cannot be had".to_owned()),
            Choice::Warm(container) => {
                let why = match described.container(container) {
                    None => "is not there".to_owned(),
                    Some(held) if held.function != function => {
                        format!("is one of function {}, not of function {}", held.function.0, function.0)
                    }
                    Some(held) if held.idle.is_none() => "is not idle".to_owned(),
                    Some(_) => "a decision of this round has taken".to_owned(),
                };
                (container.0, why)
            }
        };
        let cause = format!("answered container {number} of node {} ({:?}), which {why}", node.0, described.name);
        self.policies.error(Mistake::new(PolicySlot::NodeAllocation, method, cause))
    }

    /// The error for an answer that names a node on which nothing can run.
    pub(crate) fn wrong_node(&self, node: u32, method: Method) -> Box<Error> {
        let nodes = self.cluster.nodes().len();
        let cause = match self.cluster.nodes().find(NodeId(node)) {
            None => format!("answered node {node}, but there are nodes 0 to {}", nodes.saturating_sub(1)),
            Some(described) if !self.cluster.up().contains(NodeId(node)) => {
                format!("answered node {node} ({:?}), which is down", described.name)
            }
            Some(described) => format!("answered node {node} ({:?}), which has no free core", described.name),
        };
        self.policies.error(Mistake::new(PolicySlot::NodeAllocation, method, cause))
    }
}
