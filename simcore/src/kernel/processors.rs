//! Computations that share the processors of a host: in shares, as containers have them, each of which gets processors by
//! its weight and divides them equally among what computes in it.
//!
//! A share is one flow of the fluid network, however much computes in it: of what its computations are to do until the first of
//! them ends. So weights are those of shares, and a start or end costs what one of a flow costs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::task::Waker;

use slotmap::{SlotMap, new_key_type};

use super::{Activity, ActivityId, Carrier, Fired, Kernel, Notify, Stage};
use crate::fluid::{FlowId, FlowSpec, ResourceId, Use};
use crate::platform::HostId;
use crate::time::SimTime;

new_key_type! {
    /// Names a share of the processors of a host.
    pub struct ShareId;
}

/// A share of the processors of a host.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ShareSpec {
    /// The host.
    pub host: HostId,
    /// So many cores it may use at once at the most, positive; infinite without a limit.
    pub limit: f64,
    /// So many cores each of its computations can use at once, positive.
    pub threads: f64,
    /// Where processors are short, shares get them in proportion to their weights, positive.
    pub weight: f64,
}

/// A share with what computes in it.
#[derive(Debug)]
pub(super) struct Share {
    spec: ShareSpec,
    /// By what each of those in it will have computed when a computation ends, and the number of its start.
    members: BTreeMap<Goal, ActivityId>,
    /// What each that is in it from when the share was empty on has computed.
    attained: f64,
    /// What they do until the first ends, and how much of it was to do when that was looked at last.
    flow: Option<FlowId>,
    left: f64,
    /// Cores over time that it has used up to then, in seconds.
    used: f64,
}

/// Where a computation ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Goal {
    /// In operations that each computation of the share has been given since the share was empty.
    at: f64,
    started: u64,
}

impl Eq for Goal {}
impl PartialOrd for Goal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Goal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.started.cmp(&other.started))
    }
}

/// The processors of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Processors {
    /// Made on first use.
    resource: Option<ResourceId>,
    /// How many times as long everything takes.
    slowness: f64,
    /// Cores that shares have used up to a date at which they have been halted.
    freed: (SimTime, f64),
}

impl Default for Processors {
    fn default() -> Self {
        Self { resource: None, slowness: 1.0, freed: (SimTime::ZERO, 0.0) }
    }
}

/// The shares of all hosts.
pub(super) type Shares = SlotMap<ShareId, Share>;

