//! Policies are replaced while a simulation runs. Who comes late is told what one that was there from the begin would know by now of
//! what is there: workflows, containers, nodes and links that are not whole. It does not hear of the ends of what its predecessor has
//! decided, since it could not tell whose they are. What cannot be made good is refused.

use std::rc::Rc;

use hearth_policy_api::boundary::{AdmissionObject, AutoscalingObject, KeepAliveObject, NodeAllocationObject};
use hearth_policy_api::{
    AdmissionRules, AllocationRules, AutoscalingRules, Commitment, ContainerChange, ContainerEvent, KeepAliveRules,
    NONE, PolicySlot,
};
use hearth_simcore::kernel::Kernel;
use rustc_hash::FxHashSet;

use super::Service;
use super::attempts::{AttemptKey, Stage, WaitingQueue};
use super::event::{Event, Happening, Message};
use super::policies::Policies;
use super::scheduling::Backfilling;
use crate::error::Error;
use crate::node::{ContainerEviction, NodeId};
use crate::policy::{ConstructionError, EvictionInstance, Hosted, Mistake, PolicySet, Storage, Workshop};

/// Instances that have been made and are not yet in their place.
enum Made {
    Admission(Hosted<AdmissionObject>, AdmissionRules),
    NodeAllocation(Hosted<NodeAllocationObject>, AllocationRules),
    KeepAlive(Hosted<KeepAliveObject>, KeepAliveRules),
    Autoscaling(Hosted<AutoscalingObject>, AutoscalingRules),
    ClusterAutoscaling(Hosted<AutoscalingObject>, AutoscalingRules),
    /// By node.
    Containers(Vec<ContainerEviction>),
    /// By node; of the head it is one.
    Images(PolicySlot, Vec<EvictionInstance>),
}

/// Policies that have been made, and are to come into their places.
pub(crate) struct Others {
    slots: Vec<PolicySlot>,
    set: PolicySet,
    made: Vec<Made>,
}

/// Whether an attempt that stands there has been let in.
fn is_let_in(stage: &Stage) -> bool {
    stage.waits() || matches!(stage, Stage::Held(_) | Stage::Served(_))
}

/// Whether it has been given a place, too. Node allocation is asked about the others yet.
fn is_placed(stage: &Stage) -> bool {
    is_let_in(stage) && !matches!(stage, Stage::Admitted | Stage::AwaitsImage(_) | Stage::Queued)
}

fn refused(slot: PolicySlot, policy: String, why: impl Into<String>) -> Box<Error> {
    Box::new(Error::Irreplaceable { slot, policy, why: why.into() })
}

impl Service {
    /// Has everything counted and noted from the begin that a policy which comes later may ask for, or who looks at the simulation.
    pub(crate) fn expect_others(&mut self) {
        self.cluster.keep_histories();
        self.cluster.note_containers();
        self.policies.count_histories();
    }

    /// Makes the policies of a set for these slots. Nothing has changed yet.
    ///
    /// # Errors
    /// What is refused, or cannot be made.
    pub(crate) fn make_others(
        &self,
        slots: &[PolicySlot],
        set: PolicySet,
        kernel: &Kernel<Event>,
    ) -> Result<Others, Box<Error>> {
        for slot in slots {
            self.check_replacement(*slot, &set)?;
        }
        let recorder = self.policies.watch().recorder();
        let last_call = recorder.map(|recorder| recorder.number());
        let workshop = Workshop {
            policies: &set,
            seed: kernel.seed(),
            nodes: self.cluster.nodes().len() as u32,
            watch: self.policies.shared_watch(),
        };
        let mut all = Vec::new();
        for slot in slots {
            let made = self.make(*slot, &workshop, kernel).and_then(|made| self.check_made(&made, &set).map(|()| made));
            match made {
                Ok(made) => all.push(made),
                Err(error) => {
                    drop(all);
                    // What those have asked for that have been made is nobody's.
                    self.policies.watch().orders().take();
                    self.policies.watch().take_mistake();
                    recorder.zip(last_call).into_iter().for_each(|(recorder, number)| recorder.forget_after(number));
                    return Err(error);
                }
            }
        }
        Ok(Others { slots: slots.to_vec(), set, made: all })
    }

