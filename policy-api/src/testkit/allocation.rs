//! Checks node allocation policies.

mod batch;
mod busy;
mod queues;
mod shedding;

use proptest::prelude::*;

use super::alarms::Alarms;
use super::census::{Census, note};
use super::histories::Histories;
use super::history::{Checked, Exercise, Log};
use super::keep_alive::claimed;
use super::model::{Choice, FunctionSpec, Model, NodeSpec, end_of};
use super::subject::{Subject, answer};
use crate::boundary::NodeAllocationObject;
use crate::{
    AllocationRules, Claims, ClusterView, Commitment, End, Ending, LinkView, NONE, NodeView, Placement, PlanItem,
    RequestView,
};

/// How attempts end by themselves.
pub(super) const ENDINGS: [Ending; 4] = [Ending::Completed, Ending::Failed, Ending::TimedOut, Ending::Crashed];

/// Rounds within which everybody must run once the whole cluster is there.
const ROUNDS: usize = 200;

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A request of a function, of those there are.
    Arrive(usize),
    /// The end of an attempt, of those that run.
    Finish { which: usize, ending: Ending },
    /// Another attempt beside one of those that run.
    Hedge(usize),
    /// The head loses its queue.
    LoseQueue,
    /// A node goes, of those there are.
    Down(u32),
    /// A node comes back.
    Up(u32),
    /// All images on their way arrive.
    Deliver,
    /// An idle container of a node ends.
    Expire(u32),
    /// A link has another part of its bandwidth.
    Link { link: u32, share: f64 },
}

#[derive(Clone, Debug)]
pub(super) struct History {
    nodes: Vec<NodeSpec>,
    functions: Vec<FunctionSpec>,
    steps: Vec<Step>,
}

pub(super) struct Check {
    pub claims: Claims,
    pub subject: Subject,
}

fn history() -> impl Strategy<Value = History> {
    let node = (1..4_u32, 1..10_u64, 1..10_u64).prop_map(|(cores, ram, disk)| NodeSpec { cores, ram, disk });
    let function =
        (0..6_u64, 0..6_u64, any::<bool>()).prop_map(|(ram, disk, has_image)| FunctionSpec { ram, disk, has_image });
    let step = prop_oneof![
        6 => (0..4_usize).prop_map(Step::Arrive),
        3 => (0..8_usize, ending()).prop_map(|(which, ending)| Step::Finish { which, ending }),
        1 => (0..8_usize).prop_map(Step::Hedge),
        1 => (0..5_u32).prop_map(Step::Down),
        1 => (0..5_u32).prop_map(Step::Up),
        2 => Just(Step::Deliver),
        1 => (0..5_u32).prop_map(Step::Expire),
        1 => Just(Step::LoseQueue),
        1 => (0..7_u32, prop::sample::select(vec![0.0, 0.1, 1.0])).prop_map(|(link, share)| Step::Link { link, share }),
    ];
    let parts = (
        proptest::collection::vec(node, 1..6),
        proptest::collection::vec(function, 1..4),
        proptest::collection::vec(step, 0..50),
    );
    parts.prop_map(|(nodes, mut functions, steps)| {
        // The host registers no function that no node could ever run.
        for function in &mut functions {
            let fits = |node: &NodeSpec| function.ram <= node.ram && function.disk <= node.disk;
            if let (false, Some(node)) = (nodes.iter().any(fits), nodes.first()) {
                (function.ram, function.disk) = (function.ram.min(node.ram), function.disk.min(node.disk));
            }
        }
        History { nodes, functions, steps }
    })
}

/// How an attempt ends by itself.
pub(super) fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![4 => Just(Ending::Completed), 1 => Just(Ending::Failed), 1 => Just(Ending::TimedOut), 1 => Just(Ending::Crashed)]
}

/// A policy and the cluster it decides about.
struct Play<'a> {
    policy: NodeAllocationObject,
    rules: AllocationRules,
    claims: Claims,
    model: Model,
    census: Census,
    plan: Vec<PlanItem>,
    alarms: Alarms,
    log: &'a mut Log,
}

impl<'a> Play<'a> {
    fn new(check: &Check, nodes: &[NodeSpec], functions: &[FunctionSpec], log: &'a mut Log) -> Result<Self, String> {
        let (policy, alarms): (NodeAllocationObject, _) = check.subject.instance(nodes.len() as u32)?;
        let rules = answer("rules", policy.rules())?;
        let mut model = Model::new(nodes, functions);
        model.histories = rules.sees_history.then(|| Histories::new(functions.len()));
        Ok(Self {
            policy,
            alarms,
            rules,
            claims: check.claims,
            model,
            census: Census::default(),
            plan: Vec::new(),
            log,
        })
    }

