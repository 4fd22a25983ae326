//! What starts have come to, for later ones to be restored from it.

use std::collections::BTreeSet;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;
use rand_pcg::Pcg64Mcg;

use super::instance::{HowStarted, Instance};
use super::{InstanceKey, Instances};
use crate::distribution::{Distribution, Sampler};
use crate::function::{FunctionId, Snapshot, SnapshotPlace, StartPhase};
use crate::node::NodeId;
use crate::service::Service;
use crate::service::event::{Event, Happening};

/// The snapshots of a function, and how long things take with them.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// By phase: whether restored starts do without it.
    covered: Vec<bool>,
    restore: Sampler,
    create: Option<Sampler>,
    random: Pcg64Mcg,
    place: SnapshotPlace,
    /// The nodes that have one.
    on: BTreeSet<NodeId>,
    nodes: u32,
}

impl Snapshots {
    pub fn new(snapshot: &Snapshot, start: &[StartPhase], nodes: usize, random: Pcg64Mcg) -> Self {
        let nodes = nodes as u32;
        Self {
            covered: start.iter().map(|phase| snapshot.phases.contains(&phase.name)).collect(),
            restore: snapshot.restore.sampler(),
            create: snapshot.create.as_ref().map(Distribution::sampler),
            random,
            place: snapshot.place,
            on: (0..nodes).filter(|_| snapshot.is_there_before).map(NodeId).collect(),
            nodes,
        }
    }

    /// Whether starts on a node are restored.
    pub fn are_on(&self, node: NodeId) -> bool {
        self.on.contains(&node)
    }

    /// Changes the times of the phases of a start to what they are if it is restored.
    pub fn restore(&mut self, times: &mut [f64]) {
        let mut restored = Some(self.restore.draw(&mut self.random));
        for (time, _) in times.iter_mut().zip(&self.covered).filter(|(_, is_covered)| **is_covered) {
            *time = restored.take().unwrap_or(0.0);
        }
    }

    /// How many seconds after the instance is up that makes it the next one is there.
    fn draw_creation(&mut self) -> f64 {
        let Self { create, random, .. } = self;
        create.as_ref().map_or(0.0, |create| create.draw(random))
    }

    /// One has been made on a node.
    fn add(&mut self, node: NodeId) {
        match self.place {
            SnapshotPlace::Node => self.on.extend([node]),
            SnapshotPlace::Everywhere => self.on.extend((0..self.nodes).map(NodeId)),
        }
    }
}

impl Instances {
    /// Whether restored starts of a function do without the work at the start.
    pub(super) fn has_work_in_snapshot(&self, function: FunctionId) -> bool {
        let settings = self.fleets.get(&function).and_then(|fleet| fleet.settings.snapshot.as_ref());
        settings.is_some_and(|snapshot| snapshot.work)
    }

    /// What was on the disk of a node is lost.
    pub fn lose_snapshots_on(&mut self, node: NodeId) {
        let snapshots = self.fleets.iter_mut().filter_map(|fleet| fleet.snapshots.as_mut());
        for snapshots in snapshots {
            snapshots.on.remove(&node);
        }
    }
}

impl Service {
    /// An instance is up: if it has passed all of a start, and there is no snapshot where it is, it makes one.
    pub(super) fn make_snapshot(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) {
        let Some((instance, node, snapshots)) = self.maker_of_snapshot(key) else { return };
        if instance.start != HowStarted::New || snapshots.are_on(node) {
            return;
        }
        let seconds = SimDuration::from_secs_f64(snapshots.draw_creation());
        if seconds == SimDuration::ZERO {
            snapshots.add(node);
        } else {
            // Nobody waits for it.
            let is_there = kernel.now() + self.cluster.node(node).slowed(seconds);
            kernel.schedule_in_background(is_there, Event(Happening::SnapshotMade(key)));
        }
    }

    /// A snapshot is there, unless the instance that has made it has ended before.
    pub(in crate::service) fn snapshot_made(&mut self, key: InstanceKey) {
        if let Some((_, node, snapshots)) = self.maker_of_snapshot(key) {
            snapshots.add(node);
        }
    }

    fn maker_of_snapshot(&mut self, key: InstanceKey) -> Option<(&Instance, NodeId, &mut Snapshots)> {
        let instance = self.instances.all.get(key)?;
        let snapshots = self.instances.fleets.get_mut(&instance.function)?.snapshots.as_mut()?;
        Some((instance, instance.node()?, snapshots))
    }
}