    /// Puts policies that have been made into the place of those that are there, and has them asked about who waits.
    ///
    /// # Errors
    /// What one of them has done wrong: the simulation cannot go on.
    pub(crate) fn install_others(&mut self, others: Others, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Others { slots, set, made } = others;
        for slot in &slots {
            self.timers.forget(*slot);
        }
        self.policies.set_factories(&slots, &set);
        for made in made {
            self.install(made, kernel)?;
        }
        let mistake = |service: &Self| {
            let mistake = service.policies.watch().take_mistake();
            mistake.map_or(Ok(()), |mistake| Err(service.policies.error(mistake)))
        };
        mistake(self)?;
        let asked = self.step(Happening::Message(Message::Changed), kernel);
        mistake(self)?;
        asked
    }

    /// What can be refused before anything is made.
    fn check_replacement(&self, slot: PolicySlot, set: &PolicySet) -> Result<(), Box<Error>> {
        let new = set.describe(slot);
        if self.policies.is_of_controller(slot) {
            let old = self.policies.describe(slot);
            let why = format!(
                "{old} serves there, which is a controller: a policy of several kinds with one state, that would be left without one \
                 of them"
            );
            return Err(refused(slot, new, why));
        }
        if set.is_of_controller(slot) {
            let why = "it is a controller: a policy of several kinds with one state, which has not seen the others' decisions";
            return Err(refused(slot, new, why));
        }
        let is_there = match slot {
            PolicySlot::Autoscaling => self.has_instances(),
            PolicySlot::ClusterAutoscaling => self.has_node_pools(),
            _ => true,
        };
        if !is_there {
            let what = if slot == PolicySlot::Autoscaling { "instances" } else { "pools of nodes" };
            return Err(refused(slot, new, format!("nobody is asked there: the scenario has no {what}")));
        }
        if set.record(slot).is_none() {
            return Err(refused(slot, new, "there is to be a policy: name \"none\" for one that does nothing"));
        }
        Ok(())
    }

    /// What can be refused once it is known what a policy wants.
    fn check_made(&self, made: &Made, set: &PolicySet) -> Result<(), Box<Error>> {
        let slot = PolicySlot::NodeAllocation;
        if let Made::ClusterAutoscaling(_, rules) = made
            && !rules.scales_pools
        {
            return Err(Error::NoClusterAutoscaler(set.describe(PolicySlot::ClusterAutoscaling)).into());
        }
        let Made::NodeAllocation(policy, rules) = made else { return Ok(()) };
        if policy.is_batch() && self.settings.backfilling != Backfilling::Unlimited {
            let backfilling = self.settings.backfilling.name();
            return Err(Error::BatchBackfilling { backfilling, policy: set.describe(slot) }.into());
        }
        if rules.hedges && !self.has_attempts() {
            let why = "it asks for other attempts beside those under way, and those of this run have not been counted one by one from \
                       its begin";
            return Err(refused(slot, set.describe(slot), why));
        }
        let asked = |is_batch, rules: &AllocationRules| (is_batch, rules.commitment);
        let bound = self.measure(super::Quantity::Bound);
        if asked(policy.is_batch(), rules) != asked(self.policies.is_batch(), self.policies.rules()) && bound > 0 {
            let why = format!(
                "its answers hold for another time than those of {}, by which {bound} wait at nodes or for containers: run on \
                 until bound = 0",
                self.policies.describe(slot)
            );
            return Err(refused(slot, set.describe(slot), why));
        }
        Ok(())
    }

    /// The keys of the attempts that stand in such a stage.
    fn those(&self, are: impl Fn(&Stage) -> bool) -> FxHashSet<u64> {
        let those = self.attempts.iter().filter(|(_, attempt)| are(attempt.stage()));
        those.map(|(key, _)| key.as_shown()).collect()
    }

