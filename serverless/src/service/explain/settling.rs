//! Puts the time of attempts down to causes, whenever they go over from one thing to another.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::{SimDuration, SimTime};

use super::progress::{Doing, Explained, Queued};
use super::sites::{Move, Site};
use super::timed::{Kind, Timed};
use super::{Explain, Step};
use crate::causes::Cause;
use crate::function::{FunctionId, ImageId};
use crate::invocation::Start;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::attempts::{AttemptKey, Stage};
use crate::service::event::{Event, Message};
use crate::service::instances::InstanceKey;

impl Explain {
    /// Puts the time of an attempt since the last time down to what its stage says.
    #[inline]
    fn settle(&self, stage: &Stage, explained: &mut Explained, now: SimTime) {
        if !explained.is_settled(now) {
            self.spend(stage, explained, now);
        }
    }

    fn spend(&self, stage: &Stage, explained: &mut Explained, now: SimTime) {
        let lasted = self.clocks.lasted();
        match stage {
            Stage::Held(_) | Stage::Served(_) => explained.spend_on_what_it_does(Cause::Work, now, lasted),
            Stage::Queued | Stage::Admitted => {
                let image = self.moving_for(explained);
                explained.spend_in_queue(image.as_ref(), now, lasted);
            }
            Stage::Requested | Stage::Submitted | Stage::Delayed | Stage::Ended => match explained.away {
                Some(cause) => explained.spend(cause, now, lasted),
                None => explained.spend_at_head(Cause::HeadQueue, now, lasted),
            },
            Stage::AwaitsImage(image) => self.settle_at((None, *image), explained, now),
            Stage::Bound { promise, image } => self.settle_at((Some(promise.node()), *image), explained, now),
            Stage::AwaitsContainer(_) => explained.spend_at_head(Cause::BusyContainer, now, lasted),
            Stage::AwaitsCore => explained.spend_at_head(Cause::NodeQueue, now, lasted),
            // It has waited in vain: who is served knows the instance that it has waited for.
            Stage::AwaitsInstance(Some(_)) => explained.spend_at_head(Cause::InstancesBusy, now, lasted),
            Stage::AwaitsInstance(None) => explained.spend_at_head(Cause::AutoscalerLag, now, lasted),
        }
    }

    /// The same for one that waits for an image.
    fn settle_at(&self, site: Site, explained: &mut Explained, now: SimTime) {
        let lasted = self.clocks.lasted();
        match self.sites.get(site).map(|moving| moving.what) {
            Some(Move::Under(timed)) => explained.spend_on(&timed, now, lasted),
            Some(Move::Arrived) => explained.spend_at_head(Cause::HeadQueue, now, lasted),
            None => explained.spend_at_head(Cause::ImageBlocked, now, lasted),
        }
    }
}

impl Service {
    /// An attempt is about to go over to something else: what it has done up to now has been what its stage says.
    #[inline(always)]
    pub(in crate::service) fn settle(&mut self, key: AttemptKey, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((stage, explained)) = self.attempts.explained_mut(key)
        {
            explain.settle(stage, explained, now);
        }
    }

    /// The body of an attempt has ended, and with that its latency.
    #[inline]
    pub(in crate::service) fn explain_body_end(&mut self, key: AttemptKey, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((stage, explained)) = self.attempts.explained_mut(key)
        {
            explain.settle(stage, explained, now);
            explained.is_over();
        }
    }

    /// A request has come to the head that has been put off, or is to be tried again, or was planned for now: then it begins now.
    fn explain_back_at_head(&mut self, key: AttemptKey, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((_, explained)) = self.attempts.explained_mut(key)
        {
            let cause = explained.away.take().unwrap_or(Cause::HeadQueue);
            explained.spend(cause, now, explain.clocks.lasted());
        }
    }

    /// Admission has put a request off.
    pub(in crate::service) fn explain_delay(&mut self, key: AttemptKey) {
        if let Some((_, explained)) = self.attempts.explained_mut(key) {
            explained.away = Some(Cause::AdmissionDelay);
        }
    }

    /// The same for what was something else than the stage says.
    #[inline]
    fn settle_as(&mut self, key: AttemptKey, now: SimTime, cause: Cause) {
        if let Some(explain) = &self.explain
            && let Some((_, explained)) = self.attempts.explained_mut(key)
        {
            explained.spend(cause, now, explain.clocks.lasted());
        }
    }

    /// Who waits for an image there.
    fn waiting_at(&self, (node, image): Site) -> Vec<AttemptKey> {
        match node {
            Some(node) => self.attempts.bound_at(node, image),
            None => self.attempts.awaiting_image(image),
        }
    }

    /// The same for those who wait for an image there.
    fn settle_all_at(&mut self, site: Site, now: SimTime) {
        let waiting = self.waiting_at(site);
        waiting.into_iter().for_each(|key| self.settle(key, now));
    }

