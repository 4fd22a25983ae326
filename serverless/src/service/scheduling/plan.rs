//! What a round decides, in the state that its decisions so far have left, and how that is carried out.

use hearth_policy_api::{Commitment, NONE, Placement, RequestView};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

pub(in crate::service) use crate::cluster::Choice;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, Footprint, NodeId};
use crate::service::Service;
use crate::service::attempts::{AttemptKey, WaitingQueue};
use crate::service::event::Event;
use crate::service::handover::BusyAnswer;

/// What a round has decided about one invocation.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Run it in an idle container, or in a new one.
    Dispatch { entry: Entry, node: NodeId, container: Option<ContainerId> },
    /// It waits for its image on this node.
    Bind { entry: Entry, node: NodeId, image: ImageId },
    /// It waits for a busy container.
    Await { entry: Entry, answer: BusyAnswer },
    /// End it as rejected.
    Reject { entry: Entry, reason: String },
}

/// A waiting invocation, and where it stands in an [`OrderedQueue`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub key: AttemptKey,
    pub function: FunctionId,
    pub position: usize,
}

/// What somebody needs of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    entry: Entry,
    image: Option<ImageId>,
    /// What a new container reserves, but for processors.
    footprint: Footprint,
}

impl Wanted {
    /// What a request needs that stands in the queue.
    #[inline]
    pub fn by(entry: Entry, request: &RequestView) -> Self {
        let image = (request.image != NONE).then_some(ImageId(request.image));
        Self { entry, image, footprint: Footprint { ram: request.ram_limit, disk: request.disk_limit, processors: 0 } }
    }
}

/// The plan of a round. The buffers are kept from round to round.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub decisions: Vec<Decision>,
    /// Loads and copies to begin, in the order of deciding.
    pub loads: Vec<(NodeId, ImageId)>,
    pub copies: Vec<(NodeId, ImageId)>,
    /// Those that stay in the queue, with where their image is brought for them, if it is.
    pub staying: Vec<(AttemptKey, Option<(NodeId, ImageId)>)>,
    /// What was answered, where a story is told, with the number of the call if it was made for that.
    pub answers: Vec<(AttemptKey, Placement, Option<u64>)>,
    /// Nodes whose cores the plan has taken, each once.
    nodes: Vec<NodeId>,
    /// Functions whose idle containers the plan has taken, with the node.
    idle: Vec<(NodeId, FunctionId)>,
}

/// How decisions are made, whatever the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// A warm start takes the idle container that was used last.
    reuse_most_recent: bool,
    /// Who waits for its image on a node stays with it.
    binds: bool,
}

impl Plan {
    /// Turns a choice of node and container into what is to be done there, in the state the plan has left. The node need not
    /// have a free core: without one only its image is seen to.
    #[inline]
    pub fn decide(&mut self, wanted: &Wanted, (node, choice): (NodeId, Choice), cluster: &mut Cluster, manner: Manner) {
        let &Wanted { entry, image, .. } = wanted;
        let in_ram = cluster.is_image_in_ram(node, image);
        let has_core = cluster.node_view(node).free_cores > 0;
        if has_core {
            if let Some(container) = self.take(wanted, (node, choice), cluster, manner) {
                return self.decisions.push(Decision::Dispatch { entry, node, container: Some(container) });
            }
            if in_ram {
                return self.decisions.push(Decision::Dispatch { entry, node, container: None });
            }
        }
        if in_ram {
            return;
        }
        let Some(image) = image else { return };
        if cluster.sites(image).on_disk().contains(node) {
            self.load(node, image, cluster);
        } else {
            self.copy(node, image, cluster);
        }
        // There is a core to be promised, then. No container of the function is there, whose image it would have, nor will be before
        // it starts in a new one.
        if manner.binds && has_core {
            self.decisions.push(Decision::Bind { entry, node, image });
        } else {
            self.staying.push((entry.key, Some((node, image))));
        }
    }

