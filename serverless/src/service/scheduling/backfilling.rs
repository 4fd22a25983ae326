//! Who may pass those that wait longer (the timing model, section 5): what running invocations hold until when, and the
//! place that is kept for the first in the queue.

use std::collections::BTreeMap;

use hearth_policy_api::NodeView;
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashMap;

use crate::function::FunctionId;
use crate::node::{Footprint, NodeId, SharedProcessors};
use crate::service::attempts::AttemptKey;
use crate::service::registry::RegisteredFunction;
use crate::table::Table;

/// Who may start before somebody that stands before it in the queue and cannot start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Backfilling {
    /// Everybody, as in WRENCH: a request that needs much may wait as long as smaller ones come.
    #[default]
    Unlimited,
    /// Nobody: strictly first come, first served, with head-of-line blocking.
    None,
    /// Who does not delay the first by what time limits say: EASY backfilling (Lifka, "The ANL/IBM SP scheduling system",
    /// JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001). The first in the queue has a reservation at the
    /// earliest date at which a node will have what it needs, if everybody runs up to its limit; others start now if
    /// they are over by then, or take only what the reservation leaves.
    Easy,
}

impl Backfilling {
    /// Its name in scenarios.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::None => "none",
            Self::Easy => "easy",
        }
    }
}

/// When those that hold a core will give it back at the latest: [`SimTime::MAX`] without a time limit.
#[derive(Debug)]
pub(crate) struct ExpectedEnds {
    by_node: Table<NodeId, BTreeMap<(SimTime, AttemptKey), Held>>,
    /// Looked up, never walked.
    of: FxHashMap<AttemptKey, (NodeId, SimTime)>,
}

/// The container that somebody runs in.
#[derive(Clone, Copy, Debug)]
struct Held {
    function: FunctionId,
    footprint: Footprint,
}

impl ExpectedEnds {
    /// Of nobody yet, on so many nodes.
    pub fn new(nodes: usize) -> Self {
        Self { by_node: vec![BTreeMap::new(); nodes].into(), of: FxHashMap::default() }
    }

    pub fn begin(&mut self, key: AttemptKey, node: NodeId, end: SimTime, function: &RegisteredFunction) {
        let held = Held { function: function.id, footprint: function.footprint() };
        self.by_node[node].insert((end, key), held);
        self.of.insert(key, (node, end));
    }

    pub fn end(&mut self, key: AttemptKey) {
        if let Some((node, end)) = self.of.remove(&key) {
            self.by_node[node].remove(&(end, key));
        }
    }

    /// What runs on a node, in the order of expected ends.
    fn on(&self, node: NodeId) -> impl Iterator<Item = (SimTime, Held)> {
        self.by_node[node].iter().map(|((end, _), held)| (*end, *held))
    }

    /// The earliest date at which a node has a core and room for somebody, and what it has beside that then. On a container
    /// that `stays`, since somebody waits for it who takes it over, nobody counts.
    pub fn reserve(
        &self,
        node: NodeId,
        room: Room,
        need: Footprint,
        now: SimTime,
        stays: impl Fn(FunctionId, NodeId) -> bool,
    ) -> Option<Reservation> {
        let mut room = room;
        let mut date = room.holds(need).then_some(now);
        for (end, Held { function, footprint }) in self.on(node) {
            if end == SimTime::MAX || date.is_some_and(|date| end > date) {
                break;
            }
            if stays(function, node) {
                continue;
            }
            room.free_after(footprint);
            if date.is_none() && room.holds(need) {
                date = Some(end.max(now));
            }
        }
        Some(Reservation { node, date: date?, left: room.without(need) })
    }
}

/// What a node has for those who come: a core each, and RAM and disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    cores: u32,
    free: Footprint,
    /// What idle containers hold.
    idle: Footprint,
    /// What unused images hold.
    images: Footprint,
}

impl Room {
    pub fn of(view: &NodeView, shared: Option<SharedProcessors>) -> Self {
        let (free, idle) = shared.map_or((0, 0), |shared| shared.free_and_idle());
        Self {
            // Where processors are shared, nobody needs a core.
            cores: if shared.is_some() { u32::MAX } else { view.free_cores },
            free: Footprint { ram: view.free_ram, disk: view.free_disk, processors: free },
            idle: Footprint { ram: view.idle_ram, disk: view.idle_disk, processors: idle },
            images: Footprint { ram: view.unused_image_ram, disk: view.unused_image_disk, processors: 0 },
        }
    }

    /// Keeps an unused image that is needed.
    pub fn keep_image(&mut self, image: Footprint) {
        self.images.ram = self.images.ram.saturating_sub(image.ram);
        self.images.disk = self.images.disk.saturating_sub(image.disk);
    }

    /// Whether somebody can start. Images are evicted, or else idle containers (the timing model, section 5).
    pub fn holds(&self, need: Footprint) -> bool {
        let Self { cores, free, idle, images } = self;
        let with = |other: &Footprint| {
            need.ram <= free.ram.saturating_add(other.ram) && need.disk <= free.disk.saturating_add(other.disk)
        };
        let has_processors = need.processors <= free.processors.saturating_add(idle.processors);
        *cores > 0 && has_processors && (with(images) || with(idle))
    }

    /// Somebody has ended, and its container is idle.
    fn free_after(&mut self, footprint: Footprint) {
        self.cores = self.cores.saturating_add(1);
        self.idle.processors = self.idle.processors.saturating_add(footprint.processors);
        self.idle.ram = self.idle.ram.saturating_add(footprint.ram);
        self.idle.disk = self.idle.disk.saturating_add(footprint.disk);
    }

    /// What is left beside somebody that it holds.
    fn without(mut self, need: Footprint) -> Self {
        self.cores = self.cores.saturating_sub(1);
        let take = |mut need: u64, from: [&mut u64; 3]| {
            for part in from {
                let taken = need.min(*part);
                *part -= taken;
                need -= taken;
            }
        };
        take(need.ram, [&mut self.free.ram, &mut self.images.ram, &mut self.idle.ram]);
        take(need.disk, [&mut self.free.disk, &mut self.images.disk, &mut self.idle.disk]);
        take(need.processors, [&mut self.free.processors, &mut 0, &mut self.idle.processors]);
        self
    }
}

/// The place that is kept for the first in the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reservation {
    pub node: NodeId,
    /// When it can start there.
    pub date: SimTime,
    /// What the node has beside it then.
    left: Room,
}

impl Reservation {
    /// Whether somebody may start on the node now that will have ended at a date.
    pub fn admits(&self, end: SimTime, need: Footprint) -> bool {
        (end <= self.date && end < SimTime::MAX) || self.left.holds(need)
    }

    /// Somebody has started on the node.
    pub fn make_room_for(&mut self, end: SimTime, need: Footprint) {
        if end > self.date || end == SimTime::MAX {
            self.left = self.left.without(need);
        }
    }
}
