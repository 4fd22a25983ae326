//! What a call showed, kept for who looks at a simulation between its events.

use hearth_policy_api::{ClusterView, NodeSet, NodeView, Records, RequestView};

use super::Seen;

/// What a policy saw in a call. Names are those that the log of decisions has.
#[derive(Clone, Debug, Default)]
pub struct CallView {
    /// The request that it was about.
    pub request: Option<RequestView>,
    /// The nodes, by number.
    pub nodes: Vec<NodeView>,
    /// Those who wait, where a policy sees all of them.
    pub queue: Vec<RequestView>,
    /// Sets of nodes, with what each is.
    pub sets: Vec<(&'static str, Vec<u32>)>,
    /// Numbers, with what each is.
    pub numbers: Vec<(&'static str, u64)>,
    /// Times in ns, with what each is.
    pub times: Vec<(&'static str, u64)>,
    /// Bytes, with what each is.
    pub sizes: Vec<(&'static str, u64)>,
    /// Sets that are not used, for their memory.
    spare: Vec<Vec<u32>>,
}

impl CallView {
    fn clear(&mut self) {
        let Self { request, nodes, queue, sets, numbers, times, sizes, spare } = self;
        *request = None;
        nodes.clear();
        queue.clear();
        spare.extend(sets.drain(..).map(|(_, set)| set));
        numbers.clear();
        times.clear();
        sizes.clear();
    }

    /// Keeps what a call shows.
    pub(super) fn keep(&mut self, seen: &Seen<'_>) {
        self.clear();
        match *seen {
            Seen::Place(request, cluster, _) => {
                self.request = Some(*request);
                self.keep_cluster(cluster);
            }
            Seen::Admission(request, view, _) => {
                self.request = Some(*request);
                self.numbers.extend([
                    ("delays", u64::from(view.delays)),
                    ("waiting", view.waiting),
                    ("waiting_of_function", view.waiting_of_function),
                    ("placed", view.placed),
                    ("running", view.running),
                    ("running_of_function", view.running_of_function),
                    ("free_cores", view.free_cores),
                ]);
                self.keep_cluster(view.cluster);
            }
            Seen::Batch(batch, _) => {
                self.keep_nodes(&batch.nodes);
                self.queue.extend(batch.queue.iter().copied());
                self.keep_set("up", batch.up);
            }
            Seen::Queue(queue) => {
                self.keep_nodes(&queue.nodes);
                self.queue.extend(queue.heads.iter().copied());
                self.numbers.push(("waiting", queue.waiting));
                self.keep_set("free_core", queue.free_core);
            }
            Seen::Rank(request, _) => self.request = Some(*request),
            Seen::Copy(copy) => {
                self.numbers.extend([("image", u64::from(copy.image)), ("node", u64::from(copy.node))]);
                self.numbers.push(("sending_of_head", u64::from(copy.sending_of_head)));
                self.sizes.push(("bytes", copy.bytes));
                self.keep_set("holders", copy.holders);
            }
            Seen::Timer(timer, cluster, _) => {
                self.numbers.push(("timer", timer));
                self.keep_cluster(cluster);
            }
            Seen::EvictionTimer(timer, _) => self.numbers.push(("timer", timer)),
            Seen::Need(need) => self.sizes.extend([("ram", need.ram), ("disk", need.disk)]),
            Seen::Completion(completion) => {
                let (node, idle) = (u64::from(completion.node), u64::from(completion.idle_of_function));
                self.numbers.extend([("node", node), ("idle_of_function", idle)]);
                self.times.push(("run_time", completion.run_time));
                self.sizes.push(("ram", completion.ram));
            }
            Seen::Scale(view) => self.numbers.extend([
                ("ready", u64::from(view.ready)),
                ("starting", u64::from(view.starting)),
                ("stopping", u64::from(view.stopping)),
                ("wanted", u64::from(view.wanted)),
                ("waiting", view.waiting),
                ("running", view.running),
                ("arrivals", view.arrivals),
            ]),
            Seen::Pool(pool) => {
                self.numbers.extend([
                    ("pool", u64::from(pool.pool)),
                    ("min", u64::from(pool.min)),
                    ("max", u64::from(pool.max)),
                    ("on", u64::from(pool.scale())),
                    ("pending", pool.pending.len() as u64),
                ]);
            }
            Seen::Nothing
            | Seen::Context(_)
            | Seen::Node(..)
            | Seen::End(_)
            | Seen::DelayedStart(_)
            | Seen::Link(_)
            | Seen::Workflow(_)
            | Seen::Container(_)
            | Seen::Item(_)
            | Seen::Created(..)
            | Seen::Touched(..)
            | Seen::Removed(..)
            | Seen::Ended(..)
            | Seen::Arrival(..) => {}
        }
    }

    fn keep_cluster(&mut self, cluster: &ClusterView<'_>) {
        self.keep_nodes(&cluster.nodes);
        if self.numbers.iter().all(|(what, _)| *what != "waiting") {
            self.numbers.push(("waiting", cluster.waiting));
        }
        for (what, nodes) in [
            ("up", cluster.up),
            ("free_core", cluster.free_core),
            ("idle_container", cluster.idle_container),
            ("image_in_ram", cluster.image_in_ram),
            ("image_loading", cluster.image_loading),
            ("image_on_disk", cluster.image_on_disk),
            ("image_copying", cluster.image_copying),
        ] {
            self.keep_set(what, nodes);
        }
    }

    fn keep_nodes(&mut self, nodes: &Records<'_, NodeView>) {
        self.nodes.extend(nodes.iter().copied());
    }

    fn keep_set(&mut self, what: &'static str, nodes: NodeSet<'_>) {
        let mut set = self.spare.pop().unwrap_or_default();
        set.clear();
        set.extend(nodes.iter());
        self.sets.push((what, set));
    }
}