    fn make(&self, slot: PolicySlot, workshop: &Workshop<'_>, kernel: &Kernel<Event>) -> Result<Made, Box<Error>> {
        let set = workshop.policies;
        let wrong = |mistake: Mistake| Box::new(Error::policy(set, mistake));
        let nobody = || refused(slot, set.describe(slot), "there is to be a policy");
        let construction = |error: ConstructionError| Box::new(Error::from(error));
        Ok(match slot {
            PolicySlot::Admission => {
                let mut made = workshop.make(slot, &set.admission).map_err(construction)?;
                let rules = made.rules().map_err(wrong)?;
                Made::Admission(made, rules)
            }
            PolicySlot::NodeAllocation => {
                let mut made = workshop.make(slot, &set.node_allocation).map_err(construction)?;
                let rules = made.rules().map_err(wrong)?;
                Made::NodeAllocation(made, rules)
            }
            PolicySlot::KeepAlive => {
                let mut made = workshop.make(slot, &set.keep_alive).map_err(construction)?;
                let rules = made.rules().map_err(wrong)?;
                Made::KeepAlive(made, rules)
            }
            PolicySlot::Autoscaling => {
                let factory = set.autoscaling.as_ref().ok_or_else(nobody)?;
                let mut made = workshop.make(slot, factory).map_err(construction)?;
                let rules = made.rules().map_err(wrong)?;
                Made::Autoscaling(made, rules)
            }
            PolicySlot::ClusterAutoscaling => {
                let factory = set.cluster_autoscaling.as_ref().ok_or_else(nobody)?;
                let mut made = workshop.make(slot, factory).map_err(construction)?;
                let rules = made.rules().map_err(wrong)?;
                Made::ClusterAutoscaling(made, rules)
            }
            PolicySlot::ImagesOnHead => {
                let host = kernel.platform().host(self.head.host());
                let disk = host.disk().map_or(0, |disk| disk.capacity);
                let storage = Storage { host: &host.name, node: NONE, ram: 0, disk };
                Made::Images(slot, vec![workshop.eviction(slot, &storage).map_err(construction)?])
            }
            PolicySlot::Containers | PolicySlot::ImagesInRam | PolicySlot::ImagesOnDisk => {
                let of_node = |node: NodeId| {
                    let held = self.cluster.node(node);
                    let all =
                        Storage { host: &held.name, node: node.0, ram: held.ram_capacity, disk: held.disk_capacity };
                    let storage = match slot {
                        PolicySlot::ImagesInRam => Storage { disk: 0, ..all },
                        PolicySlot::ImagesOnDisk => Storage { ram: 0, ..all },
                        _ => all,
                    };
                    workshop.eviction(slot, &storage).map_err(construction)
                };
                let made: Vec<_> = self.cluster.nodes().names().map(of_node).collect::<Result<_, _>>()?;
                if slot == PolicySlot::Containers {
                    let made = made.into_iter().map(|of| ContainerEviction::new(of).map_err(wrong));
                    Made::Containers(made.collect::<Result<_, _>>()?)
                } else {
                    Made::Images(slot, made)
                }
            }
        })
    }

