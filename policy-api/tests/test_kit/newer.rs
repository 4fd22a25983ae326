//! Defects in what interface 2.0 has brought: orders, ranks, sources, workflows, histories, containers and timers.

use std::collections::BTreeMap;

use hearth_policy_api::*;

use super::{check_rows, defective, tick};

const SECOND: u64 = 1_000_000_000;

#[derive(Default)]
pub struct State {
    actions: Option<Actions>,
    /// Who waits, by key, with the date at which it came.
    waiting: BTreeMap<u64, u64>,
    /// By invocation alone, or with the attempt: where it is.
    placed: BTreeMap<(u64, u32), u32>,
    /// Which containers there are.
    containers: BTreeMap<(u32, u32), u32>,
    followers: Vec<u32>,
    holder: Option<u32>,
    notes: Vec<u64>,
}

defective!(
    Inner,
    State,
    [
        "ranks by the clock",
        "ranks the last first",
        "sets ranks by the clock",
        "sets the rank of the oldest higher and higher",
        "copies from a node that has not the image",
        "copies from a node that had the image once",
        "copies by the clock",
        "divides by the copies that are on their way",
        "hedges against its rules",
        "hedges by the clock",
        "takes both attempts for one",
        "panics at a task without followers",
        "takes every request for a task",
        "wants more at the least than at the most",
        "keeps containers of no function",
        "keeps containers by the clock",
        "starts containers on a node that is not there",
        "starts more containers than there can be",
        "starts containers until a date",
        "ends containers of a function that is not there",
        "wakes after a date",
        "wakes at a length of time",
        "keeps notes of timers",
        "takes lost containers for there",
        "keeps notes of containers",
        "divides by runs that nobody has seen",
        "takes waiting for a date when nobody waits",
        "knows eight functions",
        "wants a new container on a full node",
        "waits until a length of time",
        "queues until a length of time",
        "waits for ever for nobody",
        "sheds everybody",
        "sheds by the clock",
        "holds its answers and looks at the date",
        "counts in 32 bits of milliseconds",
    ]
);

/// What [`defective!`] makes, with the way to its host.
pub struct Newer(Inner);

impl Policy for Newer {
    const NAME: &'static str = Inner::NAME;
    const VERSION: &'static str = Inner::VERSION;
    const DESCRIPTION: &'static str = Inner::DESCRIPTION;
    type Parameters = <Inner as Policy>::Parameters;

    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        let mut inner = Inner::new(parameters, context)?;
        let actions = context.actions();
        actions.wake_at(1, 2 * SECOND);
        inner.state.actions = Some(actions);
        Ok(Self(inner))
    }
}

impl Newer {
    fn is(&self, defect: &str) -> bool {
        self.0.defect == defect
    }

    fn actions(&self) -> Actions {
        self.0.state.actions.clone().expect("it is there from the beginning")
    }
}