impl<E> Kernel<E> {
    /// Makes a share of the processors of a host.
    ///
    /// ```
    /// # use hearth_simcore::prelude::*;
    /// # #[derive(Default)]
    /// # struct Ends(Vec<(f64, &'static str)>);
    /// # impl Model for Ends {
    /// #     type Event = &'static str;
    /// #     type Error = std::convert::Infallible;
    /// #     fn handle(&mut self, event: &'static str, kernel: &mut Kernel<&'static str>) -> Result<(), Self::Error> {
    /// #         self.0.push((kernel.now().as_secs_f64(), event));
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let platform = PlatformBuilder::new().host("node", HostSpec::new(1, 1e9)).build()?;
    /// # let mut simulation = Simulation::<Ends>::new(platform, 0);
    /// # simulation.with_model_mut(|_, kernel| {
    /// let host = kernel.platform().host_by_name("node").unwrap();
    /// // On one core of 1 Gf/s.
    /// let spec = ShareSpec { host, limit: f64::INFINITY, threads: 1.0, weight: 1.0 };
    /// let (light, heavy) = (kernel.add_share(spec), kernel.add_share(ShareSpec { weight: 3.0, ..spec }));
    /// kernel.compute(light, 1e9, "light");
    /// // These two have half of three quarters each.
    /// kernel.compute(heavy, 0.75e9, "first");
    /// kernel.compute(heavy, 1.5e9, "second");
    /// # });
    /// # simulation.run()?;
    /// # simulation.with_model_mut(|ends, _| assert_eq!(ends.0, [(2.0, "first"), (3.0, "second"), (3.25, "light")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_share(&mut self, spec: ShareSpec) -> ShareId {
        let members = BTreeMap::new();
        self.shares.insert(Share { spec, members, attained: 0.0, flow: None, left: 0.0, used: 0.0 })
    }

    /// Lets a share use so many cores at once from now on, and each of its computations so many.
    pub fn resize_share(&mut self, share: ShareId, limit: f64, threads: f64) {
        self.halt(share);
        if let Some(share) = self.shares.get_mut(share) {
            (share.spec.limit, share.spec.threads) = (limit, threads);
        }
        self.go_on(share);
    }

    /// Takes a share away and stops what computes in it: the events of that will not fire.
    pub fn remove_share(&mut self, share: ShareId) {
        self.halt(share);
        for activity in self.shares.remove(share).into_iter().flat_map(|share| share.members.into_values()) {
            self.activities.remove(activity);
        }
    }

    /// Computes so many floating-point operations in a share; `event` fires at the end. `None` if there is no such share.
    pub fn compute(&mut self, share: ShareId, flops: f64, event: E) -> Option<ActivityId> {
        self.start_computing(share, flops, Notify::Event(event))
    }

    pub(crate) fn compute_in_then_wake(&mut self, share: ShareId, flops: f64, waker: Waker) -> Option<ActivityId> {
        self.start_computing(share, flops, Notify::Wake(waker))
    }

    /// Cores over time, in seconds, that a share has used so far; nothing if there is no such share.
    pub fn processor_seconds(&self, share: ShareId) -> f64 {
        let Some(share) = self.shares.get(share) else { return 0.0 };
        let left = share.flow.and_then(|flow| self.fluid.remaining(self.now, flow)).unwrap_or(share.left);
        share.used + (share.left - left) / self.core_speed(share.spec.host)
    }

    /// How many cores of a host have been in use up to this date, since anything has happened before it.
    pub fn cores_in_use(&self, host: HostId) -> f64 {
        let Some(processors) = self.processors.get(host.index()) else { return 0.0 };
        let (date, cores) = processors.freed;
        let freed = if date == self.now { cores } else { 0.0 };
        freed + processors.resource.map_or(0.0, |resource| self.fluid.usage(resource) / self.core_speed(host))
    }

    /// A flow of a share has gone that moved at a rate.
    fn free_cores(&mut self, host: HostId, rate: f64) {
        let (now, cores) = (self.now, rate / self.core_speed(host));
        let (date, freed) = &mut self.processors[host.index()].freed;
        *freed = if *date == now { *freed + cores } else { cores };
        *date = now;
    }

    /// Has everything in the shares of a host take so many times as long from now on; 1 is as it was.
    pub fn set_slowness(&mut self, host: HostId, slowness: f64) {
        let here = self.shares.iter().filter(|(_, share)| share.spec.host == host);
        let mut here: Vec<_> =
            here.filter_map(|(id, share)| Some((share.members.keys().next()?.started, id))).collect();
        here.sort_unstable();
        here.iter().for_each(|(_, share)| self.halt(*share));
        let resource = self.processors_of(host);
        self.processors[host.index()].slowness = slowness;
        let capacity = self.core_speed(host) * f64::from(self.platform().host(host).cores);
        self.fluid.set_capacity(resource, capacity);
        here.iter().for_each(|(_, share)| self.go_on(*share));
    }

    /// The resource that computations of a host share.
    pub(super) fn processors_of(&mut self, host: HostId) -> ResourceId {
        let capacity = self.core_speed(host) * f64::from(self.network.platform().host(host).cores);
        *self.processors[host.index()].resource.get_or_insert_with(|| self.fluid.add_resource(capacity))
    }

    /// What a core of a host does in a second.
    fn core_speed(&self, host: HostId) -> f64 {
        self.network.platform().host(host).speed / self.processors[host.index()].slowness
    }

    fn start_computing(&mut self, id: ShareId, flops: f64, notify: Notify<E>) -> Option<ActivityId> {
        self.halt(id);
        let share = self.shares.get_mut(id)?;
        self.started += 1;
        let goal = Goal { at: share.attained + flops, started: self.started };
        let stage = Stage::Computing { share: id, goal };
        let activity = Activity { stage, ends: None, number: self.started, remaining: None, notify };
        let activity = self.activities.insert(activity);
        share.members.insert(goal, activity);
        self.go_on(id);
        Some(activity)
    }

    /// Takes out a computation before its end.
    pub(super) fn stop_computing(&mut self, id: ShareId, goal: Goal) {
        self.halt(id);
        if let Some(share) = self.shares.get_mut(id) {
            share.members.remove(&goal);
        }
        self.go_on(id);
    }

    /// The first computation of a share has ended.
    pub(super) fn end_computing(&mut self, id: ShareId) -> Option<Fired<E>> {
        let host = self.shares.get(id)?.spec.host;
        self.free_cores(host, self.fluid.rate_of_last_ended());
        let speed = self.core_speed(host);
        let share = self.shares.get_mut(id)?;
        let (goal, activity) = share.members.pop_first()?;
        share.used += share.left / speed;
        (share.attained, share.left, share.flow) = (goal.at, 0.0, None);
        self.go_on(id);
        self.end_activity(activity)
    }

    /// Brings what a share has done up to date, and stops its flow.
    fn halt(&mut self, id: ShareId) {
        let Some(share) = self.shares.get_mut(id) else { return };
        let Some(flow) = share.flow.take() else { return };
        let Some(left) = self.fluid.cancel(self.now, flow) else { return };
        let done = share.left - left;
        share.attained += done / share.members.len() as f64;
        share.left = left;
        let host = share.spec.host;
        let seconds = done / self.core_speed(host);
        self.free_cores(host, self.fluid.rate_of_last_ended());
        self.shares[id].used += seconds;
    }

    /// Lets a share that has been halted compute, up to the end of the first of what computes in it.
    fn go_on(&mut self, id: ShareId) {
        let Some(&Share { spec, attained, ref members, .. }) = self.shares.get(id) else { return };
        let Some((first, _)) = members.first_key_value() else {
            self.shares[id].attained = 0.0;
            return;
        };
        let count = members.len() as f64;
        let left = (first.at - attained).max(0.0) * count;
        let bound = spec.limit.min(spec.threads * count) * self.core_speed(spec.host);
        let uses = [Use { resource: self.processors_of(spec.host), weight: 1.0 }];
        let penalty = spec.weight.recip();
        let flow = self.fluid.start(self.now, FlowSpec { amount: left, efficiency: 1.0, bound, penalty, uses: &uses });
        self.note_flow(flow, Carrier::Share(id));
        let share = &mut self.shares[id];
        (share.flow, share.left) = (Some(flow), left);
    }
}

#[cfg(test)]
mod tests;
