//! Node allocation.

use super::*;

#[derive(Default)]
struct Allocations {
    first: Option<u64>,
    given: Vec<u32>,
    calls: u64,
    thread: Option<std::sync::Arc<std::sync::atomic::AtomicU64>>,
    threads: Vec<std::sync::mpsc::Sender<()>>,
}

defective!(
    Placer,
    Allocations,
    [
        "ranks by an address of a static",
        "ranks by the clock",
        "ranks that starve the oldest",
        "an address of a static",
        "the number of the process",
        "rejects everybody",
        "the time that has gone by",
        "state of the thread",
        "a thread that changes answers",
        "one byte too few",
        "does not count its own decisions",
        "starves a function",
        "knows 64 nodes",
        "a cost that grows with the number of calls",
        "a millisecond a call",
        "leaks when it lets wait",
        "a byte a call",
        "a megabyte an instance",
        "a thread an instance",
        "odd seeds",
    ]
);

/// What [`defective!`] makes, with its seed.
pub struct Seeded(Placer, u64);

impl Policy for Seeded {
    const NAME: &'static str = Placer::NAME;
    const VERSION: &'static str = Placer::VERSION;
    const DESCRIPTION: &'static str = Placer::DESCRIPTION;
    type Parameters = <Placer as Policy>::Parameters;

    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        let mut placer = Placer::new(parameters, context)?;
        match placer.defect {
            "a megabyte an instance" => leak(vec![1_u8; 1_000_000]),
            "a thread an instance" => {
                let (sender, receiver) = std::sync::mpsc::channel::<()>();
                std::thread::spawn(move || receiver.recv());
                leak(sender.clone());
                placer.state.threads.push(sender);
            }
            "a thread that changes answers" => {
                let shared = std::sync::Arc::<std::sync::atomic::AtomicU64>::default();
                let other = std::sync::Arc::downgrade(&shared);
                std::thread::spawn(move || {
                    while let Some(shared) = other.upgrade() {
                        shared.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                });
                placer.state.thread = Some(shared);
            }
            _ => {}
        }
        Ok(Self(placer, context.seed))
    }
}

impl NodeAllocation for Seeded {
    fn rules(&self) -> AllocationRules {
        AllocationRules { ranks: true, observes: true, ..AllocationRules::default() }
    }

    fn observe(&mut self, node: u32, view: &NodeView, _up: bool) {
        let given = &mut self.0.state.given;
        given.resize(given.len().max(node as usize + 1), 0);
        given[node as usize] = view.free_cores;
        if self.0.is("knows 64 nodes") {
            let _bit = [0_u64; 64][node as usize];
        }
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        match self.0.defect {
            "ranks by an address of a static" => std::ptr::from_ref(&PLACE) as u64 / 4096 % 1000,
            "ranks by the clock" => tick() % 1000,
            "ranks that starve the oldest" => u64::MAX - now,
            _ => request.function.into(),
        }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let spare = u64::from(self.0.is("one byte too few"));
        let fits = |node: &u32| {
            let view = &cluster.nodes[*node as usize];
            cluster.idle_container.contains(*node)
                || (view.free_ram + view.idle_ram + spare >= request.ram_limit
                    && view.free_disk + view.idle_disk >= request.disk_limit)
        };
        let state = &mut self.0.state;
        state.calls += 1;
        let first = *state.first.get_or_insert(request.function.into());
        let nodes: Vec<u32> = cluster.free_core.iter().filter(fits).collect();
        let pick = |number: u64| nodes.get((number % nodes.len().max(1) as u64) as usize).copied();
        let chosen = match self.0.defect {
            "an address of a static" => pick(std::ptr::from_ref(&PLACE) as u64 / 4096),
            "the number of the process" => pick(std::process::id().into()),
            "rejects everybody" => return Placement::Reject("as it is".into()),
            "the time that has gone by" => pick(elapsed().as_nanos() as u64 / 100),
            "state of the thread" => pick(COUNT.replace(COUNT.get() + 1)),
            "a thread that changes answers" => {
                pick(state.thread.as_ref().map_or(0, |shared| shared.load(std::sync::atomic::Ordering::Relaxed)))
            }
            "does not count its own decisions" => {
                let free = |node: &u32| state.given.get(*node as usize).is_some_and(|cores| *cores > 0);
                cluster.up.iter().find(|node| free(node) && fits(node))
            }
            "starves a function" if cluster.waiting > 2 && u64::from(request.function) == first => None,
            "odd seeds" if self.1 % 2 == 1 => cluster.up.iter().next(),
            _ => nodes.first().copied(),
        };
        match self.0.defect {
            "a cost that grows with the number of calls" => {
                let sum = (0..self.0.state.calls).fold(0_u64, |sum, call| std::hint::black_box(sum ^ call));
                self.0.state.first = self.0.state.first.max(Some(sum));
            }
            "a millisecond a call" => {
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_millis(1) {}
            }
            "leaks when it lets wait" if chosen.is_none() => leak([0_u8; 24]),
            "a byte a call" => leak(0_u8),
            _ => {}
        }
        chosen.into()
    }
}

#[test]
fn seeds_of_node_allocation_are_caught() {
    let (differs, elsewhere) = ("does not do the same", "does not do the same in a second process");
    check_everywhere(
        "places",
        &[
            ("ranks by an address of a static", elsewhere),
            ("ranks by the clock", differs),
            ("ranks that starve the oldest", "starves request "),
            ("an address of a static", elsewhere),
            ("the number of the process", elsewhere),
            ("rejects everybody", "rejects everybody, "),
            ("the time that has gone by", differs),
            ("state of the thread", differs),
            ("a thread that changes answers", differs),
            ("one byte too few", "which cannot make room"),
            ("does not count its own decisions", "on node "),
            ("starves a function", "wait, though node "),
            ("knows 64 nodes", "failed in observe: panicked: index out of bounds"),
            ("a cost that grows with the number of calls", "the time of a call grows with the number of calls: place "),
            ("a millisecond a call", "µs for a call of place"),
            ("leaks when it lets wait", "memory grows with the number of calls"),
            ("a byte a call", "memory grows with the number of calls"),
            ("a megabyte an instance", "memory grows with the number of instances"),
            ("a thread an instance", "leaves threads behind"),
            ("odd seeds", "on node "),
        ],
    );
}