    /// The same for those who wait on a node for an image there.
    pub(in crate::service) fn settle_bound(&mut self, node: NodeId, image: ImageId, now: SimTime) {
        if self.explain.is_some() {
            self.settle_all_at((Some(node), image), now);
        }
    }

    /// The same for all, at the end.
    pub(in crate::service) fn settle_all(&mut self, now: SimTime) {
        if let Some(explain) = &mut self.explain {
            explain.clocks.advance(now);
            self.attempts.explain_each(|stage, explained| explain.settle(stage, explained, now));
        }
    }

    /// A message has come to the head: what its sender has waited for up to now was not the head.
    #[inline(always)]
    pub(in crate::service) fn explain_message(&mut self, message: Message, now: SimTime) {
        if self.explain.is_some() {
            self.explain_arrival_of(message, now);
        }
    }

    #[inline(never)]
    fn explain_arrival_of(&mut self, message: Message, now: SimTime) {
        match message {
            Message::Request(key) | Message::AdmitAgain(key) => self.explain_back_at_head(key, now),
            Message::Downloaded(image) => self.explain_arrival((None, image), now),
            Message::Copied { node, image } | Message::Loaded { node, image } => {
                self.explain_arrival((Some(node), image), now);
            }
            _ => {}
        }
    }

    /// The head has processed a request, or has gone down meanwhile.
    #[inline]
    pub(in crate::service) fn explain_processed(&mut self, key: AttemptKey, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((_, explained)) = self.attempts.explained_mut(key)
        {
            explained.spend_at_head(Cause::HeadProcessing, now, explain.clocks.lasted());
        }
    }

    /// An image begins to move.
    pub(in crate::service) fn explain_move(
        &mut self,
        site: Site,
        kind: Kind,
        ends: (Endpoint, Endpoint),
        bytes: u64,
        kernel: &mut Kernel<Event>,
    ) {
        if self.explain.is_none() {
            return;
        }
        self.settle_all_at(site, kernel.now());
        let Ok(alone) = kernel.time_alone(ends.0, ends.1, bytes) else { return };
        let timed = Timed::transfer(kind, kernel.now(), alone, ends, bytes);
        if let Some(explain) = &mut self.explain {
            explain.sites.begin(site, timed);
        }
        self.explain_steps_at(site, Step::Takes(timed), kernel.now());
        if self.tells_a_story() {
            let waiting = self.waiting_at(site);
            waiting.into_iter().for_each(|key| self.tell_of_move(key, Some(site), bytes, kernel.now()));
        }
    }

    /// An image comes to the head that takes no time.
    pub(in crate::service) fn explain_free_download(&mut self, image: ImageId, now: SimTime) {
        if self.explain.is_some() {
            self.settle_all_at((None, image), now);
        }
        if let Some(explain) = &mut self.explain {
            explain.sites.arrive_at_once((None, image));
        }
    }

    /// An image has come, which the head has not read.
    fn explain_arrival(&mut self, site: Site, now: SimTime) {
        self.settle_all_at(site, now);
        if let Some(explain) = &mut self.explain {
            explain.sites.arrive(site);
        }
        self.explain_steps_at(site, Step::Is(Cause::HeadQueue), now);
    }

    /// The head has read that an image has come.
    pub(in crate::service) fn explain_arrived(&mut self, site: Site, now: SimTime) {
        if self.explain.is_none() {
            return;
        }
        self.settle_all_at(site, now);
        self.attempts.explain_prepared(site, |stage, explained| {
            if let Some(explain) = &self.explain {
                explain.settle(stage, explained, now);
            }
        });
        if let Some(explain) = &mut self.explain {
            explain.sites.end(site);
        }
        self.explain_steps_at(site, Step::Is(Cause::ImageBlocked), now);
    }

    /// The move of an image has come to nothing.
    pub(in crate::service) fn explain_interruption(&mut self, site: Site, now: SimTime) {
        if self.explain.is_none() {
            return;
        }
        let waiting = self.waiting_at(site);
        waiting.into_iter().for_each(|key| self.settle_as(key, now, Cause::InterruptedTransfer));
        if let Some(explain) = &mut self.explain {
            explain.sites.end(site);
        }
        self.explain_steps_at(site, Step::Is(Cause::ImageBlocked), now);
    }

    fn explain_steps_at(&mut self, (node, image): Site, step: Step, now: SimTime) {
        if let Some(node) = node
            && self.instances.are_bound(node, image)
        {
            for key in self.instances.bound_at(node, image) {
                self.explain_step(key, step, now);
            }
        }
    }

    /// One in the queue is to wait though there are free cores: by the policy's answer, or another reason.
    #[inline]
    pub(in crate::service) fn explain_queued(&mut self, key: AttemptKey, why: Queued, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((stage, explained)) = self.attempts.explained_mut(key)
        {
            explain.settle(stage, explained, now);
            (explained.queued, explained.prepared, explained.causes.cold_start) = (why, None, None);
        }
    }

