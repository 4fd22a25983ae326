use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use hearth_policy_api::*;

use super::{check_rows, defective, leak, tick};

#[derive(Default)]
struct State {
    /// Nodes that have been seen down.
    down: BTreeSet<u32>,
    /// Nodes behind links that have been seen down.
    cut_off: BTreeSet<u32>,
    links: Vec<u32>,
    /// Free cores as observed, less those given away.
    cores: Vec<u32>,
    hashed: HashMap<u32, u32>,
    first_request: Option<u64>,
    /// By node: those that were placed there and have not ended.
    placed: Vec<u32>,
    lost: Vec<u64>,
}

defective!(
    Allocator,
    State,
    [
        "a full node",
        "a node that is down",
        "a node that is not there",
        "forgets a node that came back",
        "ignores RAM",
        "ignores disk",
        "the clock",
        "an address",
        "the order of a hash map",
        "state that instances share",
        "leaks memory",
        "starves the oldest",
        "waits for warm containers",
        "does not see cores come free",
        "panics at the third function",
        "forgets a link that came back",
        "panics at a link that leads nowhere",
        "grows with every link",
        "says that its answers hold and looks at RAM",
        "forgets those that are lost",
        "forgets those that are put back",
        "counts an end twice",
        "counts those that ended in the queue",
        "learns from those that never began",
        "grows with every one that is lost",
    ]
);

static SHARED: AtomicU64 = AtomicU64::new(0);

impl Allocator {
    /// The nodes that a sound policy may choose.
    fn candidates(&self, request: &RequestView, cluster: &ClusterView<'_>) -> Vec<u32> {
        let fits = |node: &u32| {
            let view = &cluster.nodes[*node as usize];
            let ram = view.free_ram + view.idle_ram >= request.ram_limit || self.is("ignores RAM");
            let disk = view.free_disk + view.idle_disk >= request.disk_limit || self.is("ignores disk");
            cluster.idle_container.contains(*node) || (ram && disk)
        };
        cluster.free_core.iter().filter(fits).collect()
    }

    /// One of them, by some number.
    fn pick(candidates: &[u32], number: u64) -> Option<u32> {
        candidates.get((number % candidates.len().max(1) as u64) as usize).copied()
    }
}

impl NodeAllocation for Allocator {
    fn rules(&self) -> AllocationRules {
        let answers_hold = self.is("says that its answers hold and looks at RAM");
        AllocationRules { observes: true, observes_ends: true, answers_hold, ..AllocationRules::default() }
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        if !up {
            self.state.down.insert(node);
        }
        let cores = &mut self.state.cores;
        if cores.len() <= node as usize {
            cores.resize(node as usize + 1, u32::MAX);
        }
        cores[node as usize] = cores[node as usize].min(view.free_cores);
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        if link.share == 0.0 {
            self.state.cut_off.extend(link.nodes.iter());
        }
        match self.defect {
            "grows with every link" => self.state.links.extend([link.link; 8]),
            "panics at a link that leads nowhere" => assert!(!link.nodes.is_empty(), "to no node"),
            _ => {}
        }
    }

    fn on_end(&mut self, end: &End) {
        let times = match self.defect {
            "counts an end twice" => 2,
            "forgets those that are lost" if end.ending == Ending::Lost => 0,
            "forgets those that are put back" if end.ending == Ending::Requeued => 0,
            _ => 1,
        };
        let node = if end.node == NONE && self.is("counts those that ended in the queue") { 0 } else { end.node };
        if node != NONE {
            let placed = self.state.placed.get_mut(node as usize).expect("somebody was placed there");
            *placed = placed.checked_sub(times).expect("no more end than were placed");
        }
        if self.is("learns from those that never began") {
            let _ends_in_a_second = 1_000_000_000 / end.run_time;
        }
        if self.is("grows with every one that is lost") && end.ending == Ending::Lost {
            self.state.lost.extend([end.invocation; 8]);
        }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let answer = self.answer(request, cluster);
        if let Placement::Node(node) = answer {
            let placed = &mut self.state.placed;
            placed.resize(placed.len().max(node as usize + 1), 0);
            placed[node as usize] += 1;
        }
        answer
    }
}

impl Allocator {
    fn answer(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let candidates = self.candidates(request, cluster);
        let first = *self.state.first_request.get_or_insert(request.invocation);
        let chosen = match self.defect {
            "a full node" => cluster.up.iter().find(|node| {
                cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request)
            }),
            "a node that is down" => Some(0),
            "a node that is not there" => Some(cluster.nodes.len() as u32),
            "forgets a node that came back" => candidates.into_iter().find(|node| !self.state.down.contains(node)),
            "forgets a link that came back" => candidates.into_iter().find(|node| !self.state.cut_off.contains(node)),
            "the clock" => Self::pick(&candidates, tick()),
            "an address" => Self::pick(&candidates, std::ptr::from_ref(self) as u64 / 16),
            "the order of a hash map" => {
                self.state.hashed.clear();
                self.state.hashed.extend(candidates.iter().map(|node| (*node, 0)));
                self.state.hashed.keys().next().copied()
            }
            "state that instances share" => Self::pick(&candidates, SHARED.fetch_add(1, Ordering::Relaxed)),
            "leaks memory" => {
                leak([0_u8; 24]);
                candidates.first().copied()
            }
            "starves the oldest" if request.invocation == first => None,
            "waits for warm containers" => candidates.into_iter().find(|node| {
                cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].idle_containers == 0
            }),
            "does not see cores come free" => {
                candidates.into_iter().find(|node| self.state.cores.get(*node as usize).is_some_and(|cores| *cores > 0))
            }
            "forgets those that are lost" | "forgets those that are put back" => candidates.into_iter().find(|node| {
                let placed = self.state.placed.get(*node as usize).copied().unwrap_or(0);
                placed < cluster.nodes[*node as usize].cores
            }),
            "panics at the third function" => candidates.get([0, 0][request.function as usize]).copied(),
            _ => candidates.first().copied(),
        };
        chosen.into()
    }
}

#[test]
fn defects_of_node_allocation_are_caught() {
    check_rows(
        &PolicyDescriptor::node_allocation::<Allocator>(),
        &[
            ("a full node", "which has no free core"),
            ("a node that is down", "on node 0, which "),
            ("a node that is not there", "of nodes 0 to "),
            ("forgets a node that came back", "wait, though node "),
            ("ignores RAM", "which cannot make room"),
            ("ignores disk", "which cannot make room"),
            ("the clock", "does not do the same"),
            ("an address", "does not do the same"),
            ("the order of a hash map", "does not do the same"),
            ("state that instances share", "does not do the same"),
            ("leaks memory", "memory grows with the number of calls"),
            ("starves the oldest", "wait, though node "),
            ("waits for warm containers", "wait, though node "),
            ("does not see cores come free", "wait, though node "),
            ("panics at the third function", "failed in place: panicked: index out of bounds"),
            ("forgets a link that came back", "wait, though node "),
            ("panics at a link that leads nowhere", "failed in observe_link: panicked: to no node"),
            ("grows with every link", "memory grows with the number of calls"),
            ("says that its answers hold and looks at RAM", "says that its answers hold"),
            ("forgets those that are lost", "wait, though node "),
            ("forgets those that are put back", "wait, though node "),
            ("counts an end twice", "failed in on_end: panicked: no more end than were placed"),
            ("counts those that ended in the queue", "failed in on_end: panicked: "),
            ("learns from those that never began", "failed in on_end: panicked: attempt to divide by zero"),
            ("grows with every one that is lost", "memory grows with the number of calls"),
        ],
    );
}
