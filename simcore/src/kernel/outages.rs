//! Hosts and links that are down or degraded, and what becomes of what moves over them.

use std::collections::BTreeSet;

use super::{ActivityId, Kernel, Notify, Stage};
use crate::network::{Endpoint, TransferError};
use crate::platform::{HostId, LinkId};

/// What is down now.
#[derive(Debug, Default)]
pub(super) struct Outages {
    hosts: BTreeSet<HostId>,
    links: BTreeSet<LinkId>,
    /// Transfers that processes wait for and that were interrupted; looked up by those, once each.
    interrupted: BTreeSet<ActivityId>,
}

impl Outages {
    /// Whether everything is up.
    pub fn is_none(&self) -> bool {
        self.hosts.is_empty() && self.links.is_empty()
    }
}

impl<E> Kernel<E> {
    /// A host goes down: transfers that begin or end there are interrupted, and none begins until it is back. Gives the
    /// events of those that were interrupted, which will not fire, in the order of their starts; processes that wait for
    /// one are told.
    ///
    /// ```
    /// # use hearth_simcore::prelude::*;
    /// # #[derive(Default)]
    /// # struct Nothing;
    /// # impl Model for Nothing {
    /// #     type Event = &'static str;
    /// #     type Error = std::convert::Infallible;
    /// #     fn handle(&mut self, _event: &'static str, _kernel: &mut Kernel<&'static str>) -> Result<(), Self::Error> { Ok(()) }
    /// # }
    /// # let platform = PlatformBuilder::new().host("a", HostSpec::new(1, 1e9)).host("b", HostSpec::new(1, 1e9))
    /// #     .link("cable", 1e8, 0.0).route("a", "b", &["cable"]).build()?;
    /// # let mut simulation = Simulation::<Nothing>::new(platform, 0);
    /// # simulation.with_model_mut(|_, kernel| {
    /// let host = |name: &str, kernel: &Kernel<_>| kernel.platform().host_by_name(name).unwrap();
    /// let (a, b) = (host("a", kernel), host("b", kernel));
    /// kernel.transfer(Endpoint::Memory(a), Endpoint::Memory(b), 1_000_000, "moved")?;
    /// assert_eq!(kernel.fail_host(b), ["moved"]);
    /// assert!(kernel.transfer(Endpoint::Memory(a), Endpoint::Memory(b), 1_000_000, "again").is_err());
    /// kernel.restore_host(b);
    /// assert!(kernel.transfer(Endpoint::Memory(a), Endpoint::Memory(b), 1_000_000, "again").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail_host(&mut self, host: HostId) -> Vec<E> {
        self.outages.hosts.insert(host);
        self.interrupt(|_, from, to| from.host() == host || to.host() == host)
    }

    /// A host is back.
    pub fn restore_host(&mut self, host: HostId) {
        self.outages.hosts.remove(&host);
    }

    /// A link goes down, as [`Kernel::fail_host`] for transfers whose route it is on.
    pub fn fail_link(&mut self, link: LinkId) -> Vec<E> {
        self.outages.links.insert(link);
        self.interrupt(|kernel, from, to| kernel.crosses(from, to, |other| other == link))
    }

    /// A link is back.
    pub fn restore_link(&mut self, link: LinkId) {
        self.outages.links.remove(&link);
    }

    /// Gives a link a part of its bandwidth, for what moves over it now and later; 1 is all of it. Links that are not
    /// shared keep theirs.
    pub fn degrade_link(&mut self, link: LinkId, part: f64) {
        if let Some(resource) = self.network.resource_of(link) {
            let bandwidth = self.network.platform().link(link).bandwidth;
            self.fluid.set_capacity(resource, bandwidth * part);
        }
    }

    /// Whether a transfer between two ends can begin now.
    ///
    /// # Errors
    /// The host or link that is down.
    pub fn check_up(&self, from: Endpoint, to: Endpoint) -> Result<(), TransferError> {
        if self.outages.is_none() {
            return Ok(());
        }
        let platform = self.network.platform();
        if let Some(host) = [from, to].map(Endpoint::host).into_iter().find(|host| self.outages.hosts.contains(host)) {
            return Err(TransferError::HostDown(platform.host(host).name.clone()));
        }
        let mut down = None;
        self.crosses(from, to, |link| {
            let is_down = self.outages.links.contains(&link);
            if is_down {
                down = Some(platform.link(link).name.clone());
            }
            is_down
        });
        down.map_or(Ok(()), |link| Err(TransferError::LinkDown(link)))
    }

    /// Whether the route between two ends has such a link, there or back.
    fn crosses(&self, from: Endpoint, to: Endpoint, mut is_such: impl FnMut(LinkId) -> bool) -> bool {
        if from.host() == to.host() {
            return false;
        }
        let route = self.network.platform().route(from.host(), to.host());
        route.is_some_and(|route| route.forward.iter().chain(&route.backward).any(|link| is_such(*link)))
    }

    fn interrupt(&mut self, is_hit: impl Fn(&Self, Endpoint, Endpoint) -> bool) -> Vec<E> {
        let hit = self
            .activities
            .iter()
            .filter(|(_, activity)| activity.ends.is_some_and(|(from, to)| is_hit(self, from, to)));
        let mut hit: Vec<(u64, ActivityId)> = hit.map(|(id, activity)| (activity.number, id)).collect();
        hit.sort_unstable();
        let mut events = Vec::new();
        for (_, id) in hit {
            let Some(activity) = self.activities.remove(id) else { continue };
            match activity.stage {
                Stage::Timed(timer) => drop(self.queue.cancel(timer)),
                Stage::Flowing(flow) => drop(self.fluid.cancel(self.now, flow)),
            }
            match activity.notify {
                Notify::Event(event) => events.push(event),
                Notify::Wake(waker) => {
                    self.outages.interrupted.insert(id);
                    waker.wake();
                }
            }
        }
        events
    }

    /// Whether a transfer that has ended was interrupted; told once.
    pub(crate) fn was_interrupted(&mut self, activity: ActivityId) -> bool {
        !self.outages.interrupted.is_empty() && self.outages.interrupted.remove(&activity)
    }
}