    fn apply(&mut self, step: &Step) -> Result<(), String> {
        self.model.now += 1_000_000_000;
        let nodes = self.model.node_count() as u32;
        match *step {
            Step::Arrive(function) => {
                let request = self.model.arrive(function);
                self.arrived(&request)?;
            }
            Step::Finish { which, ending } => {
                if let Some(end) = self.model.finish(which, ending) {
                    self.ended(&end)?;
                }
            }
            Step::Hedge(which) => {
                if let Some(request) = self.model.hedge(which) {
                    self.arrived(&request)?;
                }
            }
            Step::LoseQueue => self.lose_queue(0)?,
            Step::Down(node) => self.set_up(node % nodes, false)?,
            Step::Up(node) => self.set_up(node % nodes, true)?,
            Step::Deliver => {
                self.log.note("(all images arrive that are on their way)".to_owned());
                self.model.deliver();
            }
            Step::Expire(node) => {
                if self.model.expire(node % nodes) {
                    self.log.note(format!("(an idle container ends on node {})", node % nodes));
                }
            }
            Step::Link { link, share } => self.set_link(link % self.model.link_count() as u32, share),
        }
        self.tell_of_containers()?;
        let now = self.model.now;
        let cluster = ClusterView { now, ..ClusterView::EMPTY };
        self.alarms.go_off(now, self.log, |timer| self.policy.on_timer(timer, &cluster))?;
        for key in self.alarms.take_hedges() {
            if !self.rules.hedges {
                return Err("asks for another attempt, though its rules do not say that it hedges".to_owned());
            }
            if let Some(request) = self.model.hedge_of(key) {
                self.arrived(&request)?;
            }
        }
        self.take_back()?;
        self.round()
    }

    fn tell_of_containers(&mut self) -> Result<(), String> {
        if !self.rules.observes_containers {
            return Ok(());
        }
        let Self { model, census, policy, log, .. } = self;
        let events = census.changes(model.now, model.containers(), |node| model.is_up(node));
        events.iter().try_for_each(|event| {
            note(log, event);
            answer("on_container", policy.on_container(event))
        })
    }

    fn arrived(&mut self, request: &RequestView) -> Result<(), String> {
        let RequestView { invocation, attempt, function, .. } = *request;
        self.log.note(match attempt {
            1 => format!("(request {invocation} of function {function} arrives)"),
            _ => format!("(attempt {attempt} at request {invocation} of function {function} arrives)"),
        });
        if self.rules.ranks {
            answer("rank", self.policy.rank(request, self.model.now))?;
        }
        Ok(())
    }

    /// An attempt has ended: the policy hears of it, and what follows from it happens.
    fn ended(&mut self, end: &End) -> Result<(), String> {
        self.tell(end)?;
        self.pass_on(end)?;
        let (twin, again) = self.model.after(end);
        if let Some(twin) = twin {
            self.tell(&twin)?;
            self.pass_on(&twin)?;
        }
        again.map_or(Ok(()), |request| self.arrived(&request))
    }

    fn tell(&mut self, end: &End) -> Result<(), String> {
        self.log.note(note_of(end));
        if let Some(histories) = self.model.histories.as_mut().filter(|_| end.ending != Ending::Requeued) {
            histories.ended(end);
        }
        if self.rules.observes_ends { answer("on_end", self.policy.on_end(end)) } else { Ok(()) }
    }

    /// Those behind the first so many in the queue are lost, and as many of those that wait for a busy container or stand in the
    /// queues of nodes.
    fn lose_queue(&mut self, kept: usize) -> Result<(), String> {
        let awaiting = kept.min(self.model.awaiting.len());
        for wait in self.model.awaiting.split_off(awaiting) {
            self.ended(&end_of(&wait.request, Ending::Lost, self.model.now))?;
        }
        for request in self.model.lose_standing(kept) {
            self.ended(&end_of(&request, Ending::Lost, self.model.now))?;
        }
        let kept = kept.min(self.model.queue.len());
        for request in self.model.queue.split_off(kept) {
            self.ended(&end_of(&request, Ending::Lost, self.model.now))?;
        }
        Ok(())
    }

    fn set_up(&mut self, node: u32, up: bool) -> Result<(), String> {
        let Some(ends) = self.model.set_up(node, up) else { return Ok(()) };
        self.log.note(format!("(node {node} is {})", if up { "up again" } else { "down" }));
        ends.iter().try_for_each(|end| if end.ending == Ending::Requeued { self.tell(end) } else { self.ended(end) })
    }

