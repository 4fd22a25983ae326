//! The way of an image: registry → head storage → node disk → node RAM, and who waits for it (the timing model, sections 1
//! to 4).

use hearth_policy_api::{CopyView, NONE, NodeBits, PolicySlot, Slice};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::AttemptKey;
use super::event::{Event, Happening, Message};
use super::explain::Kind;
use crate::error::Error;
use crate::function::ImageId;
use crate::invocation::InvocationState;
use crate::node::{ImageStorage, NodeId};
use crate::policy::{EvictionInstance, Method, Mistake};
use crate::results::Move;
use crate::table::Table;

/// The head's storage of images.
#[derive(Debug)]
pub(crate) struct HeadImages {
    storage: ImageStorage,
    /// By image.
    states: Table<ImageId, HeadImage>,
    /// Downloads for which the head has no room yet, in the order in which they were asked for.
    stalled: Vec<ImageId>,
    /// Whether downloads take time and room.
    simulate_downloads: bool,
}

#[derive(Debug, Default)]
struct HeadImage {
    asked_for: bool,
    here: bool,
}

impl HeadImages {
    /// A timer of the eviction policy has gone off.
    pub fn on_timer(&mut self, timer: u64, now: SimTime) {
        self.storage.on_timer(timer, now);
    }

    /// Has another policy decide what goes.
    pub fn replace_eviction(&mut self, eviction: EvictionInstance, now: SimTime) {
        self.storage.replace_eviction(eviction, now);
    }

    pub fn new(storage: ImageStorage, simulate_downloads: bool) -> Self {
        Self { storage, states: Table::default(), stalled: Vec::new(), simulate_downloads }
    }

    pub fn add_image(&mut self) {
        self.states.push(HeadImage::default());
    }

    /// Whether a download waits for room.
    pub fn is_stalled(&self) -> bool {
        !self.stalled.is_empty()
    }

    /// The head's capacity for images; `None` if downloads are not simulated.
    pub fn capacity(&self) -> Option<u64> {
        self.simulate_downloads.then(|| self.storage.capacity())
    }

    /// Whether an image is on the head's storage.
    pub fn is_here(&self, image: ImageId) -> bool {
        self.states[image].here
    }

    /// Whether the download of an image waits for room.
    pub fn has_no_room_for(&self, image: ImageId) -> bool {
        self.stalled.contains(&image)
    }

    /// A copy from here came to nothing.
    pub fn unpin(&mut self, image: ImageId) {
        self.storage.unpin(image);
    }

    /// A download came to nothing: it is to be begun again.
    pub fn download_failed(&mut self, image: ImageId) {
        self.storage.abort(image);
        self.stalled.push(image);
    }

    fn state(&mut self, image: ImageId) -> &mut HeadImage {
        &mut self.states[image]
    }
}

impl Service {
    /// Keeps an invocation until its image is on the head, and sees to it that the image comes.
    pub(crate) fn await_download(
        &mut self,
        key: AttemptKey,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.attempts.await_image(key, image)?;
        self.attempts.enter(key, InvocationState::WaitingForImage, kernel.now());
        self.ask_for_download(image, kernel)
    }

    fn ask_for_download(&mut self, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if std::mem::replace(&mut self.head.images.state(image).asked_for, true) {
            return Ok(());
        }
        if !self.download(image, kernel)? {
            self.head.images.stalled.push(image);
        }
        Ok(())
    }