    /// Puts one into its place, and tells it what it must know.
    fn install(&mut self, made: Made, kernel: &Kernel<Event>) -> Result<(), Box<Error>> {
        match made {
            Made::Admission(policy, rules) => {
                let strangers = self.those(is_let_in);
                self.policies.set_admission(policy, rules, strangers);
                self.tell_latecomer(PolicySlot::Admission, rules.sees_workflows, rules.observes_containers);
            }
            Made::KeepAlive(policy, rules) => {
                self.policies.set_keep_alive(policy, rules);
                self.tell_latecomer(PolicySlot::KeepAlive, rules.sees_workflows, rules.observes_containers);
            }
            Made::NodeAllocation(policy, rules) => {
                let strangers = self.those(is_placed);
                self.policies.set_node_allocation(policy, rules, strangers);
                self.tell_latecomer(PolicySlot::NodeAllocation, rules.sees_workflows, rules.observes_containers);
                self.take_over_queue(rules, kernel)?;
            }
            Made::Autoscaling(policy, rules) => {
                self.instances.set_tick_period(rules.period);
                self.policies.set_autoscaling(policy, rules);
                self.tell_latecomer(PolicySlot::Autoscaling, false, rules.observes_containers);
            }
            Made::ClusterAutoscaling(policy, rules) => {
                self.node_pools.set_tick_period(rules.period);
                self.policies.set_cluster_autoscaling(policy, rules);
                self.tell_latecomer(PolicySlot::ClusterAutoscaling, false, rules.observes_containers);
            }
            Made::Containers(policies) => self.cluster.replace_container_eviction(policies),
            Made::Images(PolicySlot::ImagesOnHead, policies) => {
                for policy in policies {
                    self.head.images.replace_eviction(policy, kernel.now());
                }
            }
            Made::Images(slot, policies) => self.cluster.replace_image_eviction(slot, policies, kernel.now()),
        }
        Ok(())
    }

    /// Tells a policy of the workflows and containers that there are, if it wants to hear of such.
    fn tell_latecomer(&mut self, slot: PolicySlot, sees_workflows: bool, observes_containers: bool) {
        if sees_workflows {
            self.tell_of_workflows(slot);
        }
        if observes_containers {
            for event in self.past_of_containers() {
                self.policies.tell_one_of_container(slot, &event);
            }
        }
    }

    /// What has become of the containers that there are, as far as it has led to what they are now, in the order of dates.
    fn past_of_containers(&self) -> Vec<ContainerEvent> {
        let mut events = Vec::new();
        for (node, held) in self.cluster.nodes().named() {
            for (position, container) in &held.containers {
                let footprint = self.cluster.footprint(container.function);
                let event = ContainerEvent {
                    node: node.0,
                    container: position as u32,
                    function: container.function.0,
                    ram: footprint.ram,
                    disk: footprint.disk,
                    ..ContainerEvent::default()
                };
                let attempt = container.holder.map(AttemptKey::from).and_then(|key| self.attempts.get(key));
                let created = container.created.as_nanos();
                let (begin, then) = match (&container.idle, attempt) {
                    (Some(idle), _) => {
                        (ContainerChange::StartingAhead, Some((ContainerChange::Idle, idle.since.as_nanos())))
                    }
                    // It is an instance's, which has had a request.
                    (None, _) if self.instances.serve(container.function) => {
                        let up = container.holder.is_some().then_some((ContainerChange::Up, created));
                        (ContainerChange::StartingAhead, up)
                    }
                    (None, Some(attempt)) => {
                        let up = attempt.record.started_at.map(|date| (ContainerChange::Up, date.as_nanos()));
                        (ContainerChange::Starting, up)
                    }
                    (None, None) => (ContainerChange::StartingAhead, None),
                };
                events.push(ContainerEvent { change: begin, now: created, ..event });
                events.extend(then.map(|(change, now)| ContainerEvent { change, now: now.max(created), ..event }));
            }
        }
        // What is before another thing of the same container stays so.
        events.sort_by_key(|event| event.now);
        events
    }

