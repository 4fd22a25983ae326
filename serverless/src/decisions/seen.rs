//! What a call shows a policy, as it is written.

use hearth_policy_api::boundary::AskedContainers;
use hearth_policy_api::{
    AdmissionView, BatchView, ClusterView, Completion, ContainerEvent, CopyView, Creation, DelayedStart, End,
    EvictionItem, FunctionView, LinkView, NONE, Need, NodePoolView, NodeSet, NodeView, PolicyContext, PolicySlot,
    QueueView, Records, Removal, RequestView, ScaleView, Slice, TaskView, Touch, WorkflowView,
};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::About;
use super::fields::{All, Field, FieldType, Flat, One};

/// What a call shows, and what was asked for in it.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// Nothing.
    Nothing,
    /// What an instance is made for.
    Context(&'a PolicyContext),
    Place(&'a RequestView, &'a ClusterView<'a>, &'a AskedContainers<'a>),
    Batch(&'a BatchView<'a>, &'a AskedContainers<'a>),
    Rank(&'a RequestView, u64),
    Node(u32, &'a NodeView, bool),
    End(&'a End),
    Queue(&'a QueueView<'a>),
    Copy(&'a CopyView<'a>),
    DelayedStart(&'a DelayedStart),
    Link(&'a LinkView<'a>),
    Workflow(&'a WorkflowView<'a>),
    Container(&'a ContainerEvent),
    Timer(u64, &'a ClusterView<'a>, &'a AskedContainers<'a>),
    EvictionTimer(u64, u64),
    Item(&'a EvictionItem),
    Created(&'a EvictionItem, Creation),
    Touched(u32, Touch, u64),
    Removed(u32, Removal, u64),
    Ended(u32, u64),
    Need(&'a Need),
    Admission(&'a RequestView, &'a AdmissionView<'a>, &'a AskedContainers<'a>),
    Completion(&'a Completion<'a>),
    Arrival(u32, u64),
    Scale(&'a ScaleView),
    Pool(&'a NodePoolView<'a>),
}

/// A set of nodes: `0-3,7`.
struct Set<'a>(NodeSet<'a>);

impl Serialize for Set<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write;
        let (mut text, mut nodes) = (String::new(), self.0.iter().peekable());
        while let Some(first) = nodes.next() {
            let mut last = first;
            while let Some(next) = nodes.next_if(|next| *next == last + 1) {
                last = next;
            }
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = if last == first { write!(text, "{comma}{first}") } else { write!(text, "{comma}{first}-{last}") };
        }
        serializer.serialize_str(&text)
    }
}

/// Numbers one after the other.
struct Numbers<'a, T>(Slice<'a, T>);

impl<T: FieldType + Copy> Serialize for Numbers<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|number| number.write()))
    }
}

/// The containers of the nodes that were asked for, by node.
struct Asked<'a>(&'a AskedContainers<'a>);

impl Serialize for Asked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.0.nodes();
        let mut map = serializer.serialize_map(Some(nodes.len()))?;
        for node in nodes {
            map.serialize_entry(&node, &All(self.0.on(node)))?;
        }
        map.end()
    }
}

struct Parts<M>(M);

/// Writes parts under their names.
impl<M: SerializeMap> Parts<M> {
    fn part(mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Result<Self, M::Error> {
        self.0.serialize_entry(name, value)?;
        Ok(self)
    }

    fn number(self, name: &'static str, value: impl FieldType) -> Result<Self, M::Error> {
        self.part(name, &value.write())
    }

    fn set(self, name: &'static str, set: NodeSet<'_>) -> Result<Self, M::Error> {
        self.part(name, &Set(set))
    }

    fn records<T: Flat>(self, name: &'static str, records: Records<'_, T>) -> Result<Self, M::Error> {
        self.part(name, &All(records))
    }

    /// The containers that were asked for, if any were.
    fn asked(self, asked: &AskedContainers<'_>) -> Result<Self, M::Error> {
        if asked.nodes().is_empty() { Ok(self) } else { self.part("containers", &Asked(asked)) }
    }
}

struct Cluster<'a>(&'a ClusterView<'a>);

impl Serialize for Cluster<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Does not compile when something is missing.
        let ClusterView {
            size: _,
            now,
            waiting,
            nodes,
            up,
            free_core,
            idle_container,
            image_in_ram,
            image_loading,
            image_on_disk,
            image_copying,
            histories,
            containers: _,
        } = *self.0;
        Parts(serializer.serialize_map(None)?)
            .number("now", now)?
            .number("waiting", waiting)?
            .records("nodes", nodes)?
            .set("up", up)?
            .set("free_core", free_core)?
            .set("idle_container", idle_container)?
            .set("image_in_ram", image_in_ram)?
            .set("image_loading", image_loading)?
            .set("image_on_disk", image_on_disk)?
            .set("image_copying", image_copying)?
            .records("histories", histories)?
            .0
            .end()
    }
}