    fn set_link(&mut self, link: u32, share: f64) {
        if self.model.set_link(link, share) {
            self.log.note(format!("(link {link} has {share} of its bandwidth)"));
        }
    }

    fn round(&mut self) -> Result<(), String> {
        self.end_waits()?;
        self.tell_of_containers()?;
        self.serve_queues()?;
        self.shed()?;
        for (node, view, up) in self.model.take_changed() {
            if self.rules.observes {
                answer("observe", self.policy.observe(node, &view, up))?;
            }
        }
        for (link, share, nodes) in self.model.take_changed_links() {
            if self.rules.observes {
                answer(
                    "observe_link",
                    self.policy.observe_link(&LinkView { link, share, nodes: nodes.view(), ..LinkView::default() }),
                )?;
            }
        }
        match self.policy.is_batch() {
            false => self.place_all()?,
            true => self.plan_all()?,
        }
        self.model.end_round();
        self.tell_of_containers()
    }

    /// Asks about everybody in turn, but for the later requests of a function that is to wait.
    fn place_all(&mut self) -> Result<(), String> {
        let mut told_to_wait = Vec::new();
        for request in self.model.queue.clone() {
            let function = request.function as usize;
            let sets = self.model.sets(function);
            let view = self.model.cluster(&sets, function);
            if told_to_wait.contains(&function) || (view.free_core.is_empty() && !self.rules.queues) {
                continue;
            }
            let placement = answer("place", self.policy.place(&request, &view))?;
            self.log.note(format!(
                "place(request {}: function {function}, {} B RAM, {} B disk): {placement:?}",
                request.invocation, request.ram_limit, request.disk_limit
            ));
            if self.rules.answers_hold {
                // Another date, another queue, another request, and nodes that have what they have not.
                let nodes: Vec<NodeView> = view.nodes.iter().map(|_| NodeView::default()).collect();
                let other =
                    ClusterView { now: view.now + 7, waiting: view.waiting + 3, nodes: (&nodes[..]).into(), ..view };
                let later = RequestView {
                    invocation: request.invocation + 1,
                    attempt: 7,
                    requested_at: 0,
                    deadline: 7,
                    ..request
                };
                let again = answer("place", self.policy.place(&later, &other))?;
                if again != placement {
                    return Err(format!(
                        "says that its answers hold, and answers {again:?} when only the sets are the same"
                    ));
                }
            }
            match placement {
                Placement::Node(node) => self.check_node((node, Choice::Any), &request)?,
                Placement::Warm { node, container } => self.check_node((node, Choice::Warm(container)), &request)?,
                Placement::Cold { node } => self.check_node((node, Choice::Cold), &request)?,
                Placement::Wait => {
                    self.check_wait(&request)?;
                    told_to_wait.push(function);
                }
                Placement::Reject(_) => {
                    self.model.leave(&request);
                    self.ended(&end_of(&request, Ending::Rejected, self.model.now))?;
                }
                Placement::Busy { node, until } => self.check_busy(node, until, &request)?,
                Placement::Queue { nodes, until } => self.check_queue(&nodes, until, &request)?,
            }
        }
        Ok(())
    }

    fn check_node(&mut self, (node, choice): (u32, Choice), request: &RequestView) -> Result<(), String> {
        let nodes = self.model.node_count();
        if node as usize >= nodes {
            return Err(format!("places a request on node {node}, of nodes 0 to {}", nodes - 1));
        }
        if !self.model.is_up(node) {
            return Err(format!("places a request on node {node}, which is down"));
        }
        if self.model.view(node).free_cores == 0 {
            return Err(format!("places a request on node {node}, which has no free core"));
        }
        self.check_container((node, choice), request)?;
        // Room for a new one is that of idle ones of its function, too.
        if !self.model.can_start(node, request) {
            let fault = format!("places a request on node {node}, which cannot make room for it");
            claimed(self.claims, |claims| claims.respects_capacity, fault)?;
        }
        let binds = self.rules.commitment == Commitment::UntilStarted;
        if self.model.place(request, (node, choice), binds) {
            self.model.leave(request);
        } else if binds {
            self.tell(&End { node, ..end_of(request, Ending::Requeued, self.model.now) })?;
        }
        Ok(())
    }

    fn check_container(&self, (node, choice): (u32, Choice), request: &RequestView) -> Result<(), String> {
        match choice {
            Choice::Warm(container) if !self.model.is_idle(request, node, container) => {
                Err(wrong_container((node, container), request))
            }
            _ => Ok(()),
        }
    }