    /// Begins a download; false if the head has no room.
    fn download(&mut self, image: ImageId, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let done = Event(Happening::Message(Message::Downloaded(image)));
        if !self.head.images.simulate_downloads {
            // It takes no time, but the message that it is done waits its turn at the head like any other.
            kernel.schedule(SimDuration::ZERO, done);
            self.explain_free_download(image, kernel.now());
            return Ok(true);
        }
        if kernel.check_up(Endpoint::Disk(self.registry.host()), Endpoint::Disk(self.head.host())).is_err() {
            return Ok(false);
        }
        let size = self.registry.image(image).size;
        let room = self.head.images.storage.make_room(size, kernel.now().as_nanos());
        let Some(evicted) = room.map_err(|mistake| self.policies.error(mistake))? else {
            return Ok(false);
        };
        for evicted in evicted {
            self.head.images.state(evicted).here = false;
            self.books.metrics.evicted_images_on_head.add(self.registry.image(evicted).size);
        }
        self.head.images.storage.begin(image, size);
        self.books.begin_move(image, Move::Download);
        let ends = (Endpoint::Disk(self.registry.host()), Endpoint::Disk(self.head.host()));
        kernel.transfer(ends.0, ends.1, size, done)?;
        self.explain_move((None, image), Kind::DOWNLOAD, ends, size, kernel);
        Ok(true)
    }

    pub(crate) fn downloaded(&mut self, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.head.images.simulate_downloads {
            self.books.metrics.downloads.add(self.registry.image(image).size);
            self.books.end_move(image, Move::Download);
            self.head.images.storage.complete(image, self.books.date);
        }
        self.recovery.image_is_on_head();
        self.explain_arrived((None, image), kernel.now());
        let state = self.head.images.state(image);
        (state.here, state.asked_for) = (true, false);
        for key in self.attempts.image_is_here(image)? {
            let waiting = self.waiting(key)?;
            self.enqueue(&waiting, kernel)?;
        }
        Ok(())
    }

    /// Begins downloads that found no room on the head before.
    pub(crate) fn retry_downloads(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for image in std::mem::take(&mut self.head.images.stalled) {
            if !self.download(image, kernel)? {
                self.head.images.stalled.push(image);
            }
        }
        Ok(())
    }

    /// Begins to copy an image from the head to a node's disk, unless it is there or on its way; false if there is no
    /// room, or the head has lost the image and must download it again.
    pub(crate) fn copy(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        if self.cluster.sites(image).reaches_disk(node) {
            return Ok(true);
        }
        if !self.cluster.can_hold(node, image) {
            return Ok(false);
        }
        let source = self.source_of_copy(node, image, kernel)?;
        let from = source.map_or(self.head.host(), |source| self.cluster.node(source).host);
        let ends = (Endpoint::Disk(from), Endpoint::Disk(self.cluster.node(node).host));
        // Before a download, which might evict another image that could not be copied either, and so on for ever.
        if kernel.check_up(ends.0, ends.1).is_err() {
            return Ok(false);
        }
        if source.is_none() && !self.head.images.is_here(image) {
            self.ask_for_download(image, kernel)?;
            return Ok(false);
        }
        let begun = self.cluster.begin_copy(node, image, &mut self.books, kernel.now());
        if !begun.map_err(|mistake| self.policies.error(mistake))? {
            return Ok(false);
        }
        match source {
            Some(source) => self.cluster.begin_sending(source, node, image),
            None => self.head.images.storage.pin(image),
        }
        let done = Event(Happening::Message(Message::Copied { node, image }));
        let size = self.registry.image(image).size;
        kernel.transfer(ends.0, ends.1, size, done)?;
        self.explain_move((Some(node), image), Kind::COPY, ends, size, kernel);
        Ok(true)
    }