    /// One stays in the queue: by the policy's answer, or until its image is on a node to which it is brought for it.
    pub(in crate::service) fn explain_stay(&mut self, key: AttemptKey, image: Option<(NodeId, ImageId)>, now: SimTime) {
        if self.explain.is_none() {
            return;
        }
        let Some(function) = self.attempts.get(key).map(|attempt| attempt.record.function) else { return };
        let why = if self.may_have_another(function) { Queued::ToldToWait } else { Queued::AtLimit };
        self.explain_queued(key, why, now);
        if let Some((node, image)) = image
            && let Some((_, explained)) = self.attempts.explained_mut(key)
        {
            explained.prepared = Some((Some(node), image));
        }
    }

    /// An attempt gets a container and a core.
    #[inline]
    pub(in crate::service) fn explain_start(
        &mut self,
        (key, function): (AttemptKey, FunctionId),
        node: NodeId,
        start: Start,
        now: SimTime,
    ) {
        let Some(explain) = &mut self.explain else { return };
        let with_it = self.attempts.counts_of(function).running + 1;
        let Some((stage, explained)) = self.attempts.explained_mut(key) else { return };
        explain.settle(stage, explained, now);
        if start == Start::Cold {
            explained.causes.cold_start = Some(explain.cold_starts.of_start(function, node, with_it, &self.cluster));
        }
        explain.cold_starts.are_there(function, with_it);
        self.tell_of_start(key, node, start, now);
    }

    /// An attempt has waited for an instance, which serves it now.
    pub(in crate::service) fn explain_seat(
        &mut self,
        key: AttemptKey,
        instance: InstanceKey,
        start: Start,
        now: SimTime,
    ) {
        let Some(explain) = &self.explain else { return };
        let Some((_, explained)) = self.attempts.explained_mut(key) else { return };
        let lasted = explain.clocks.lasted();
        match explain.ways.get(instance) {
            Some(way) => {
                way.explain(explained, now, lasted);
                explained.causes.cold_start = (start == Start::Cold).then_some(way.cold_start);
            }
            None => explained.spend_at_head(Cause::InstancesBusy, now, lasted),
        }
        self.tell_of_seat(key, instance, start, now);
    }

    /// What an attempt in a container does from now on, which takes a time of its own, or is work.
    #[inline]
    pub(in crate::service) fn explain_doing(&mut self, key: AttemptKey, timed: Option<Timed>, now: SimTime) {
        if let Some(explain) = &self.explain
            && let Some((stage, explained)) = self.attempts.explained_mut(key)
        {
            explain.settle(stage, explained, now);
            explained.doing = timed.map_or(Doing::Nothing, Doing::One);
        }
    }

    /// An attempt in a container does something from now on that takes so long without faults, and so long with those there are.
    #[inline(always)]
    pub(in crate::service) fn explain_timed(
        &mut self,
        key: AttemptKey,
        kind: Kind,
        times: (SimDuration, SimDuration),
        now: SimTime,
    ) {
        if self.explain.is_some() {
            self.explain_doing(key, Some(Timed::new(kind, now, times)), now);
        }
    }

    /// A transfer of a body, as it takes alone.
    pub(in crate::service) fn data_transfer(
        &self,
        (from, to): (Endpoint, Endpoint),
        bytes: u64,
        kernel: &mut Kernel<Event>,
    ) -> Option<Timed> {
        self.explain.as_ref()?;
        let alone = kernel.time_alone(from, to, bytes).ok()?;
        Some(Timed::transfer(Kind::DATA, kernel.now(), alone, (from, to), bytes))
    }

    /// A body reads, writes or moves data from now on.
    pub(in crate::service) fn explain_transfer(
        &mut self,
        key: AttemptKey,
        ends: (Endpoint, Endpoint),
        bytes: u64,
        kernel: &mut Kernel<Event>,
    ) {
        if self.explain.is_some() {
            let timed = self.data_transfer(ends, bytes, kernel);
            self.explain_doing(key, timed, kernel.now());
            self.tell_of_move(key, None, bytes, kernel.now());
        }
    }

    /// What an attempt computes from now on, on shared processors: so many operations on at most so many cores.
    pub(in crate::service) fn explain_computing(
        &mut self,
        (key, kind): (AttemptKey, Kind),
        node: NodeId,
        (flops, cores): (f64, f64),
        now: SimTime,
    ) {
        if self.explain.is_some() {
            let timed = self.computing(kind, node, (flops, cores), now);
            self.explain_doing(key, Some(timed), now);
        }
    }

    /// So many operations on at most so many cores of a node that nobody else uses.
    pub(in crate::service) fn computing(
        &self,
        kind: Kind,
        node: NodeId,
        (flops, cores): (f64, f64),
        now: SimTime,
    ) -> Timed {
        let described = self.cluster.node(node);
        let whole = SimDuration::from_secs_f64(flops / (described.speed * cores.min(f64::from(described.cores))));
        Timed::computing(kind, now, (whole, described.slowed(whole)), node)
    }
}
