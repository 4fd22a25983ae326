//! Containers of instances that are paused: idle ones of their function, which may keep a part of their RAM alone, until the next
//! instance takes one (the timing model, section 15).

use hearth_policy_api::{ContainerChange, Creation};
use hearth_simcore::kernel::Kernel;

use super::containers::ContainerSpec;
use super::{Cluster, HeldContainer};
use crate::function::FunctionId;
use crate::node::{ContainerId, Footprint, NodeId, Spell};
use crate::policy::Mistake;
use crate::results::Books;

impl Cluster {
    /// Has idle containers of a function, of which there are none yet, keep this share of their RAM, from 0 to 1.
    pub fn keep_of_ram(&mut self, function: FunctionId, share: f64) {
        let spec = &mut self.specs[function];
        spec.idle_ram = ((spec.footprint.ram as f64 * share).round() as u64).min(spec.footprint.ram);
    }

    /// Whether a container of a function can be in the place of one of another: it holds no more RAM or processors, and the same image.
    pub fn fits_into(&self, function: FunctionId, other: FunctionId) -> bool {
        let (spec, other) = (&self.specs[function], &self.specs[other]);
        let (own, there) = (spec.footprint, other.footprint);
        own.ram <= there.ram && own.processors <= there.processors && spec.image == other.image
    }

    /// Whether a node is up and has the disk for a container of a function beside what is promised; room is made by evicting images or
    /// idle containers, if that will do.
    pub fn make_disk_for<E>(
        &mut self,
        node: NodeId,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Result<bool, Mistake> {
        let disk = self.specs[function].footprint.disk;
        let view = &self.views[node];
        if !self.up.contains(node) || view.free_disk + view.idle_disk + view.unused_image_disk < disk {
            return Ok(false);
        }
        let wanted = Footprint { ram: 0, disk, processors: 0 };
        let has_room = self.make_disk_room(node, disk, books, kernel.now())?
            || (self.evict_idle_containers(node, function, wanted, books, kernel)?
                && self.make_disk_room(node, disk, books, kernel.now())?);
        self.refresh(node);
        Ok(has_room)
    }

    /// Has a container of a function, for which there is the disk, in the place of one of another into which it
    /// [fits](Self::fits_into), and which ends.
    pub fn replace<E>(
        &mut self,
        other: HeldContainer,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> HeldContainer {
        let node = other.node();
        let ContainerSpec { footprint, image, .. } = self.specs[function];
        // While the other one has it: it does not leave the node.
        self.pin_image(node, image);
        self.nodes[node].disk.reserve(footprint.disk);
        self.end(other, ContainerChange::Ended, books, kernel);
        let described = &mut self.nodes[node];
        described.ram.reserve(footprint.ram);
        if let Some(shared) = &mut described.processors {
            shared.reserve(footprint.processors);
        }
        let held = self.add_container(node, function, Creation::Prewarming, kernel.now());
        self.touch_image(node, function);
        self.refresh(node);
        held
    }

    /// What a container holds of RAM, idle or not.
    pub fn held_ram(&self, container: &crate::node::Container) -> u64 {
        let spec = &self.specs[container.function];
        if container.idle.is_some() { spec.idle_ram } else { spec.footprint.ram }
    }

    /// Takes the idle container of a function that became idle last, of those on nodes that have, or can make by evicting images, room
    /// for the rest of its RAM beside what is promised. `None` if there is no such.
    pub fn resume<E>(
        &mut self,
        function: FunctionId,
        books: &mut Books,
        kernel: &mut Kernel<E>,
    ) -> Result<Option<HeldContainer>, Mistake> {
        let spec = &self.specs[function];
        let rest = spec.footprint.ram - spec.idle_ram;
        let has_room = |node: &NodeId| {
            let view = &self.views[*node];
            self.up.contains(*node) && view.free_ram + view.unused_image_ram >= rest
        };
        let newest = |node: NodeId| -> Option<(Spell, NodeId, ContainerId)> {
            let container = self.first_idle(node, function, true)?;
            let spell = self.nodes[node].container(container)?.idle.as_ref()?.spell;
            Some((spell, node, container))
        };
        let nodes = self.idle[function].nodes.iter().filter(has_room);
        let mut newest_first: Vec<_> = nodes.filter_map(newest).collect();
        newest_first.sort_unstable_by(|one, other| other.cmp(one));
        for (_, node, container) in newest_first {
            if !self.make_ram_room(node, rest, books, kernel.now())? {
                continue;
            }
            let held = self.leave_idle(node, function, container, ContainerChange::Taken, books, kernel);
            if let Some(held) = held {
                self.nodes[node].ram.reserve(rest);
                self.touch_image(node, function);
                self.refresh(node);
                return Ok(Some(held));
            }
        }
        Ok(None)
    }
}
