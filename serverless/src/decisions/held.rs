//! What a call has shown, read again and held, so that the call can be made once more.

use hearth_policy_api::boundary::{AskedContainers, ContainersOf};
use hearth_policy_api::{
    AdmissionView, BatchView, ClusterView, Completion, ContainerEvent, ContainerView, CopyView, Creation, DelayedStart,
    End, EvictionItem, FunctionHistory, FunctionView, LinkView, Need, NodeBits, NodePoolView, NodeView, PendingView,
    PolicyContext, PoolNodeView, QueueView, Removal, RequestView, ScaleView, Slice, TaskView, Touch, WorkflowView,
};
use serde_json::{Map, Value};

use super::fields::{self, FieldType, Flat};
use super::{Decision, Seen};

/// What a call has shown.
#[derive(Debug)]
pub(crate) enum Held {
    Nothing,
    Context { seed: u64, nodes: u32, node: u32, ram: u64, disk: u64 },
    Place(RequestView, Cluster, Containers),
    Batch(Box<Batch>, Containers),
    Rank(RequestView, u64),
    Node(u32, NodeView, bool),
    End(End),
    Queue(Box<Queue>),
    Copy(Box<Copy>),
    DelayedStart(DelayedStart),
    Link { link: u32, share: f64, nodes: NodeBits },
    Workflow { workflow: u32, deadline: u64, tasks: Vec<Task> },
    Container(ContainerEvent),
    Timer(u64, Cluster, Containers),
    EvictionTimer(u64, u64),
    Item(EvictionItem),
    Created(EvictionItem, Creation),
    Touched(u32, Touch, u64),
    Removed(u32, Removal, u64),
    Ended(u32, u64),
    Need(Need),
    Admission(Box<Admission>),
    Completion { completion: Completion<'static>, histories: Vec<FunctionHistory> },
    Arrival(u32, u64),
    Scale(Box<ScaleView>),
    Pool { pool: NodePoolView<'static>, nodes: Vec<PoolNodeView>, pending: Vec<PendingView> },
}

/// The containers that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Containers {
    by_node: Vec<Vec<ContainerView>>,
    /// The nodes that were asked about.
    known: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Cluster {
    now: u64,
    waiting: u64,
    nodes: Vec<NodeView>,
    up: NodeBits,
    free_core: NodeBits,
    idle_container: NodeBits,
    image_in_ram: NodeBits,
    image_loading: NodeBits,
    image_on_disk: NodeBits,
    image_copying: NodeBits,
    histories: Vec<FunctionHistory>,
}

#[derive(Debug)]
pub(crate) struct Batch {
    now: u64,
    nodes: Vec<NodeView>,
    up: NodeBits,
    queue: Vec<RequestView>,
    functions: Vec<Function>,
    histories: Vec<FunctionHistory>,
}

#[derive(Debug)]
struct Function {
    /// Without what is held below.
    view: FunctionView<'static>,
    idle_containers: Vec<u32>,
    image_in_ram: NodeBits,
    image_loading: NodeBits,
    image_on_disk: NodeBits,
    image_copying: NodeBits,
}

#[derive(Debug)]
pub(crate) struct Queue {
    now: u64,
    waiting: u64,
    heads: Vec<RequestView>,
    lengths: Vec<u64>,
    nodes: Vec<NodeView>,
    free_core: NodeBits,
    histories: Vec<FunctionHistory>,
}

#[derive(Debug)]
pub(crate) struct Copy {
    view: CopyView<'static>,
    holders: NodeBits,
    sending: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Task {
    function: u32,
    instances: u32,
    after: Vec<u32>,
    followers: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Admission {
    request: RequestView,
    /// Without its cluster.
    view: AdmissionView<'static>,
    cluster: Cluster,
    containers: Containers,
}

/// The parts of what was shown, by name.
struct Parts<'a> {
    map: &'a Map<String, Value>,
    /// How many nodes there are.
    nodes: usize,
}

type Read<T> = Result<T, String>;

impl<'a> Parts<'a> {
    fn value(&self, name: &str) -> Read<&'a Value> {
        self.map.get(name).ok_or_else(|| format!("{name} is missing"))
    }

    fn number<T: FieldType>(&self, name: &str) -> Read<T> {
        let value = self.value(name)?;
        T::read(value).ok_or_else(|| format!("{name} is {value}, which it cannot be"))
    }

    fn map(&self, name: &str) -> Read<&'a Map<String, Value>> {
        self.value(name)?.as_object().ok_or_else(|| format!("{name} has no parts"))
    }

    fn part(&self, name: &str) -> Read<Parts<'a>> {
        Ok(Parts { map: self.map(name)?, nodes: self.nodes })
    }

