//! Hosts and links that are down or degraded, and what becomes of what moves over them.

use std::collections::BTreeSet;

use super::{ActivityId, Kernel, Notify};
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
    /// assert!(kernel.is_up(a) && !kernel.is_up(b));
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

    /// Whether a host is up.
    #[inline]
    pub fn is_up(&self, host: HostId) -> bool {
        self.outages.hosts.is_empty() || !self.outages.hosts.contains(&host)
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
            let Some(activity) = self.stop(id) else { continue };
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use proptest::prelude::*;

    use crate::prelude::*;

    /// Notes what happens, and when in s.
    #[derive(Default)]
    struct Log(Vec<(f64, &'static str)>);

    impl Model for Log {
        type Event = &'static str;
        type Error = std::convert::Infallible;

        fn handle(&mut self, event: &'static str, kernel: &mut Kernel<&'static str>) -> Result<(), Self::Error> {
            self.0.push((kernel.now().as_secs_f64(), event));
            match event {
                "the link fails" => {
                    let link = kernel.platform().links_matching("one")[0];
                    let interrupted = kernel.fail_link(link);
                    self.0.extend(interrupted.into_iter().map(|event| (-1.0, event)));
                }
                "half the bandwidth" => {
                    let link = kernel.platform().links_matching("one")[0];
                    kernel.degrade_link(link, 0.5);
                }
                _ => {}
            }
            Ok(())
        }
    }

    /// Hosts a, b and c; 97 of 105 bytes on the wire are payload.
    fn platform() -> Platform {
        let builder = PlatformBuilder::new().link("one", 105e6, 0.0).link("two", 105e6, 0.0);
        let hosts = ["a", "b", "c"].into_iter();
        let builder = hosts.fold(builder, |builder, name| builder.host(name, HostSpec::new(1, 1e9)));
        builder.route("a", "b", &["one"]).route("a", "c", &["two"]).build().unwrap()
    }

    fn ends(kernel: &Kernel<&'static str>, to: &str) -> (Endpoint, Endpoint) {
        let host = |name| Endpoint::Memory(kernel.platform().host_by_name(name).unwrap());
        (host("a"), host(to))
    }

    fn run(events: &[(u64, &'static str)]) -> Vec<(f64, &'static str)> {
        let mut simulation = Simulation::<Log>::new(platform(), 0);
        simulation.with_model_mut(|_, kernel| {
            for (to, event) in [("b", "first to b"), ("c", "to c"), ("b", "second to b")] {
                let (from, to) = ends(kernel, to);
                kernel.transfer(from, to, 97_000_000, event).unwrap();
            }
            for (at, event) in events {
                kernel.schedule_in_background(SimTime::from_secs_f64(*at as f64), event);
            }
        });
        simulation.run().unwrap();
        simulation.with_model_mut(|log, _| std::mem::take(&mut log.0))
    }

    #[test]
    fn a_link_that_goes_down_stops_what_crosses_it_in_the_order_of_starts() {
        assert_eq!(run(&[]), [(1.0, "to c"), (2.0, "first to b"), (2.0, "second to b")]);
        let events = run(&[(1, "the link fails")]);
        assert_eq!(events, [(1.0, "the link fails"), (-1.0, "first to b"), (-1.0, "second to b"), (1.0, "to c")]);
    }

    #[test]
    fn half_the_bandwidth_takes_twice_the_time_from_then_on() {
        let events = run(&[(0, "half the bandwidth")]);
        assert_eq!(events[1..], [(1.0, "to c"), (4.0, "first to b"), (4.0, "second to b")]);
    }

    #[test]
    fn what_is_in_the_background_happens_only_while_there_is_something_else() {
        let events = run(&[(1, "early"), (2, "at the end"), (3, "too late")]);
        assert_eq!(events[..2], [(1.0, "early"), (1.0, "to c")]);
        assert_eq!(events[2], (2.0, "at the end"), "before the ends of the same date");
        assert_eq!(events.len(), 5, "{events:?}");
    }

    #[test]
    fn a_process_hears_of_the_end_of_its_transfer() {
        let simulation = ProcessSimulation::new(platform(), 0);
        let said = Rc::new(RefCell::new(Vec::new()));
        let context = simulation.context("a").unwrap();
        let host = |name: &str| simulation.context(name).unwrap().host();
        let (from, to) = (Endpoint::Memory(host("a")), Endpoint::Memory(host("b")));
        let (heard, of_process) = (Rc::clone(&said), context.clone());
        context.spawn(async move {
            let moved = of_process.transfer(from, to, 97_000_000).await;
            heard.borrow_mut().push(moved);
        });
        let mut simulation = simulation;
        simulation.run_until(SimTime::from_secs_f64(0.5)).unwrap();
        simulation.with_model_mut(|_, kernel| assert!(kernel.fail_host(to.host()).is_empty()));
        simulation.run().unwrap();
        assert_eq!(*said.borrow(), [Err(crate::network::TransferError::Interrupted)]);
    }

    /// What a random simulation does at a date: begins a transfer, or changes a link or host.
    #[derive(Clone, Copy, Debug)]
    enum Change {
        Transfer { from: usize, to: usize, megabytes: u64 },
        Link { link: usize, is_up: bool },
        Host { host: usize, is_up: bool },
        Degrade { link: usize, part: f64 },
    }

    #[derive(Clone, Copy, Debug)]
    enum Happened {
        Change(Change),
        Ended(usize),
    }

    /// Counts the ends of each transfer, and checks before each event what has moved since the one before.
    #[derive(Default)]
    struct Checked {
        /// By transfer: its ends, and how often it has ended.
        transfers: Vec<(Endpoint, Endpoint, u32)>,
    }

    impl Checked {
        fn end(&mut self, events: Vec<Happened>) {
            for event in events {
                if let Happened::Ended(transfer) = event {
                    self.transfers[transfer].2 += 1;
                }
            }
        }
    }

    fn check_links(kernel: &Kernel<Happened>, degraded: impl Fn(usize) -> f64) {
        for (position, link) in kernel.platform().links().iter().enumerate() {
            let id = kernel.platform().links_matching(&link.name)[0];
            let Some(resource) = kernel.network.resource_of(id) else { continue };
            let (used, capacity) = (kernel.fluid.usage(resource), link.bandwidth * degraded(position));
            assert!(used <= capacity * (1.0 + 1e-9), "{used} B/s over a link of {capacity} B/s");
        }
    }

    /// The parts that links have, which the kernel has no need to tell, and the date of the last event.
    struct Parts(Checked, [f64; 2], SimTime);

    impl Default for Parts {
        fn default() -> Self {
            Self(Checked::default(), [1.0; 2], SimTime::ZERO)
        }
    }

    impl Model for Parts {
        type Event = Happened;
        type Error = std::convert::Infallible;

        fn handle(&mut self, event: Happened, kernel: &mut Kernel<Happened>) -> Result<(), Self::Error> {
            let Self(checked, parts, last) = self;
            // Rates are worked out before time moves on, so not between events of one date.
            if kernel.now() > *last {
                check_links(kernel, |link| parts[link]);
            }
            *last = kernel.now();
            let hosts: Vec<_> = ["a", "b", "c"].map(|name| kernel.platform().host_by_name(name).unwrap()).to_vec();
            let links = ["one", "two"].map(|name| kernel.platform().links_matching(name)[0]);
            match event {
                Happened::Ended(transfer) => {
                    let (from, to, ends) = &mut checked.transfers[transfer];
                    *ends += 1;
                    assert!(kernel.check_up(*from, *to).is_ok(), "what ends well was not cut off");
                }
                Happened::Change(Change::Transfer { from, to, megabytes }) => {
                    let (from, to) = (Endpoint::Memory(hosts[from]), Endpoint::Memory(hosts[to]));
                    let number = checked.transfers.len();
                    let started = kernel.transfer(from, to, megabytes * 1_000_000, Happened::Ended(number));
                    assert_eq!(started.is_ok(), kernel.check_up(from, to).is_ok());
                    checked.transfers.push((from, to, u32::from(started.is_err())));
                }
                Happened::Change(Change::Link { link, is_up: false }) => checked.end(kernel.fail_link(links[link])),
                Happened::Change(Change::Link { link, .. }) => kernel.restore_link(links[link]),
                Happened::Change(Change::Host { host, is_up: false }) => checked.end(kernel.fail_host(hosts[host])),
                Happened::Change(Change::Host { host, .. }) => kernel.restore_host(hosts[host]),
                Happened::Change(Change::Degrade { link, part }) => {
                    parts[link] = part;
                    kernel.degrade_link(links[link], part);
                }
            }
            Ok(())
        }
    }

    fn change() -> impl Strategy<Value = (u32, Change)> {
        let change = prop_oneof![
            4 => (0..3_usize, 0..3_usize, 0..300_u64).prop_map(|(from, to, megabytes)| Change::Transfer { from, to, megabytes }),
            1 => (0..2_usize, any::<bool>()).prop_map(|(link, is_up)| Change::Link { link, is_up }),
            1 => (0..3_usize, any::<bool>()).prop_map(|(host, is_up)| Change::Host { host, is_up }),
            1 => (0..2_usize, prop::sample::select(vec![0.1, 0.5, 1.0])).prop_map(|(link, part)| Change::Degrade { link, part }),
        ];
        (0..80_u32, change)
    }

    proptest! {
        /// Links carry no more than they can, nothing crosses what is down, and a transfer ends once, whatever happens.
        #[test]
        fn links_are_conserved_across_outages_and_each_transfer_ends_once(
            changes in proptest::collection::vec(change(), 1..40),
        ) {
            let builder = PlatformBuilder::new().link("one", 105e6, 0.001).link("two", 50e6, 0.0);
            let builder = ["a", "b", "c"].into_iter().fold(builder, |it, name| it.host(name, HostSpec::new(1, 1e9)));
            let routes = builder.route("a", "b", &["one"]).route("a", "c", &["two"]).route("b", "c", &["one", "two"]);
            let mut simulation = Simulation::<Parts>::new(routes.build().unwrap(), 0);
            simulation.with_model_mut(|_, kernel| {
                for (at, change) in &changes {
                    kernel.schedule_at(SimTime::from_secs_f64(f64::from(*at) / 8.0), Happened::Change(*change));
                }
            });
            simulation.run().unwrap();
            simulation.with_model_mut(|Parts(checked, ..), kernel| {
                assert!(checked.transfers.iter().all(|(_, _, ends)| *ends == 1), "{:?}", checked.transfers);
                assert!(kernel.is_at_rest());
            });
        }
    }
}
