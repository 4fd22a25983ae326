//! Checks node allocation policies, and controllers in all their roles at once.

mod batch;
mod busy;
mod draw;
mod exercise;
mod joint;
mod place;
mod queues;
mod shedding;

use proptest::prelude::*;

use self::draw::{History, Step, history};
use self::joint::Roles;
use super::alarms::{Alarms, Extent};
use super::asked::answer;
use super::census::{Census, note};
use super::fault::{Claim, Fault, claimed};
use super::growth::Exercise;
use super::histories::Histories;
use super::history::Checked;
use super::log::Log;
use super::model::{FunctionSpec, Model, NodeSpec, end_of};
use super::setting::Setting;
use super::subject::Subject;
use super::workflows;
use crate::abi::NodeAllocationTable;
use crate::boundary::NodeAllocationObject;
use crate::{
    AllocationRules, Claims, ClusterView, CopyView, End, Ending, LinkView, NONE, PlanItem, RequestView, Slice,
};

/// How attempts end by themselves.
pub(super) const ENDINGS: [Ending; 4] = [Ending::Completed, Ending::Failed, Ending::TimedOut, Ending::Crashed];

/// Rounds within which everybody must run once the whole cluster is there.
const ROUNDS: usize = 200;

pub(super) struct Check {
    pub subject: Subject,
    /// In all roles of a controller at once.
    pub is_joint: bool,
}

/// A policy and the cluster it decides about.
struct Play<'a> {
    policy: NodeAllocationObject,
    roles: Option<Roles>,
    rules: AllocationRules,
    claims: Claims,
    model: Model,
    census: Census,
    plan: Vec<PlanItem>,
    alarms: Alarms,
    /// Whether anybody was placed, and how many were rejected.
    has_placed: bool,
    rejected: usize,
    log: &'a mut Log,
}

impl<'a> Play<'a> {
    fn new(
        check: &Check,
        setting: &Setting,
        (nodes, functions): (&[NodeSpec], &[FunctionSpec]),
        log: &'a mut Log,
    ) -> Result<Self, Fault> {
        let (instance, mut alarms) = check.subject.instance_of_all(setting, nodes.len() as u32)?;
        let Some(policy) = instance.role::<NodeAllocationTable>() else {
            return Err("is another kind of policy".to_owned().into());
        };
        let rules = answer("rules", || policy.rules())?;
        let mut roles = check.is_joint.then(|| Roles::of(&instance)).transpose()?;
        let mut model = Model::new(nodes, functions);
        model.now = setting.begin;
        let sees_history = rules.sees_history || roles.as_ref().is_some_and(Roles::sees_history);
        model.histories = sees_history.then(|| Histories::new(functions.len()));
        let mut policy = policy;
        let extent = Extent { nodes: nodes.len() as u32, functions: functions.len() as u32 };
        alarms.begin(setting.begin, extent, log)?;
        if rules.sees_workflows {
            workflows::tell(extent.functions, log, |workflow| policy.on_workflow(workflow))?;
        }
        if let Some(roles) = &mut roles {
            roles.on_workflow(extent.functions, log)?;
        }
        Ok(Self {
            policy,
            roles,
            alarms,
            rules,
            claims: check.subject.claims(setting),
            model,
            census: Census::default(),
            plan: Vec::new(),
            has_placed: false,
            rejected: 0,
            log,
        })
    }