    fn one<T: Flat>(&self, name: &str) -> Read<T> {
        fields::one(self.map(name)?).map_err(|problem| format!("{name}: {problem}"))
    }

    fn all<T: Flat>(&self, name: &str) -> Read<Vec<T>> {
        fields::all(self.map(name)?).map_err(|problem| format!("{name}: {problem}"))
    }

    fn list(&self, name: &str) -> Read<&'a [Value]> {
        Ok(self.value(name)?.as_array().ok_or_else(|| format!("{name} is no list"))?.as_slice())
    }

    fn numbers<T: FieldType>(&self, name: &str) -> Read<Vec<T>> {
        let number = |value: &Value| T::read(value).ok_or_else(|| format!("{name} has {value}, which it cannot have"));
        self.list(name)?.iter().map(number).collect()
    }

    fn each<T>(&self, name: &str, read: impl Fn(&Parts<'_>) -> Read<T>) -> Read<Vec<T>> {
        let each = |value: &Value| {
            let map = value.as_object().ok_or_else(|| format!("{name} has something without parts"))?;
            read(&Parts { map, nodes: self.nodes }).map_err(|problem| format!("{name}: {problem}"))
        };
        self.list(name)?.iter().map(each).collect()
    }

    /// A set as it is written: `0-3,7`.
    fn set(&self, name: &str) -> Read<NodeBits> {
        let wrong = || format!("{name} is no set of the {} nodes", self.nodes);
        let text = self.value(name)?.as_str().ok_or_else(wrong)?;
        let mut set = NodeBits::new(self.nodes);
        let known = |number: &str| number.parse().ok().filter(|node| (*node as usize) < self.nodes);
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (u32, u32) = (known(first).ok_or_else(wrong)?, known(last).ok_or_else(wrong)?);
            (first..=last).for_each(|node| set.insert(node));
        }
        Ok(set)
    }

    fn cluster(&self, name: &str) -> Read<Cluster> {
        let parts = self.part(name)?;
        let cluster = || {
            Ok(Cluster {
                now: parts.number("now")?,
                waiting: parts.number("waiting")?,
                nodes: parts.all("nodes")?,
                up: parts.set("up")?,
                free_core: parts.set("free_core")?,
                idle_container: parts.set("idle_container")?,
                image_in_ram: parts.set("image_in_ram")?,
                image_loading: parts.set("image_loading")?,
                image_on_disk: parts.set("image_on_disk")?,
                image_copying: parts.set("image_copying")?,
                histories: parts.all("histories")?,
            })
        };
        cluster().map_err(|problem: String| format!("{name}: {problem}"))
    }

    /// The containers that were asked for.
    fn containers(&self) -> Read<Containers> {
        let mut containers = Containers::default();
        if !self.map.contains_key("containers") {
            return Ok(containers);
        }
        let parts = self.part("containers")?;
        containers.by_node.resize_with(self.nodes, Vec::new);
        for name in parts.map.keys() {
            let on = parts.all(name).map_err(|problem| format!("containers: {problem}"))?;
            let node: u32 = name.parse().map_err(|_| format!("containers: {name:?} is no node"))?;
            containers.known.push(node);
            // Who asks for a node that is not there gets none.
            if let Some(place) = containers.by_node.get_mut(node as usize) {
                *place = on;
            }
        }
        Ok(containers)
    }
}