impl NodeAllocation for Newer {
    fn rules(&self) -> AllocationRules {
        let queues = self.is("queues until a length of time");
        let answers_hold = self.is("holds its answers and looks at the date");
        AllocationRules {
            ranks: true,
            observes_ends: true,
            sees_history: true,
            sheds: true,
            observes_containers: true,
            hedges: !self.is("hedges against its rules"),
            sees_workflows: true,
            chooses_sources: true,
            queues,
            answers_hold,
            ..AllocationRules::default()
        }
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        self.0.state.waiting.insert(request.key, now);
        match self.0.defect {
            "ranks by the clock" => tick() % 1000,
            "ranks the last first" => u64::MAX - now,
            _ => 0,
        }
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        let first = |task: &TaskView<'_>| match self.0.defect {
            "panics at a task without followers" => task.followers[0],
            _ => task.followers.first().copied().unwrap_or(NONE),
        };
        self.0.state.followers = workflow.tasks.iter().map(first).collect();
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        if request.workflow != NONE || self.is("takes every request for a task") {
            let _next = self.0.state.followers[request.task as usize];
        }
        let history = cluster.history(request.function);
        match self.0.defect {
            "divides by runs that nobody has seen" => self.0.state.notes = vec![history.completed / history.runs],
            "takes waiting for a date when nobody waits" => {
                self.0.state.notes = cluster.histories.iter().map(|of| of.waiting_since + SECOND).collect();
            }
            "knows eight functions" => self.0.state.notes = vec![[0; 8][request.function as usize]],
            "counts in 32 bits of milliseconds" => {
                let now = u32::try_from(cluster.now / 1_000_000).expect("it fits");
                self.0.state.notes = vec![u64::from(now)];
            }
            _ => {}
        }
        let fits =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let mut nodes = cluster.free_core.iter().filter(fits);
        let node = match self.0.defect {
            "holds its answers and looks at the date" => nodes.nth((cluster.now % 2) as usize),
            _ => nodes.next(),
        };
        let Some(node) = node else {
            return self.in_vain(request, cluster);
        };
        self.0.state.waiting.remove(&request.key);
        let attempt = if self.is("takes both attempts for one") { 1 } else { request.attempt };
        self.0.state.placed.insert((request.invocation, attempt), node);
        Placement::Node(node)
    }

    fn shed(&mut self, _queue: &QueueView<'_>) -> Option<Shed> {
        let is_shed = match self.0.defect {
            "sheds everybody" => true,
            "sheds by the clock" => tick().is_multiple_of(2),
            _ => false,
        };
        is_shed.then(|| Shed { head: 0, reason: "as it is".into() })
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        let holder = copy.least_busy_holder();
        match self.0.defect {
            "copies from a node that has not the image" => copy.node,
            "copies from a node that had the image once" => *self.0.state.holder.get_or_insert(holder),
            "copies by the clock" if tick().is_multiple_of(2) => NONE,
            "divides by the copies that are on their way" => holder / copy.sending.iter().sum::<u32>(),
            _ => holder,
        }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        let key = (event.node, event.container);
        if event.change.is_begin() {
            assert_eq!(self.0.state.containers.insert(key, event.function), None, "it is there already");
        } else {
            assert_eq!(self.0.state.containers.get(&key), Some(&event.function), "it is not there");
        }
        if event.change.is_end() {
            self.0.state.containers.remove(&key);
            if self.is("takes lost containers for there") && event.change == ContainerChange::Lost {
                self.0.state.containers.insert((event.node, event.container + 1), event.function);
            }
        }
        if self.is("keeps notes of containers") {
            self.0.state.notes.push(event.now);
        }
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        self.0.state.waiting.remove(&start.key);
        self.0.state.placed.insert((start.invocation, start.attempt), start.node);
    }

    fn on_end(&mut self, end: &End) {
        if end.ending == Ending::Requeued {
            self.0.state.waiting.insert(end.key, end.now);
        } else {
            self.0.state.waiting.remove(&end.key);
        }
        let attempt = if self.is("takes both attempts for one") { 1 } else { end.attempt };
        let placed = self.0.state.placed.remove(&(end.invocation, attempt));
        assert_eq!(placed.unwrap_or(NONE), end.node, "it was placed elsewhere");
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        let (actions, nodes, functions) = (self.actions(), cluster.nodes.len() as u32, cluster.histories.len() as u32);
        let first = self.0.state.waiting.keys().next().copied();
        match self.0.defect {
            "sets ranks by the clock" => first.into_iter().for_each(|key| actions.set_rank(key, tick() % 1000)),
            "sets the rank of the oldest higher and higher" => {
                first.into_iter().for_each(|key| actions.set_rank(key, cluster.now));
            }
            "hedges against its rules" => first.into_iter().for_each(|key| actions.hedge(key)),
            "hedges by the clock" if tick().is_multiple_of(2) => first.into_iter().for_each(|key| actions.hedge(key)),
            "takes both attempts for one" => first.into_iter().for_each(|key| actions.hedge(key)),
            "wants more at the least than at the most" => actions.keep_between(0, 2, 1),
            "keeps containers of no function" => actions.keep_between(functions, 1, 2),
            "keeps containers by the clock" => actions.keep_between(0, tick() as u32 % 100, 100),
            "starts containers on a node that is not there" => actions.start_containers(0, nodes, 1, SECOND),
            "starts more containers than there can be" => actions.start_containers(0, NONE, u32::MAX, SECOND),
            "starts containers until a date" => actions.start_containers(0, NONE, 1, cluster.now + SECOND),
            "ends containers of a function that is not there" => actions.end_containers(functions, NONE, 1),
            "keeps notes of timers" => self.0.state.notes.extend([timer; 8]),
            _ => {
                actions.keep_between(0, 0, 10);
                actions.end_containers(0, NONE, 1);
            }
        }
        actions.wake_at(
            timer,
            match self.0.defect {
                "wakes after a date" => cluster.now * 2 + 10 * SECOND,
                "wakes at a length of time" => 10 * SECOND,
                "sets the rank of the oldest higher and higher" => cluster.now + SECOND,
                _ => cluster.now + 2 * SECOND,
            },
        );
    }
}