struct Functions<'a>(Records<'a, FunctionView<'a>>);

impl Serialize for Functions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Function))
    }
}

struct Function<'a>(&'a FunctionView<'a>);

impl Serialize for Function<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FunctionView {
            size: _,
            function,
            image,
            time_limit,
            ram_limit,
            disk_limit,
            idle_containers,
            image_in_ram,
            image_loading,
            image_on_disk,
            image_copying,
        } = *self.0;
        Parts(serializer.serialize_map(None)?)
            .number("function", function)?
            .number("image", image)?
            .number("time_limit", time_limit)?
            .number("ram_limit", ram_limit)?
            .number("disk_limit", disk_limit)?
            .part("idle_containers", &Numbers(idle_containers))?
            .set("image_in_ram", image_in_ram)?
            .set("image_loading", image_loading)?
            .set("image_on_disk", image_on_disk)?
            .set("image_copying", image_copying)?
            .0
            .end()
    }
}

struct Tasks<'a>(Records<'a, TaskView<'a>>);

impl Serialize for Tasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tasks = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|task| tasks.serialize_element(&Task(task)))?;
        tasks.end()
    }
}

struct Task<'a>(&'a TaskView<'a>);

impl Serialize for Task<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TaskView { size: _, function, instances, after, followers } = *self.0;
        Parts(serializer.serialize_map(None)?)
            .number("function", function)?
            .number("instances", instances)?
            .part("after", &Numbers(after))?
            .part("followers", &Numbers(followers))?
            .0
            .end()
    }
}

impl Serialize for Seen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = Parts(serializer.serialize_map(None)?);
        match *self {
            Self::Nothing => parts,
            Self::Context(context) => {
                let PolicyContext { size: _, slot: _, seed, nodes, node, ram, disk, host: _, handle: _ } = *context;
                let parts = parts.part("seed", &Field::Whole(Some(seed)))?.number("nodes", nodes)?;
                parts.number("node", node)?.number("ram", ram)?.number("disk", disk)?
            }
            Self::Place(request, cluster, asked) => {
                parts.part("request", &One(request))?.part("cluster", &Cluster(cluster))?.asked(asked)?
            }
            Self::Batch(batch, asked) => {
                let BatchView { size: _, now, nodes, up, queue, functions, histories, containers: _ } = *batch;
                let parts =
                    parts.number("now", now)?.records("nodes", nodes)?.set("up", up)?.records("queue", queue)?;
                let parts = parts.part("functions", &Functions(functions))?.records("histories", histories)?;
                parts.asked(asked)?
            }
            Self::Rank(request, now) => parts.part("request", &One(request))?.number("now", now)?,
            Self::Node(node, view, up) => parts.number("node", node)?.part("view", &One(view))?.part("up", &up)?,
            Self::End(end) => parts.part("end", &One(end))?,
            Self::Queue(queue) => {
                let QueueView { size: _, now, waiting, heads, lengths, nodes, free_core, histories } = *queue;
                let parts = parts.number("now", now)?.number("waiting", waiting)?.records("heads", heads)?;
                let parts = parts.part("lengths", &Numbers(lengths))?.records("nodes", nodes)?;
                parts.set("free_core", free_core)?.records("histories", histories)?
            }
            Self::Copy(copy) => {
                let CopyView { size: _, image, now, bytes, node, is_on_head, sending_of_head, holders, sending } =
                    *copy;
                let parts = parts.number("image", image)?.number("now", now)?.number("bytes", bytes)?;
                let parts = parts.number("node", node)?.number("is_on_head", is_on_head)?;
                let parts = parts.number("sending_of_head", sending_of_head)?.set("holders", holders)?;
                parts.part("sending", &Numbers(sending))?
            }
            Self::DelayedStart(start) => parts.part("start", &One(start))?,
            Self::Link(link) => {
                let LinkView { size: _, link, share, nodes } = *link;
                parts.number("link", link)?.number("share", share)?.set("nodes", nodes)?
            }
            Self::Workflow(workflow) => {
                let WorkflowView { size: _, workflow, deadline, tasks } = *workflow;
                parts.number("workflow", workflow)?.number("deadline", deadline)?.part("tasks", &Tasks(tasks))?
            }
            Self::Container(event) => parts.part("event", &One(event))?,
            Self::Timer(timer, cluster, asked) => {
                parts.number("timer", timer)?.part("cluster", &Cluster(cluster))?.asked(asked)?
            }
            Self::EvictionTimer(timer, now) => parts.number("timer", timer)?.number("now", now)?,
            Self::Item(item) => parts.part("item", &One(item))?,
            Self::Created(item, creation) => parts.part("item", &One(item))?.number("creation", creation)?,
            Self::Touched(id, touch, now) => parts.number("id", id)?.number("touch", touch)?.number("now", now)?,
            Self::Removed(id, removal, now) => {
                parts.number("id", id)?.number("removal", removal)?.number("now", now)?
            }
            Self::Ended(id, now) => parts.number("id", id)?.number("now", now)?,
            Self::Need(need) => parts.part("need", &One(need))?,
            Self::Admission(request, view, asked) => {
                let AdmissionView {
                    size: _,
                    delays,
                    now,
                    waiting,
                    waiting_of_function,
                    placed,
                    running,
                    running_of_function,
                    free_cores,
                    cluster,
                } = *view;
                let parts = parts.part("request", &One(request))?.number("delays", delays)?.number("now", now)?;
                let parts = parts.number("waiting", waiting)?.number("waiting_of_function", waiting_of_function)?;
                let parts = parts.number("placed", placed)?.number("running", running)?;
                let parts = parts.number("running_of_function", running_of_function)?;
                parts.number("free_cores", free_cores)?.part("cluster", &Cluster(cluster))?.asked(asked)?
            }
            Self::Completion(completion) => {
                let Completion { size: _, now, function, node, run_time, ram, idle_of_function, histories } =
                    *completion;
                let parts = parts.number("now", now)?.number("function", function)?.number("node", node)?;
                let parts = parts.number("run_time", run_time)?.number("ram", ram)?;
                parts.number("idle_of_function", idle_of_function)?.records("histories", histories)?
            }
            Self::Arrival(function, now) => parts.number("function", function)?.number("now", now)?,
            Self::Scale(view) => parts.part("view", &One(view))?,
            Self::Pool(pool) => {
                let NodePoolView { size: _, pool, now, min, max, nodes, pending } = *pool;
                let parts = parts.number("pool", pool)?.number("now", now)?.number("min", min)?.number("max", max)?;
                parts.records("nodes", nodes)?.records("pending", pending)?
            }
        }
        .0
        .end()
    }
}