impl Held {
    /// What a call has shown, in a service of so many nodes.
    pub fn read(decision: &Decision, nodes: usize) -> Result<Self, String> {
        let seen = decision.seen.as_ref().map_or("{}", |seen| seen.get());
        let map: Map<String, Value> =
            serde_json::from_str(seen).map_err(|_| "what was seen is not written in full".to_owned())?;
        let parts = Parts { map: &map, nodes };
        Self::of_parts(&decision.method, &parts).map_err(|problem| format!("what {} saw: {problem}", decision.method))
    }

    fn of_parts(method: &str, parts: &Parts<'_>) -> Read<Self> {
        Ok(match method {
            "new" => Self::Context {
                seed: parts.value("seed")?.as_u64().ok_or("seed is no number")?,
                nodes: parts.number("nodes")?,
                node: parts.number("node")?,
                ram: parts.number("ram")?,
                disk: parts.number("disk")?,
            },
            "rules" => Self::Nothing,
            "place" => Self::Place(parts.one("request")?, parts.cluster("cluster")?, parts.containers()?),
            "plan" => Self::Batch(
                Box::new(Batch {
                    now: parts.number("now")?,
                    nodes: parts.all("nodes")?,
                    up: parts.set("up")?,
                    queue: parts.all("queue")?,
                    functions: parts.each("functions", Function::read)?,
                    histories: parts.all("histories")?,
                }),
                parts.containers()?,
            ),
            "rank" => Self::Rank(parts.one("request")?, parts.number("now")?),
            "observe" => {
                let up = parts.value("up")?.as_bool().ok_or("up is neither true nor false")?;
                Self::Node(parts.number("node")?, parts.one("view")?, up)
            }
            "on_end" => Self::End(parts.one("end")?),
            "shed" => Self::Queue(Box::new(Queue {
                now: parts.number("now")?,
                waiting: parts.number("waiting")?,
                heads: parts.all("heads")?,
                lengths: parts.numbers("lengths")?,
                nodes: parts.all("nodes")?,
                free_core: parts.set("free_core")?,
                histories: parts.all("histories")?,
            })),
            "source" => Self::Copy(Box::new(Copy {
                view: CopyView {
                    image: parts.number("image")?,
                    now: parts.number("now")?,
                    bytes: parts.number("bytes")?,
                    node: parts.number("node")?,
                    is_on_head: parts.number("is_on_head")?,
                    sending_of_head: parts.number("sending_of_head")?,
                    ..CopyView::default()
                },
                holders: parts.set("holders")?,
                sending: parts.numbers("sending")?,
            })),
            "on_delayed_start" => Self::DelayedStart(parts.one("start")?),
            "observe_link" => {
                Self::Link { link: parts.number("link")?, share: parts.number("share")?, nodes: parts.set("nodes")? }
            }
            "on_workflow" => Self::Workflow {
                workflow: parts.number("workflow")?,
                deadline: parts.number("deadline")?,
                tasks: parts.each("tasks", |task| {
                    Ok(Task {
                        function: task.number("function")?,
                        instances: task.number("instances")?,
                        after: task.numbers("after")?,
                        followers: task.numbers("followers")?,
                    })
                })?,
            },
            "on_container" => Self::Container(parts.one("event")?),
            "on_timer" if parts.map.contains_key("cluster") => {
                Self::Timer(parts.number("timer")?, parts.cluster("cluster")?, parts.containers()?)
            }
            "on_timer" => Self::EvictionTimer(parts.number("timer")?, parts.number("now")?),
            "insert" => Self::Item(parts.one("item")?),
            "created" => Self::Created(parts.one("item")?, parts.number("creation")?),
            "touch" => Self::Touched(parts.number("id")?, parts.number("touch")?, parts.number("now")?),
            "remove" => Self::Removed(parts.number("id")?, parts.number("removal")?, parts.number("now")?),
            "ended" => Self::Ended(parts.number("id")?, parts.number("now")?),
            "choose" => Self::Need(parts.one("need")?),
            "admit" => Self::Admission(Box::new(Admission {
                request: parts.one("request")?,
                view: AdmissionView {
                    delays: parts.number("delays")?,
                    now: parts.number("now")?,
                    waiting: parts.number("waiting")?,
                    waiting_of_function: parts.number("waiting_of_function")?,
                    placed: parts.number("placed")?,
                    running: parts.number("running")?,
                    running_of_function: parts.number("running_of_function")?,
                    free_cores: parts.number("free_cores")?,
                    ..AdmissionView::default()
                },
                cluster: parts.cluster("cluster")?,
                containers: parts.containers()?,
            })),
            "on_idle" | "prewarm" => Self::Completion {
                completion: Completion {
                    now: parts.number("now")?,
                    function: parts.number("function")?,
                    node: parts.number("node")?,
                    run_time: parts.number("run_time")?,
                    ram: parts.number("ram")?,
                    idle_of_function: parts.number("idle_of_function")?,
                    ..Completion::default()
                },
                histories: parts.all("histories")?,
            },
            "on_arrival" => Self::Arrival(parts.number("function")?, parts.number("now")?),
            "scale" => Self::Scale(Box::new(parts.one("view")?)),
            "scale_pool" => Self::Pool {
                pool: NodePoolView {
                    pool: parts.number("pool")?,
                    now: parts.number("now")?,
                    min: parts.number("min")?,
                    max: parts.number("max")?,
                    ..NodePoolView::default()
                },
                nodes: parts.all("nodes")?,
                pending: parts.all("pending")?,
            },
            other => return Err(format!("{other} is no method of a policy")),
        })
    }