impl Newer {
    /// Nobody has a place for it.
    fn in_vain(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let up = cluster.up.iter().next();
        match self.0.defect {
            "wants a new container on a full node" => up.map_or(Placement::Wait, |node| Placement::Cold { node }),
            "waits until a length of time" => Placement::busy_anywhere(3 * SECOND),
            "waits for ever for nobody" => Placement::busy_anywhere(u64::MAX),
            "queues until a length of time" => {
                let is_large = |node: &u32| {
                    let view = &cluster.nodes[*node as usize];
                    view.ram >= request.ram_limit && view.disk >= request.disk_limit
                };
                let nodes: Vec<u32> = cluster.up.iter().filter(is_large).take(1).collect();
                if nodes.is_empty() {
                    Placement::Wait
                } else {
                    Placement::Queue { nodes: nodes.into(), until: 3 * SECOND }
                }
            }
            _ => Placement::Wait,
        }
    }
}

#[test]
fn defects_of_what_is_new_in_2_0_are_caught() {
    let differs = "does not do the same";
    check_rows(
        &PolicyDescriptor::node_allocation::<Newer>(),
        &[
            ("ranks by the clock", differs),
            ("ranks the last first", "starves request "),
            ("sets ranks by the clock", differs),
            ("sets the rank of the oldest higher and higher", "starves request "),
            ("copies from a node that has not the image", "which does not have it"),
            ("copies from a node that had the image once", "which does not have it"),
            ("copies by the clock", differs),
            ("divides by the copies that are on their way", "failed in source: panicked: attempt to divide by zero"),
            ("hedges against its rules", "though its rules do not say that it hedges"),
            ("hedges by the clock", differs),
            ("takes both attempts for one", "failed in on_end: panicked: "),
            ("panics at a task without followers", "failed in on_workflow: panicked: index out of bounds"),
            ("takes every request for a task", "failed in place: panicked: index out of bounds"),
            ("wants more at the least than at the most", "asks for at least 2 containers and at most 1"),
            ("keeps containers of no function", "in keep_between, of functions 0 to "),
            ("keeps containers by the clock", differs),
            ("starts containers on a node that is not there", "in start_containers, of nodes 0 to "),
            ("starts more containers than there can be", "asks for 4294967295 containers at once"),
            ("starts containers until a date", "a date was given for a length of time"),
            ("ends containers of a function that is not there", "in end_containers, of functions 0 to "),
            ("wakes after a date", "a date was added to a date"),
            ("wakes at a length of time", "sets a timer for now again and again"),
            ("keeps notes of timers", "memory grows with the number of calls"),
            ("takes lost containers for there", "failed in on_container: panicked: "),
            ("keeps notes of containers", "memory grows with the number of calls"),
            ("divides by runs that nobody has seen", "failed in place: panicked: attempt to divide by zero"),
            ("takes waiting for a date when nobody waits", "failed in place: panicked: attempt to add with overflow"),
            ("knows eight functions", "failed in place: panicked: index out of bounds"),
            ("wants a new container on a full node", "places a request on node 0, which "),
            ("waits until a length of time", "a length of time was given for a date"),
            ("queues until a length of time", "a length of time was given for a date"),
            ("waits for ever for nobody", "waits for ever for a container"),
            ("sheds everybody", "rejects everybody"),
            ("sheds by the clock", differs),
            ("holds its answers and looks at the date", "says that its answers hold"),
            ("counts in 32 bits of milliseconds", "failed in place: panicked: it fits"),
        ],
    );
}