fn some(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

impl Seen<'_> {
    /// The nodes whose containers were asked for.
    pub fn asked_nodes(&self) -> Vec<u32> {
        match self {
            Self::Place(_, _, asked)
            | Self::Batch(_, asked)
            | Self::Timer(_, _, asked)
            | Self::Admission(_, _, asked) => asked.nodes(),
            _ => Vec::new(),
        }
    }

    /// What the call is about, of a policy in this slot.
    pub fn about(&self, slot: PolicySlot) -> About {
        let none = About::default();
        let of_request = |request: &RequestView| About {
            invocation: Some(request.invocation),
            attempt: Some(request.attempt),
            function: Some(request.function),
            ..none
        };
        let of_item = |id: u32| match slot {
            PolicySlot::Containers => About { container: Some(id), ..none },
            _ => About { image: Some(id), ..none },
        };
        match self {
            Self::Nothing | Self::Context(_) | Self::Batch(..) | Self::Queue(_) | Self::Need(_) => none,
            Self::Place(request, ..) | Self::Rank(request, _) | Self::Admission(request, ..) => of_request(request),
            Self::Node(node, ..) => About { node: Some(*node), ..none },
            Self::End(end) => About {
                invocation: Some(end.invocation),
                attempt: Some(end.attempt),
                function: Some(end.function),
                node: some(end.node),
                container: some(end.container),
                ..none
            },
            Self::DelayedStart(start) => About {
                invocation: Some(start.invocation),
                attempt: Some(start.attempt),
                function: Some(start.function),
                node: some(start.node),
                container: some(start.container),
                ..none
            },
            Self::Copy(copy) => About { image: Some(copy.image), node: Some(copy.node), ..none },
            Self::Link(link) => About { link: Some(link.link), ..none },
            Self::Workflow(workflow) => About { workflow: Some(workflow.workflow), ..none },
            Self::Container(event) => About {
                function: Some(event.function),
                node: some(event.node),
                container: some(event.container),
                ..none
            },
            Self::Timer(timer, ..) | Self::EvictionTimer(timer, _) => About { timer: Some(*timer), ..none },
            Self::Item(item) | Self::Created(item, _) => About { function: some(item.function), ..of_item(item.id) },
            Self::Touched(id, ..) | Self::Removed(id, ..) | Self::Ended(id, _) => of_item(*id),
            Self::Completion(completion) => {
                About { function: Some(completion.function), node: Some(completion.node), ..none }
            }
            Self::Arrival(function, _) => About { function: Some(*function), ..none },
            Self::Scale(view) => About { function: Some(view.function), ..none },
            Self::Pool(pool) => About { pool: Some(pool.pool), ..none },
        }
    }
}