    /// The nodes of whose containers it tells.
    pub fn known_nodes(&self) -> &[u32] {
        match self {
            Self::Place(.., containers) | Self::Batch(_, containers) | Self::Timer(.., containers) => &containers.known,
            Self::Admission(admission) => &admission.containers.known,
            _ => &[],
        }
    }

    /// Shows it again, as it was.
    pub fn lend<T>(&self, work: impl FnOnce(&Seen<'_>) -> T) -> T {
        match self {
            Self::Nothing => work(&Seen::Nothing),
            Self::Context { seed, nodes, node, ram, disk } => {
                let (seed, nodes, node, ram, disk) = (*seed, *nodes, *node, *ram, *disk);
                work(&Seen::Context(&PolicyContext { seed, nodes, node, ram, disk, ..PolicyContext::default() }))
            }
            Self::Place(request, cluster, containers) => {
                let asked = AskedContainers::new(ContainersOf::new(&containers.by_node));
                work(&Seen::Place(request, &cluster.view(&asked), &asked))
            }
            Self::Batch(batch, containers) => {
                let asked = AskedContainers::new(ContainersOf::new(&containers.by_node));
                let functions: Vec<FunctionView<'_>> = batch.functions.iter().map(Function::view).collect();
                let view = BatchView {
                    now: batch.now,
                    nodes: batch.nodes.as_slice().into(),
                    up: batch.up.view(),
                    queue: batch.queue.as_slice().into(),
                    functions: functions.as_slice().into(),
                    histories: batch.histories.as_slice().into(),
                    containers: asked.view(),
                    ..BatchView::default()
                };
                work(&Seen::Batch(&view, &asked))
            }
            Self::Rank(request, now) => work(&Seen::Rank(request, *now)),
            Self::Node(node, view, up) => work(&Seen::Node(*node, view, *up)),
            Self::End(end) => work(&Seen::End(end)),
            Self::Queue(queue) => work(&Seen::Queue(&QueueView {
                now: queue.now,
                waiting: queue.waiting,
                heads: queue.heads.as_slice().into(),
                lengths: Slice::new(&queue.lengths),
                nodes: queue.nodes.as_slice().into(),
                free_core: queue.free_core.view(),
                histories: queue.histories.as_slice().into(),
                ..QueueView::default()
            })),
            Self::Copy(copy) => {
                let (holders, sending) = (copy.holders.view(), Slice::new(&copy.sending));
                work(&Seen::Copy(&CopyView { holders, sending, ..copy.view }))
            }
            Self::DelayedStart(start) => work(&Seen::DelayedStart(start)),
            Self::Link { link, share, nodes } => {
                let (link, share, nodes) = (*link, *share, nodes.view());
                work(&Seen::Link(&LinkView { link, share, nodes, ..LinkView::default() }))
            }
            Self::Workflow { workflow, deadline, tasks } => {
                let tasks: Vec<TaskView<'_>> = tasks.iter().map(Task::view).collect();
                let (workflow, deadline, tasks) = (*workflow, *deadline, tasks.as_slice().into());
                work(&Seen::Workflow(&WorkflowView { workflow, deadline, tasks, ..WorkflowView::default() }))
            }
            Self::Container(event) => work(&Seen::Container(event)),
            Self::Timer(timer, cluster, containers) => {
                let asked = AskedContainers::new(ContainersOf::new(&containers.by_node));
                work(&Seen::Timer(*timer, &cluster.view(&asked), &asked))
            }
            Self::EvictionTimer(timer, now) => work(&Seen::EvictionTimer(*timer, *now)),
            Self::Item(item) => work(&Seen::Item(item)),
            Self::Created(item, creation) => work(&Seen::Created(item, *creation)),
            Self::Touched(id, touch, now) => work(&Seen::Touched(*id, *touch, *now)),
            Self::Removed(id, removal, now) => work(&Seen::Removed(*id, *removal, *now)),
            Self::Ended(id, now) => work(&Seen::Ended(*id, *now)),
            Self::Need(need) => work(&Seen::Need(need)),
            Self::Admission(admission) => {
                let Admission { request, view, cluster, containers } = &**admission;
                let asked = AskedContainers::new(ContainersOf::new(&containers.by_node));
                let cluster = cluster.view(&asked);
                work(&Seen::Admission(request, &AdmissionView { cluster: &cluster, ..*view }, &asked))
            }
            Self::Completion { completion, histories } => {
                work(&Seen::Completion(&Completion { histories: histories.as_slice().into(), ..*completion }))
            }
            Self::Arrival(function, now) => work(&Seen::Arrival(*function, *now)),
            Self::Scale(view) => work(&Seen::Scale(view)),
            Self::Pool { pool, nodes, pending } => {
                let (nodes, pending) = (nodes.as_slice().into(), pending.as_slice().into());
                work(&Seen::Pool(&NodePoolView { nodes, pending, ..*pool }))
            }
        }
    }
}

impl Cluster {
    fn view<'a>(&'a self, asked: &'a AskedContainers<'a>) -> ClusterView<'a> {
        ClusterView {
            now: self.now,
            waiting: self.waiting,
            nodes: self.nodes.as_slice().into(),
            up: self.up.view(),
            free_core: self.free_core.view(),
            idle_container: self.idle_container.view(),
            image_in_ram: self.image_in_ram.view(),
            image_loading: self.image_loading.view(),
            image_on_disk: self.image_on_disk.view(),
            image_copying: self.image_copying.view(),
            histories: self.histories.as_slice().into(),
            containers: asked.view(),
            ..ClusterView::default()
        }
    }
}