    /// The node from which an image is to be copied to another one, if a policy says that and there is one; else it is the head.
    fn source_of_copy(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<Option<NodeId>, Box<Error>> {
        if !self.policies.rules().chooses_sources {
            return Ok(None);
        }
        let to = Endpoint::Disk(self.cluster.node(node).host);
        let mut holders = NodeBits::new(self.cluster.nodes().len());
        for holder in self.cluster.holders(image) {
            let from = Endpoint::Disk(self.cluster.node(holder).host);
            if holder != node && kernel.check_path(from, to).is_ok() && kernel.check_up(from, to).is_ok() {
                holders.insert(holder.0);
            }
        }
        if holders.view().is_empty() {
            return Ok(None);
        }
        let (sending, sending_of_head) = self.cluster.copies_under_way();
        let source = self.policies.source(&CopyView {
            image: image.0,
            now: kernel.now().as_nanos(),
            bytes: self.registry.image(image).size,
            node: node.0,
            is_on_head: u32::from(self.head.images.is_here(image)),
            holders: holders.view(),
            sending: Slice::new(&sending),
            sending_of_head,
            ..CopyView::default()
        })?;
        if source != NONE && !holders.contains(source) {
            let cause = format!(
                "answered node {source}, which is none of the holders: expected one of them, or NONE for the head"
            );
            return Err(self.policies.error(Mistake::new(PolicySlot::NodeAllocation, Method::Source, cause)));
        }
        Ok((source != NONE).then_some(NodeId(source)))
    }

    /// A copy has come to a node, or will not: what it was read from may go.
    pub(crate) fn copy_is_over(&mut self, node: NodeId, image: ImageId) {
        if !self.cluster.end_sending(node, image) {
            self.head.images.unpin(image);
        }
    }

    pub(crate) fn copied(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.explain_arrived((Some(node), image), kernel.now());
        self.recovery.image_is_copied(node, image);
        self.copy_is_over(node, image);
        self.cluster.end_copy(node, image, &mut self.books);
        self.advance_site(node, image, kernel)
    }

    /// Begins to load an image from a node's disk into its RAM, unless it is there or on its way; false if the image
    /// is not on the disk or there is no room.
    pub(crate) fn load(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        if self.cluster.sites(image).reaches_ram(node) {
            return Ok(true);
        }
        let begun = self.cluster.begin_load(node, image, &mut self.books, kernel.now());
        if !begun.map_err(|mistake| self.policies.error(mistake))? {
            return Ok(false);
        }
        let host = self.cluster.node(node).host;
        let done = Event(Happening::Message(Message::Loaded { node, image }));
        let (ends, size) = ((Endpoint::Disk(host), Endpoint::Memory(host)), self.registry.image(image).ram_footprint);
        kernel.transfer(ends.0, ends.1, size, done)?;
        self.explain_move((Some(node), image), Kind::LOAD, ends, size, kernel);
        Ok(true)
    }

    pub(crate) fn loaded(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.explain_arrived((Some(node), image), kernel.now());
        self.cluster.end_load(node, image, &mut self.books);
        // At once, before the room is asked for by another image.
        self.advance_site(node, image, kernel)
    }

    /// Tries again where those who are bound to a node could not get their image moved before.
    pub(crate) fn advance_bound(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for (node, image) in self.rounds.take_stalls() {
            self.advance_site(node, image, kernel)?;
        }
        Ok(())
    }

    /// Takes those who are bound to a node and wait for an image there a step further, instances too.
    pub(super) fn advance_site(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        if !self.attempts.is_bound(node, image) && !self.instances.are_bound(node, image) {
            return Ok(());
        }
        if self.cluster.is_image_ready(node, Some(image)) {
            self.start_bound_instances(node, image, kernel)?;
            return self.start_bound(node, image, kernel);
        }
        let is_on_disk = self.cluster.sites(image).on_disk().contains(node);
        let moves = if is_on_disk { self.load(node, image, kernel)? } else { self.copy(node, image, kernel)? };
        if !moves {
            self.rounds.stall(node, image);
        }
        Ok(())
    }

    /// Starts those who are bound to a node and have waited for this image; who cannot start is placed anew.
    fn start_bound(&mut self, node: NodeId, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for (key, promise) in self.attempts.unbind(node, image)? {
            self.cluster.redeem(promise);
            let waiting = self.waiting(key)?;
            let function = waiting.function;
            let idle = self.cluster.first_idle(node, function, self.settings.reuse_most_recent);
            if !self.dispatch((key, function), node, idle, kernel)? {
                self.tell_of_requeue(key, node, kernel.now());
                self.attempts.put_back(waiting)?;
            }
        }
        Ok(())
    }
}