    /// Has the queue as another policy of node allocation needs it, in the order that it gives.
    fn take_over_queue(&mut self, rules: AllocationRules, kernel: &Kernel<Event>) -> Result<(), Box<Error>> {
        let is_batch = self.policies.is_batch();
        let queue = match (is_batch, rules.commitment) {
            (false, Commitment::UntilStarted) => WaitingQueue::by_function(),
            _ => WaitingQueue::ordered(),
        };
        let is_asked_again = (is_batch, rules.commitment) == (false, Commitment::PerRound);
        self.rounds.forget_answers();
        let holds = rules.answers_hold && is_asked_again && self.settings.backfilling == Backfilling::Unlimited;
        self.cluster.name_contents_if(holds);
        self.cluster.observe_all(rules.observes);
        self.note_all_links(rules.observes, kernel);
        let mut keys: Vec<_> = self.attempts.iter().filter(|(_, attempt)| attempt.stage().has_turn()).collect();
        keys.sort_unstable_by_key(|(_, attempt)| (attempt.turn(), attempt.record.invocation));
        let keys: Vec<AttemptKey> = keys.into_iter().map(|(key, _)| key).collect();
        let queued = |key: &&AttemptKey| {
            self.attempts.get(**key).is_some_and(|attempt| matches!(attempt.stage(), Stage::Queued))
        };
        let waiting: Vec<_> = keys.iter().filter(queued).map(|key| self.waiting(*key)).collect::<Result<_, _>>()?;
        self.attempts.replace_queue(queue, waiting);
        for key in keys {
            let waiting = self.waiting(key)?;
            let rank = self.policies.rank(&waiting.request, kernel.now());
            self.attempts.set_rank(waiting, rank)?;
        }
        Ok(())
    }
}

impl Policies {
    /// What has come of functions is counted whoever is there to see it.
    fn count_histories(&mut self) {
        self.hears.anybody_of_history = true;
        self.hear_of_ends = true;
    }

    fn shared_watch(&self) -> Rc<crate::policy::Watch> {
        Rc::clone(&self.watch)
    }

    /// Notes what fills these slots from now on.
    fn set_factories(&mut self, slots: &[PolicySlot], set: &PolicySet) {
        slots.iter().for_each(|slot| self.set.take_from(*slot, set));
    }

    fn set_admission(&mut self, policy: Hosted<AdmissionObject>, rules: AdmissionRules, strangers: FxHashSet<u64>) {
        self.admission = policy;
        self.strangers.admission = strangers;
        self.hears.admission_of_nobody = rules.admits_all;
        self.hears.admission_of_ends = rules.observes_ends;
        self.hears.admission_of_history = rules.sees_history;
        self.hears.admission_of_containers = rules.observes_containers;
        self.hears.admission_of_workflows = rules.sees_workflows;
    }

    fn set_keep_alive(&mut self, policy: Hosted<KeepAliveObject>, rules: KeepAliveRules) {
        self.keep_alive = policy;
        self.hears.keep_alive_of_arrivals = rules.observes_arrivals;
        self.hears.keep_alive_of_history = rules.sees_history;
        self.hears.keep_alive_of_containers = rules.observes_containers;
        self.hears.keep_alive_of_workflows = rules.sees_workflows;
    }

    fn set_node_allocation(
        &mut self,
        policy: Hosted<NodeAllocationObject>,
        rules: AllocationRules,
        strangers: FxHashSet<u64>,
    ) {
        self.node_allocation = policy;
        self.strangers.node_allocation = strangers;
        self.rules = rules;
    }

    fn set_autoscaling(&mut self, policy: Hosted<AutoscalingObject>, rules: AutoscalingRules) {
        self.autoscaling = Some(policy);
        self.hears.autoscaling = rules;
    }

    fn set_cluster_autoscaling(&mut self, policy: Hosted<AutoscalingObject>, rules: AutoscalingRules) {
        self.cluster_autoscaling = Some(policy);
        self.hears.cluster_autoscaling = rules;
    }

    /// Tells the policy in one slot what has become of a container.
    fn tell_one_of_container(&mut self, slot: PolicySlot, event: &ContainerEvent) {
        match slot {
            PolicySlot::Admission => self.admission.on_container(event),
            PolicySlot::KeepAlive => self.keep_alive.on_container(event),
            PolicySlot::Autoscaling => self.autoscaling.iter_mut().for_each(|policy| policy.on_container(event)),
            PolicySlot::ClusterAutoscaling => {
                self.cluster_autoscaling.iter_mut().for_each(|policy| policy.on_container(event));
            }
            _ => self.node_allocation.on_container(event),
        }
    }
}