impl Function {
    fn read(parts: &Parts<'_>) -> Read<Self> {
        Ok(Self {
            view: FunctionView {
                function: parts.number("function")?,
                image: parts.number("image")?,
                time_limit: parts.number("time_limit")?,
                ram_limit: parts.number("ram_limit")?,
                disk_limit: parts.number("disk_limit")?,
                ..FunctionView::default()
            },
            idle_containers: parts.numbers("idle_containers")?,
            image_in_ram: parts.set("image_in_ram")?,
            image_loading: parts.set("image_loading")?,
            image_on_disk: parts.set("image_on_disk")?,
            image_copying: parts.set("image_copying")?,
        })
    }

    fn view(&self) -> FunctionView<'_> {
        FunctionView {
            idle_containers: Slice::new(&self.idle_containers),
            image_in_ram: self.image_in_ram.view(),
            image_loading: self.image_loading.view(),
            image_on_disk: self.image_on_disk.view(),
            image_copying: self.image_copying.view(),
            ..self.view
        }
    }
}

impl Task {
    fn view(&self) -> TaskView<'_> {
        let (function, instances) = (self.function, self.instances);
        let (after, followers) = (Slice::new(&self.after), Slice::new(&self.followers));
        TaskView { function, instances, after, followers, ..TaskView::default() }
    }
}