    fn apply(&mut self, step: &Step) -> Result<(), Fault> {
        self.model.now += 1_000_000_000;
        let nodes = self.model.node_count() as u32;
        match *step {
            Step::Arrive(function) => {
                let request = self.model.arrive(function % self.model.function_count());
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
        self.do_orders()?;
        self.ask_again(false)?;
        self.round()
    }

    /// Does what the policy has asked for, and lets timers go off.
    fn do_orders(&mut self) -> Result<(), Fault> {
        let now = self.model.now;
        if !self.alarms.are_due(now) {
            return Ok(());
        }
        let extent = Extent { nodes: self.model.node_count() as u32, functions: self.model.function_count() as u32 };
        let Self { alarms, policy, log, model, rules, .. } = self;
        let sets = model.sets(0);
        let mut cluster = ClusterView { now, ..model.cluster_without_function(&sets) };
        if !rules.sees_history {
            cluster.histories = ClusterView::EMPTY.histories;
        }
        alarms.go_off(now, extent, log, |timer| policy.on_timer(timer, &cluster))?;
        for key in self.alarms.take_hedges() {
            if !self.rules.hedges {
                return Err("asks for another attempt, though its rules do not say that it hedges".to_owned().into());
            }
            if let Some(request) = self.model.hedge_of(key) {
                self.arrived(&request)?;
            }
        }
        self.alarms.take_ranks().into_iter().for_each(|(key, rank)| self.model.set_rank(key, rank));
        self.take_back()
    }

    fn tell_of_containers(&mut self) -> Result<(), Fault> {
        let are_told = self.roles.as_ref().is_some_and(Roles::observes_containers);
        if !self.rules.observes_containers && !are_told {
            return Ok(());
        }
        let Self { model, census, policy, roles, rules, log, .. } = self;
        let events = census.changes(model.now, model.containers(), |node| model.is_up(node));
        events.iter().try_for_each(|event| {
            note(log, event);
            if rules.observes_containers {
                answer("on_container", || policy.on_container(event))?;
            }
            roles.as_mut().map_or(Ok(()), |roles| roles.on_container(event))
        })
    }

    fn arrived(&mut self, request: &RequestView) -> Result<(), Fault> {
        let RequestView { invocation, attempt, function, .. } = *request;
        self.log.note(match attempt {
            1 => format!("(request {invocation} of function {function} arrives)"),
            _ => format!("(attempt {attempt} at request {invocation} of function {function} arrives)"),
        });
        self.enters(request, 0)
    }

    /// A request enters the queue, if it is let in.
    fn enters(&mut self, request: &RequestView, delays: u32) -> Result<(), Fault> {
        if self.comes_in(request, delays)? && self.rules.ranks {
            let rank = answer("rank", || self.policy.rank(request, self.model.now))?;
            self.log.note(format!("rank(request {}, attempt {}): {rank}", request.invocation, request.attempt));
            self.model.set_rank(request.key, rank);
        }
        Ok(())
    }

    /// An attempt has ended: the policy hears of it, and what follows from it happens.
    fn ended(&mut self, end: &End) -> Result<(), Fault> {
        self.tell(end)?;
        self.pass_on(end)?;
        if end.is_of_whole_run() && self.model.is_kept(end.node, end.container) {
            self.keep(end)?;
        }
        let (twin, again) = self.model.after(end);
        if let Some(twin) = twin {
            self.tell(&twin)?;
            self.pass_on(&twin)?;
        }
        again.map_or(Ok(()), |request| self.arrived(&request))
    }

    fn tell(&mut self, end: &End) -> Result<(), Fault> {
        self.log.note(note_of(end));
        if let Some(histories) = self.model.histories.as_mut().filter(|_| end.ending != Ending::Requeued) {
            histories.ended(end);
        }
        if self.rules.observes_ends {
            answer("on_end", || self.policy.on_end(end))?;
        }
        self.roles.as_mut().map_or(Ok(()), |roles| roles.on_end(end))
    }

    /// Those behind the first so many in the queue are lost, and as many of those that wait for a busy container or stand in the
    /// queues of nodes.
    fn lose_queue(&mut self, kept: usize) -> Result<(), Fault> {
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

    fn set_up(&mut self, node: u32, up: bool) -> Result<(), Fault> {
        let Some(ends) = self.model.set_up(node, up) else { return Ok(()) };
        self.log.note(format!("(node {node} is {})", if up { "up again" } else { "down" }));
        ends.iter().try_for_each(|end| if end.ending == Ending::Requeued { self.tell(end) } else { self.ended(end) })
    }

    fn set_link(&mut self, link: u32, share: f64) {
        if self.model.set_link(link, share) {
            self.log.note(format!("(link {link} has {share} of its bandwidth)"));
        }
    }

    fn round(&mut self) -> Result<(), Fault> {
        self.end_waits()?;
        self.tell_of_containers()?;
        self.serve_queues()?;
        self.shed()?;
        for (node, view, up) in self.model.take_changed() {
            if self.rules.observes {
                answer("observe", || self.policy.observe(node, &view, up))?;
            }
        }
        for (link, share, nodes) in self.model.take_changed_links() {
            if self.rules.observes {
                let view = LinkView { link, share, nodes: nodes.view(), ..LinkView::default() };
                answer("observe_link", || self.policy.observe_link(&view))?;
            }
        }
        match self.policy.is_batch() {
            false => self.place_all()?,
            true => self.plan_all()?,
        }
        self.choose_sources()?;
        self.model.end_round();
        self.tell_of_containers()
    }

    /// Copies begin: the policy says from where, if it wants to.
    fn choose_sources(&mut self) -> Result<(), Fault> {
        for (image, node, holders, sending) in self.model.take_copies() {
            if !self.rules.chooses_sources {
                continue;
            }
            let copy = CopyView {
                image,
                now: self.model.now,
                bytes: 1,
                node,
                holders: holders.view(),
                sending: Slice::new(&sending),
                ..CopyView::default()
            };
            let source = answer("source", || self.policy.source(&copy))?;
            let named = if source == NONE { "the head".to_owned() } else { format!("node {source}") };
            self.log.note(format!("source(image {image} for node {node}): {named}"));
            if source != NONE && !holders.contains(source) {
                return Err(format!("has image {image} copied from {named}, which does not have it").into());
            }
            self.model.set_source(image, node, source);
        }
        Ok(())
    }

    /// The whole cluster is there, everything that runs ends and all images arrive: everybody must run in the end.
    fn drain(&mut self) -> Result<(), Fault> {
        (0..self.model.node_count() as u32).try_for_each(|node| self.set_up(node, true))?;
        (0..self.model.link_count() as u32).for_each(|link| self.set_link(link, 1.0));
        self.finish_all()?;
        // Those who find an idle cluster.
        if self.has_placed || self.rejected == 0 {
            return Ok(());
        }
        (0..self.model.function_count().min(4)).try_for_each(|function| self.apply(&Step::Arrive(function)))?;
        self.finish_all()?;
        if self.has_placed {
            return Ok(());
        }
        let fault = format!("rejects everybody, {} in all, though the cluster is idle", self.rejected);
        claimed(self.claims, Claim::LetsInWhenIdle, fault)
    }

    fn finish_all(&mut self) -> Result<(), Fault> {
        let noted = self.log.lines.len();
        for _ in 0..ROUNDS {
            let waits =
                !self.model.queue.is_empty() || !self.model.awaiting.is_empty() || !self.model.standing.is_empty();
            if !waits && !self.is_anybody_put_off() {
                return Ok(());
            }
            if waits {
                self.round()?;
            } else {
                self.ask_again(true)?;
            }
            while let Some(end) = self.model.finish(0, Ending::Completed) {
                self.ended(&end)?;
            }
            self.model.deliver();
            if self.model.queue.is_empty() {
                self.pass_time()?;
            }
        }
        let Some(request) = self.model.queue.first() else { return Ok(()) };
        self.log.fold(noted);
        let fault = format!("request {} still waits after {ROUNDS} rounds on an idle cluster", request.invocation);
        claimed(self.claims, Claim::WorkConserving, fault)
    }
}

/// An end as the history tells it.
pub(super) fn note_of(end: &End) -> String {
    let End { invocation, attempt, node, ending, run_time, .. } = *end;
    let place = if node == NONE { "in the queue".to_owned() } else { format!("on node {node}") };
    format!("(attempt {attempt} at request {invocation} {place}: {ending:?}, ran {run_time})")
}

impl Checked for Check {
    type History = History;

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn histories(&self) -> BoxedStrategy<History> {
        history().boxed()
    }

    fn play(&self, setting: &Setting, history: &History, log: &mut Log) -> Result<(), Fault> {
        setting.note(log);
        let mut first = 0;
        for (count, NodeSpec { cores, ram, disk }) in &history.nodes {
            let which =
                if *count == 1 { format!("node {first}") } else { format!("nodes {first} to {}", first + count - 1) };
            log.note(format!("({which}: {cores} cores, {ram} B RAM, {disk} B disk)"));
            first += count;
        }
        let (nodes, functions) = (history.all_nodes(), history.all_functions());
        if functions.len() > 3 {
            log.note(format!("({} functions)", functions.len()));
        }
        let mut play = Play::new(self, setting, (&nodes, &functions), log)?;
        // One stays, so that there is a cluster.
        (0..history.down.min(nodes.len() as u32 - 1)).try_for_each(|node| play.set_up(node, false))?;
        history.steps.iter().try_for_each(|step| play.apply(step))?;
        play.drain()
    }

    fn exercise(&self) -> Result<Exercise<'_>, Fault> {
        exercise::live(self)
    }

    fn examine(&self, log: &mut Log) -> Result<(), Fault> {
        self.examine_ranks(log)
    }
}
