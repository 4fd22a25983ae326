//! Images on the nodes: on disk, in RAM, and on their way there.

use hearth_policy_api::Touch;
use hearth_simcore::time::SimTime;

use super::Cluster;
use super::node_ids::NodeIds;
use crate::function::{Image, ImageId};
use crate::node::NodeId;
use crate::policy::Mistake;
use crate::results::Books;
use crate::results::Move;
use crate::table::Identifier;

/// On which nodes an image is, and in what state.
#[derive(Debug)]
pub(crate) struct ImageSites {
    /// Bytes on a disk.
    size: u64,
    /// Bytes in RAM.
    ram_footprint: u64,
    pub(super) in_ram: NodeIds,
    pub(super) loading: NodeIds,
    pub(super) on_disk: NodeIds,
    pub(super) copying: NodeIds,
}

impl ImageSites {
    fn new(image: &Image, nodes: usize) -> Self {
        let none = || NodeIds::none(nodes);
        let (size, ram_footprint) = (image.size, image.ram_footprint);
        Self { size, ram_footprint, in_ram: none(), loading: none(), on_disk: none(), copying: none() }
    }

    #[inline]
    pub fn in_ram(&self) -> &NodeIds {
        &self.in_ram
    }

    pub fn loading(&self) -> &NodeIds {
        &self.loading
    }

    #[inline]
    pub fn on_disk(&self) -> &NodeIds {
        &self.on_disk
    }

    pub fn copying(&self) -> &NodeIds {
        &self.copying
    }

    /// Whether it is in the RAM of a node, or will be.
    #[inline]
    pub fn reaches_ram(&self, node: NodeId) -> bool {
        self.in_ram.contains(node) || self.loading.contains(node)
    }

    /// Whether it is on the disk of a node, or will be.
    #[inline]
    pub fn reaches_disk(&self, node: NodeId) -> bool {
        self.on_disk.contains(node) || self.copying.contains(node)
    }
}

impl Cluster {
    /// Takes the next image in, which is on no node.
    pub fn add_image(&mut self, image: &Image) {
        self.images.push(ImageSites::new(image, self.nodes.len()));
    }

    /// On which nodes an image is.
    #[inline]
    pub fn sites(&self, image: ImageId) -> &ImageSites {
        &self.images[image]
    }

    /// The images on the disk of a node.
    pub fn images_on_disk(&self, node: NodeId) -> impl Iterator<Item = ImageId> {
        self.images.named().filter(move |(_, sites)| sites.on_disk.contains(node)).map(|(image, _)| image)
    }

    /// Whether a node's disk has room for an image, if unused ones are evicted.
    pub fn can_hold(&self, node: NodeId, image: ImageId) -> bool {
        let disk = &self.nodes[node].disk;
        disk.free() + disk.unpinned_bytes() >= self.images[image].size
    }

    /// An image begins to come to a node's disk; false if there is no room.
    pub fn begin_copy(
        &mut self,
        node: NodeId,
        image: ImageId,
        books: &mut Books,
        now: SimTime,
    ) -> Result<bool, Mistake> {
        let size = self.images[image].size;
        if !self.make_disk_room(node, size, books, now)? {
            return Ok(false);
        }
        self.nodes[node].disk.begin(image, size);
        self.images[image].copying.insert(node);
        self.refresh(node);
        books.begin_move(image, Move::Copy(node.0));
        Ok(true)
    }

    /// The nodes that have an image on their disk and are up.
    pub fn holders(&self, image: ImageId) -> impl Iterator<Item = NodeId> {
        self.images[image].on_disk.iter().filter(|node| self.up.contains(*node))
    }

    /// A copy begins to come from the disk of another node, where it stays until then.
    pub fn begin_sending(&mut self, from: NodeId, to: NodeId, image: ImageId) {
        self.nodes[from].disk.pin(image);
        self.copies_between.insert((to, image), from);
        self.refresh(from);
    }

    /// A copy has come, or will not; false if it came from the head.
    pub fn end_sending(&mut self, to: NodeId, image: ImageId) -> bool {
        let Some(from) = self.copies_between.remove(&(to, image)) else { return false };
        self.nodes[from].disk.unpin(image);
        self.refresh(from);
        true
    }

    /// By node, how many copies are on their way from it to others; and how many from the head.
    pub fn copies_under_way(&self) -> (Vec<u32>, u32) {
        let mut sending = vec![0; self.nodes.len()];
        for from in self.copies_between.values() {
            if let Some(count) = sending.get_mut(from.position()) {
                *count += 1;
            }
        }
        let all: usize = self.images.iter().map(|sites| sites.copying.count()).sum();
        (sending, (all - self.copies_between.len()) as u32)
    }

