//! What must hold of instances at every moment, for laws.

use std::collections::BTreeSet;

use super::instance::{HowStarted, Instance, InstanceStage};
use super::{InstanceKey, Instances};
use crate::node::NodeId;
use crate::service::Service;
use crate::service::attempts::{AttemptKey, Stage};

impl Service {
    /// Has instances that wait for a node tried after each message, whether or not there may be room.
    pub(crate) fn always_try_nodes(&mut self) {
        self.instances.awaiting_node.is_always_due = true;
    }

    /// How many instances have their container on a node.
    pub(crate) fn instances_with_container_on(&self, node: NodeId) -> usize {
        let held = self.instances.all.iter().filter_map(|(_, instance)| instance.held());
        held.filter(|held| held.node() == node).count()
    }

    /// Compares what is counted of instances with what there is.
    pub(crate) fn check_instances(&self) -> Result<(), String> {
        let Instances { fleets, all, awaiting_image, .. } = &self.instances;
        let is = |what: &str, is_so: bool| if is_so { Ok(()) } else { Err(what.to_owned()) };
        for ((node, image), bound) in awaiting_image {
            let waits = |key: &InstanceKey| {
                let instance = all.get(*key).filter(|instance| instance.node() == Some(*node));
                instance.is_some_and(|instance| matches!(instance.stage, InstanceStage::AwaitsImage(_)))
            };
            is("who waits for an image says so", !bound.is_empty() && bound.iter().all(waits))?;
            let sites = self.cluster.sites(*image);
            let comes = sites.copying().contains(*node) || sites.loading().contains(*node);
            is("an image comes to those who wait for it", comes || self.rounds.is_stalled_at(*node, *image))?;
        }
        for fleet in fleets.iter() {
            let function = &fleet.lead;
            let of_function = || all.iter().filter(|(_, instance)| instance.function == *function);
            let settings = &fleet.settings;
            let ready = of_function().filter(|(_, instance)| instance.is_ready()).count();
            let starting = of_function().filter(|(_, instance)| instance.is_starting()).count();
            let counted = (fleet.ready as usize, fleet.starting as usize, fleet.stopping as usize);
            is(
                "instances are where they are counted",
                counted == (ready, starting, fleet.members.len() - ready - starting),
            )?;
            is("all are members", of_function().all(|(key, it)| fleet.members.get(&it.number) == Some(&key)))?;
            is("there are as many as are wanted", fleet.scale() == fleet.wanted)?;
            let restored =
                |it: &Instance| matches!(it.stage, InstanceStage::Reads(..)) || it.start == HowStarted::Snapshot;
            let are_restored = of_function().any(|(_, it)| restored(it));
            is("who is restored has a snapshot of its function", !are_restored || settings.snapshot.is_some())?;
            let backs_off = |it: &Instance| matches!(it.stage, InstanceStage::BacksOff(..));
            is(
                "who backs off does so as others have failed",
                of_function().all(|(_, it)| it.failures > 0 || !backs_off(it)),
            )?;
            let in_background = |it: &Instance| matches!(it.stage, InstanceStage::BacksOff(_, None));
            let in_background =
                of_function().filter(|(_, it)| in_background(it)).map(|(key, _)| key).collect::<BTreeSet<_>>();
            is("who is tried again when something else happens is known", in_background == fleet.tried_in_background)?;
            let nobody_is_under_way = self.attempts.counts_of(*function).waiting == 0;
            is("who waits is waited for", in_background.is_empty() || nobody_is_under_way)?;
            is(
                "the scale is within its bounds",
                fleet.wanted <= settings.max_scale && fleet.wanted >= settings.min_scale,
            )?;
            for (key, instance) in of_function() {
                let served =
                    self.attempts.iter().filter(|(_, attempt)| attempt.seat().is_some_and(|it| it.instance == key));
                let served: BTreeSet<AttemptKey> = served.map(|(attempt, _)| attempt).collect();
                is("an instance serves who is in it", served.len() == instance.serving as usize)?;
                is("nobody is beyond the concurrency", instance.serving <= settings.concurrency)?;
                is("no more wait at it than may", instance.queue.len() <= settings.queue_at_instance as usize)?;
                let is_full = instance.serving == settings.concurrency;
                is("nobody waits where there is room", instance.queue.is_empty() || is_full)?;
                is("only who is up serves", instance.ready_at.is_some() || instance.load() == 0)?;
                is("who stops ends with its last request", !instance.has_no_request_left())?;
                let waits_here = |of: &AttemptKey| {
                    self.stage_is(*of, |stage| matches!(stage, Stage::AwaitsInstance(Some(at)) if *at == key))
                };
                is("who waits at it says so", instance.queue.iter().all(|(of, _)| waits_here(of)))?;
            }
            let waits = |of: &AttemptKey| self.stage_is(*of, |stage| matches!(stage, Stage::AwaitsInstance(None)));
            is("who waits in the queue says so", fleet.queue.iter().all(|(of, _)| waits(of)))?;
            let in_instances: u64 = of_function().map(|(_, instance)| u64::from(instance.load())).sum();
            is("requests in instances are counted", in_instances == fleet.running)?;
            let open: BTreeSet<InstanceKey> = of_function()
                .filter(|(_, it)| it.is_ready() && it.load() < settings.capacity())
                .map(|(key, _)| key)
                .collect();
            is("a router knows those with room", fleet.router.keys() == open)?;
            is("nobody waits while there is room", fleet.queue.is_empty() || open.is_empty())?;
            let of_all = fleet.functions.iter().map(|function| self.attempts.counts_of(*function));
            let let_in: u64 = of_all.map(|counts| counts.waiting + counts.running).sum();
            is("all requests that were let in are here", let_in == fleet.running + fleet.queue.len() as u64)?;
            is("who is asked about at ticks says so", fleet.is_active == self.instances.active.contains(function))?;
            is("who needs nothing is not asked about", fleet.is_active || fleet.is_pool || fleet.is_dormant())?;
        }
        Ok(())
    }

    fn stage_is(&self, key: AttemptKey, is: impl Fn(&Stage) -> bool) -> bool {
        self.attempts.get(key).is_some_and(|attempt| is(attempt.stage()))
    }
}