    /// Takes a free core of a node, and an idle container, which it gives, or else room for a new one.
    #[inline]
    fn take(
        &mut self,
        wanted: &Wanted,
        (node, choice): (NodeId, Choice),
        cluster: &mut Cluster,
        manner: Manner,
    ) -> Option<ContainerId> {
        if cluster.plan_core(node) {
            self.nodes.push(node);
        }
        let function = wanted.entry.function;
        let container = match choice {
            Choice::Any => cluster.plan_idle(node, function, manner.reuse_most_recent),
            Choice::Warm(container) => cluster.plan_this(node, function, container),
            Choice::Cold => None,
        };
        match container {
            Some(_) => self.idle.push((node, function)),
            None => cluster.plan_room(node, function, wanted.footprint.ram, wanted.footprint.disk),
        }
        container
    }

    /// Plans to load an image unless it is in RAM or on its way there.
    #[inline]
    pub fn load(&mut self, node: NodeId, image: ImageId, cluster: &mut Cluster) {
        if cluster.plan_load(node, image) {
            self.loads.push((node, image));
        }
    }

    /// Plans to copy an image unless it is on disk or on its way there.
    #[inline]
    pub fn copy(&mut self, node: NodeId, image: ImageId, cluster: &mut Cluster) {
        if cluster.plan_copy(node, image) {
            self.copies.push((node, image));
        }
    }
}

impl Service {
    /// How decisions are made here.
    pub(in crate::service) fn manner(&self) -> Manner {
        let binds = self.policies.rules().commitment == Commitment::UntilStarted;
        Manner { reuse_most_recent: self.settings.reuse_most_recent, binds }
    }

    /// Takes the plan's marks off the cluster, so that carrying it out starts from what is.
    pub(in crate::service) fn take_back(&mut self, plan: &mut Plan) {
        for (node, function) in plan.idle.drain(..) {
            self.cluster.unplan_idle(node, function);
        }
        self.cluster.unplan_nodes(plan.nodes.drain(..));
        for &(node, image) in &plan.loads {
            self.cluster.unplan_load(node, image);
        }
        for &(node, image) in &plan.copies {
            self.cluster.unplan_copy(node, image);
        }
    }

    /// Carries out dispatches, then loads, then copies. What fails is decided anew in a later round.
    pub(in crate::service) fn carry_out(
        &mut self,
        plan: &mut Plan,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        for (key, answer, call) in plan.answers.drain(..) {
            self.tell_of_answer(key, &answer, call, kernel.now());
        }
        for (key, image) in plan.staying.drain(..) {
            self.explain_stay(key, image, kernel.now());
        }
        for decision in plan.decisions.drain(..) {
            match decision {
                Decision::Dispatch { entry, node, container } => {
                    let dispatched = self.dispatch((entry.key, entry.function), node, container, kernel)?;
                    if !dispatched {
                        self.tell_of_requeue(entry.key, node, kernel.now());
                    }
                    self.settle_entry(entry, dispatched)?;
                }
                Decision::Bind { entry, node, image } => {
                    self.settle_entry(entry, true)?;
                    self.bind(entry, node, image, kernel.now())?;
                }
                Decision::Await { entry, answer } => {
                    self.settle_entry(entry, true)?;
                    self.await_busy(entry.key, answer, kernel)?;
                }
                Decision::Reject { entry, reason } => {
                    self.settle_entry(entry, true)?;
                    self.reject(entry.key, &reason, kernel)?;
                }
            }
        }
        for (node, image) in plan.loads.drain(..) {
            if !self.load(node, image, kernel)? {
                self.rounds.stall(node, image);
            }
        }
        for (node, image) in plan.copies.drain(..) {
            if !self.copy(node, image, kernel)? {
                self.rounds.stall(node, image);
            }
        }
        Ok(())
    }

    /// Binds an invocation to a node on which its image is awaited, with a core and its reservations promised.
    fn bind(&mut self, entry: Entry, node: NodeId, image: ImageId, now: SimTime) -> Result<(), Box<Error>> {
        self.settle(entry.key, now);
        let promise = self.cluster.promise(node, entry.function);
        Ok(self.attempts.bind(entry.key, promise, image)?)
    }

    /// Takes an invocation out of the queue, or puts it back, as its dispatch went.
    pub(in crate::service) fn settle_entry(&mut self, entry: Entry, dispatched: bool) -> Result<(), Box<Error>> {
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