    fn check_wait(&self, request: &RequestView) -> Result<(), String> {
        let place = (0..self.model.node_count() as u32).find(|node| self.model.has_place(*node, request));
        let Some(node) = place else { return Ok(()) };
        let fault = format!("lets request {} wait, though node {node} has a core and room for it", request.invocation);
        claimed(self.claims, |claims| claims.work_conserving, fault)
    }

    /// The whole cluster is there, everything that runs ends and all images arrive: everybody must run in the end.
    fn drain(&mut self) -> Result<(), String> {
        (0..self.model.node_count() as u32).try_for_each(|node| self.set_up(node, true))?;
        (0..self.model.link_count() as u32).for_each(|link| self.set_link(link, 1.0));
        for _ in 0..ROUNDS {
            if self.model.queue.is_empty() && self.model.awaiting.is_empty() && self.model.standing.is_empty() {
                return Ok(());
            }
            self.round()?;
            while let Some(end) = self.model.finish(0, Ending::Completed) {
                self.ended(&end)?;
            }
            self.model.deliver();
            if self.model.queue.is_empty() {
                self.pass_time()?;
            }
        }
        let Some(request) = self.model.queue.first() else { return Ok(()) };
        let fault = format!("request {} still waits after {ROUNDS} rounds on an idle cluster", request.invocation);
        claimed(self.claims, |claims| claims.work_conserving, fault)
    }
}

/// A container that a request cannot have.
fn wrong_container((node, container): (u32, u32), request: &RequestView) -> String {
    let RequestView { invocation, function, .. } = request;
    format!(
        "places request {invocation} in container {container} of node {node}, which is not an idle one of function {function} \
         there, or is taken"
    )
}

/// An end as the history tells it.
pub(super) fn note_of(end: &End) -> String {
    let End { invocation, attempt, node, ending, run_time, .. } = *end;
    let place = if node == NONE { "in the queue".to_owned() } else { format!("on node {node}") };
    format!("(attempt {attempt} at request {invocation} {place}: {ending:?}, ran {run_time})")
}

impl Checked for Check {
    type History = History;

    fn histories(&self) -> impl Strategy<Value = History> {
        history()
    }

    fn play(&self, history: &History, log: &mut Log) -> Result<(), String> {
        let History { nodes, functions, steps } = history;
        for (number, NodeSpec { cores, ram, disk }) in nodes.iter().enumerate() {
            log.note(format!("(node {number}: {cores} cores, {ram} B RAM, {disk} B disk)"));
        }
        let mut play = Play::new(self, nodes, functions, log)?;
        steps.iter().try_for_each(|step| {
            // Numbers of functions are drawn before it is known how many there are.
            let step = match step {
                Step::Arrive(function) => &Step::Arrive(function % functions.len()),
                other => other,
            };
            play.apply(step)
        })?;
        play.drain()
    }

    fn exercise(&self) -> Result<Exercise<'_>, String> {
        let nodes = vec![NodeSpec { cores: 2, ram: 8, disk: 8 }; 4];
        let functions: Vec<FunctionSpec> =
            (0..3).map(|function| FunctionSpec { ram: 1 + function, disk: 1, has_image: function == 2 }).collect();
        let mut log = Log::default();
        let play = Play::new(self, &nodes, &functions, &mut log)?;
        let rules = play.rules;
        let (mut policy, mut model) = (Some((play.policy, play.alarms)), Some((play.model, play.census)));
        Ok(Box::new(move |calls| {
            let mut log = Log::default();
            let (Some((of_policy, alarms)), Some((of_model, census))) = (policy.take(), model.take()) else {
                return Ok(());
            };
            let mut play = Play {
                policy: of_policy,
                rules,
                claims: self.claims,
                model: of_model,
                census,
                plan: Vec::new(),
                alarms,
                log: &mut log,
            };
            for call in 0..calls as usize {
                play.log.0.clear();
                play.apply(&Step::Arrive(call % 3))?;
                let ending = ENDINGS[call % ENDINGS.len()];
                play.apply(&Step::Finish { which: call, ending })?;
                play.apply(&Step::Hedge(call))?;
                play.apply(&Step::Deliver)?;
                // Each link in turn is degraded and whole again.
                let (link, share) = (call as u32 / 2, if call % 2 == 0 { 0.1 } else { 1.0 });
                play.apply(&Step::Link { link, share })?;
                if call % 7 == 0 {
                    play.apply(&Step::Down(call as u32))?;
                    play.apply(&Step::Up(call as u32))?;
                }
                // A policy that lets wait, or may, must not make the queue grow.
                play.lose_queue(4)?;
            }
            let Play { policy: of_policy, alarms, model: of_model, census, .. } = play;
            (policy, model) = (Some((of_policy, alarms)), Some((of_model, census)));
            Ok(())
        }))
    }
}