    /// It has come.
    pub fn end_copy(&mut self, node: NodeId, image: ImageId, books: &mut Books) {
        books.metrics.copies.add(self.images[image].size);
        books.end_move(image, Move::Copy(node.0));
        self.nodes[node].disk.complete(image, books.date);
        let sites = &mut self.images[image];
        sites.copying.remove(node);
        sites.on_disk.insert(node);
        self.refresh(node);
    }

    /// It will not come.
    pub fn abort_copy(&mut self, node: NodeId, image: ImageId) {
        self.images[image].copying.remove(node);
        self.nodes[node].disk.abort(image);
        self.refresh(node);
    }

    /// An image begins to come from a node's disk into its RAM; false if it is not on the disk or there is no room.
    pub fn begin_load(
        &mut self,
        node: NodeId,
        image: ImageId,
        books: &mut Books,
        now: SimTime,
    ) -> Result<bool, Mistake> {
        let sites = &self.images[image];
        let footprint = sites.ram_footprint;
        if !sites.on_disk.contains(node) || !self.make_ram_room(node, footprint, books, now)? {
            return Ok(false);
        }
        self.nodes[node].ram.begin(image, footprint);
        self.nodes[node].disk.pin(image);
        self.images[image].loading.insert(node);
        self.refresh(node);
        books.begin_move(image, Move::Load(node.0));
        Ok(true)
    }

    /// It has come.
    pub fn end_load(&mut self, node: NodeId, image: ImageId, books: &mut Books) {
        books.metrics.loads.add(self.images[image].ram_footprint);
        books.end_move(image, Move::Load(node.0));
        let target = &mut self.nodes[node];
        target.ram.complete(image, books.date);
        target.disk.unpin(image);
        target.disk.touch(image, Touch::Load);
        let sites = &mut self.images[image];
        sites.loading.remove(node);
        sites.in_ram.insert(node);
        self.refresh(node);
    }

    /// It will not come.
    pub fn abort_load(&mut self, node: NodeId, image: ImageId) {
        self.images[image].loading.remove(node);
        let held = &mut self.nodes[node];
        held.ram.abort(image);
        held.disk.unpin(image);
        self.refresh(node);
    }

    /// Nothing is in the RAM of a node any more. No container is there that would need it.
    pub fn clear_ram(&mut self, node: NodeId) {
        for image in self.images.names() {
            if self.images[image].in_ram.contains(node) {
                self.images[image].in_ram.remove(node);
                self.nodes[node].ram.drop_image(image);
            }
        }
        self.refresh(node);
    }

    /// The images on a disk are gone, but for those that containers or transfers need: what they have read they keep.
    /// Gives those that are gone.
    pub fn lose_disk(&mut self, node: NodeId) -> Vec<ImageId> {
        let mut lost = Vec::new();
        for image in self.images.names() {
            if self.images[image].on_disk.contains(node) && self.nodes[node].disk.drop_unpinned(image) {
                lost.push(image);
                self.left_disk(node, image);
            }
        }
        self.refresh(node);
        lost
    }

    /// Whether images are to be [dropped](Self::drop_orphans) that have left the disk of their node.
    pub fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }

    /// Drops from RAM the images that have left the disk of their node; done once the message is handled.
    pub fn drop_orphans(&mut self) {
        for (node, image) in std::mem::take(&mut self.orphans) {
            let sites = &mut self.images[image];
            if !sites.on_disk.contains(node) && sites.in_ram.contains(node) {
                sites.in_ram.remove(node);
                self.nodes[node].ram.drop_image(image);
                self.refresh(node);
            }
        }
    }

    /// Makes room in a node's RAM by evicting images that no container needs; false if that cannot be done.
    pub(super) fn make_ram_room(
        &mut self,
        node: NodeId,
        bytes: u64,
        books: &mut Books,
        now: SimTime,
    ) -> Result<bool, Mistake> {
        let room = self.nodes[node].ram.make_room(bytes, now.as_nanos());
        let Some(evicted) = room? else { return Ok(false) };
        for image in evicted {
            books.metrics.evicted_images_in_ram.add(self.images[image].ram_footprint);
            self.images[image].in_ram.remove(node);
        }
        Ok(true)
    }

    /// Makes room on a node's disk by evicting images that no container needs; false if that cannot be done.
    pub(super) fn make_disk_room(
        &mut self,
        node: NodeId,
        bytes: u64,
        books: &mut Books,
        now: SimTime,
    ) -> Result<bool, Mistake> {
        let room = self.nodes[node].disk.make_room(bytes, now.as_nanos());
        let Some(evicted) = room? else { return Ok(false) };
        for image in evicted {
            books.metrics.evicted_images_on_disk.add(self.images[image].size);
            self.left_disk(node, image);
        }
        Ok(true)
    }

    fn left_disk(&mut self, node: NodeId, image: ImageId) {
        self.images[image].on_disk.remove(node);
        if self.images[image].in_ram.contains(node) {
            self.orphans.push((node, image));
        }
    }
}
