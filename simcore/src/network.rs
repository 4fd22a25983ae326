//! From "these bytes, from this disk to that one" to a flow: which resources it crosses, with what weight, bound and
//! penalty (the timing model, section 2).

#[cfg(test)]
mod tests;

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::fluid::{FlowSpec, FluidNetwork, ResourceId, Use};
use crate::platform::{HostId, LinkId, Platform, Sharing};
use crate::time::SimDuration;

/// How transfers are timed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NetworkModel {
    /// Flows share links and disks by weighted max-min fairness, as in SimGrid's LV08 model.
    #[default]
    Fluid,
    /// The same, but all flows weigh the same: what is full is shared in equal parts. In LV08 a flow within a host, which
    /// has no latency, gets next to nothing of a disk beside one that comes over a link.
    FairFluid,
    /// Latency plus size over the least bandwidth on the way; nothing is shared.
    Ideal,
}

/// Constants of SimGrid's LV08 model of TCP.
mod lv08 {
    /// What a flow waits before it moves, in latencies of its route.
    pub const LATENCY_FACTOR: f64 = 13.01;
    /// Bytes of payload per byte on the wire.
    pub const BANDWIDTH_FACTOR: f64 = 0.97;
    /// A link adds this over its bandwidth to the penalty of a flow.
    pub const WEIGHT_S: f64 = 20_537.0;
    /// Largest TCP window in bytes: bounds a flow to half of it per latency.
    pub const TCP_GAMMA: f64 = 4_194_304.0;
    /// What the acknowledgements of a flow use of the links back.
    pub const CROSS_TRAFFIC: f64 = 0.05;
    /// Bandwidth within a host, in bytes/s; not shared.
    pub const LOOPBACK_BANDWIDTH: f64 = 10e9;
    /// Penalty of a flow without latency.
    pub const LOCAL_PENALTY: f64 = 1.0;
}

/// One end of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Endpoint {
    /// The memory of a host: nothing limits it.
    Memory(HostId),
    /// The disk of a host: read at the source, written at the destination.
    Disk(HostId),
}

impl Endpoint {
    /// The host of this end.
    pub fn host(self) -> HostId {
        match self {
            Self::Memory(host) | Self::Disk(host) => host,
        }
    }
}

/// Why a transfer is impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The platform has no route between the ends.
    #[error("no route from host {from:?} to host {to:?}: add one to the platform")]
    NoRoute {
        /// Name of the source.
        from: String,
        /// Name of the destination.
        to: String,
    },
    /// An end is a host that is down.
    #[error("host {0:?} is down")]
    HostDown(String),
    /// A link on the way is down.
    #[error("link {0:?} is down")]
    LinkDown(String),
    /// A host or link on the way went down before all had arrived.
    #[error("the transfer was interrupted: a host or link went down")]
    Interrupted,
    /// An end is the disk of a host without one.
    #[error("host {0:?} has no disk: give it one in the platform")]
    NoDisk(String),
}

/// What a transfer between two ends needs; the same for every transfer between them.
#[derive(Debug)]
pub(crate) struct Path {
    /// Time before the first byte moves.
    pub delay: SimDuration,
    uses: Vec<Use>,
    bound: f64,
    penalty: f64,
    /// Bytes per second of a transfer that is alone and shares nothing.
    pub ideal_rate: f64,
    /// Bytes per second of a flow that is alone, where nothing is degraded.
    pub alone_rate: f64,
}

impl Path {
    pub fn flow(&self, bytes: f64) -> FlowSpec<'_> {
        FlowSpec {
            amount: bytes,
            efficiency: lv08::BANDWIDTH_FACTOR,
            bound: self.bound,
            penalty: self.penalty,
            uses: &self.uses,
        }
    }
}

/// How fast a flow moves that is alone, before its overhead: up to its bound, and to the capacity of each resource that it uses.
fn level_alone(bound: f64, uses: &[Use], capacity: impl Fn(ResourceId) -> f64) -> f64 {
    let weight_on = |resource: ResourceId| -> f64 {
        uses.iter().filter(|other| other.resource == resource).map(|other| other.weight).sum()
    };
    uses.iter().map(|used| capacity(used.resource) / weight_on(used.resource)).fold(bound, f64::min)
}

/// How long a transfer takes that is alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AloneTime {
    /// With what links have now.
    pub now: SimDuration,
    /// With all that links have when they are not degraded.
    pub whole: SimDuration,
    /// How long it takes until the first byte moves, which is a part of both.
    pub latency: SimDuration,
}

impl Network {
    /// How long a transfer between two ends takes that nothing else moves beside.
    pub fn time_alone(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        bytes: u64,
        fluid: &FluidNetwork,
    ) -> Result<AloneTime, TransferError> {
        let path = self.path(from, to)?;
        let time = |rate: f64| path.delay + SimDuration::from_secs_f64(bytes as f64 / rate);
        let (now, whole) = match self.model {
            NetworkModel::Ideal => (path.ideal_rate, path.ideal_rate),
            NetworkModel::Fluid | NetworkModel::FairFluid => {
                let level = level_alone(path.bound, &path.uses, |resource| fluid.capacity(resource));
                (lv08::BANDWIDTH_FACTOR * level, path.alone_rate)
            }
        };
        Ok(AloneTime { now: time(now), whole: time(whole), latency: path.delay })
    }
}

#[derive(Clone, Copy, Debug)]
struct DiskResources {
    read: ResourceId,
    write: ResourceId,
    /// Both together move no more than the faster of the two.
    both: ResourceId,
    read_bandwidth: f64,
    write_bandwidth: f64,
}

/// The platform's links and disks as resources, and the paths over them that were used so far.
#[derive(Debug)]
pub(crate) struct Network {
    platform: Rc<Platform>,
    pub model: NetworkModel,
    /// By link; links that are not shared have no resource, they only bound their flows.
    links: Vec<Option<ResourceId>>,
    /// By host.
    disks: Vec<Option<DiskResources>>,
    /// What links and disks have that are not degraded, by resource.
    capacities: Vec<f64>,
    /// Looked up, never walked: the order of a hash map may not matter.
    paths: FxHashMap<(Endpoint, Endpoint), Rc<Path>>,
}

impl Network {
    pub fn new(platform: Rc<Platform>, model: NetworkModel, fluid: &mut FluidNetwork) -> Self {
        let mut capacities = Vec::new();
        let mut add = |capacity: f64| {
            let resource = fluid.add_resource(capacity);
            capacities.resize(resource.index() + 1, f64::INFINITY);
            capacities[resource.index()] = capacity;
            resource
        };
        let link = |link: &crate::platform::Link| match link.sharing {
            Sharing::Shared => Some(add(link.bandwidth)),
            Sharing::FatPipe => None,
        };
        let links = platform.links().iter().map(link).collect();
        let disks = platform.hosts().iter().map(|host| {
            host.disk().map(|disk| DiskResources {
                read: add(disk.read_bandwidth),
                write: add(disk.write_bandwidth),
                both: add(disk.read_bandwidth.max(disk.write_bandwidth)),
                read_bandwidth: disk.read_bandwidth,
                write_bandwidth: disk.write_bandwidth,
            })
        });
        let disks = disks.collect();
        Self { platform, model, links, disks, capacities, paths: FxHashMap::default() }
    }

    pub fn platform(&self) -> &Rc<Platform> {
        &self.platform
    }

    /// The resource of a link; `None` if it is not shared.
    pub fn resource_of(&self, link: LinkId) -> Option<ResourceId> {
        self.links.get(link.index()).copied().flatten()
    }

    /// The path between two ends, worked out on first use.
    pub fn path(&mut self, from: Endpoint, to: Endpoint) -> Result<Rc<Path>, TransferError> {
        if let Some(path) = self.paths.get(&(from, to)) {
            return Ok(Rc::clone(path));
        }
        let path = Rc::new(self.work_out(from, to)?);
        self.paths.insert((from, to), Rc::clone(&path));
        Ok(path)
    }

    fn work_out(&self, from: Endpoint, to: Endpoint) -> Result<Path, TransferError> {
        let mut uses = Vec::new();
        let mut ideal_rate = f64::INFINITY;
        let name = |end: Endpoint| self.platform.host(end.host()).name.clone();
        let disk = |end: Endpoint| match end {
            Endpoint::Memory(_) => Ok(None),
            Endpoint::Disk(host) => self.disks[host.index()].map(Some).ok_or_else(|| TransferError::NoDisk(name(end))),
        };
        // The factor takes the wire's overhead off again: a disk sees the payload only.
        let weight = lv08::BANDWIDTH_FACTOR;
        if let Some(source) = disk(from)? {
            uses.push(Use { resource: source.read, weight });
            uses.push(Use { resource: source.both, weight });
            ideal_rate = source.read_bandwidth;
        }
        if let Some(destination) = disk(to)? {
            uses.push(Use { resource: destination.write, weight });
            uses.push(Use { resource: destination.both, weight });
            ideal_rate = ideal_rate.min(destination.write_bandwidth);
        }
        if from.host() == to.host() {
            let ideal_rate = ideal_rate.min(lv08::LOOPBACK_BANDWIDTH);
            let (bound, penalty) = (lv08::LOOPBACK_BANDWIDTH, lv08::LOCAL_PENALTY);
            let alone_rate = self.alone_rate(bound, &uses);
            return Ok(Path { delay: SimDuration::ZERO, uses, bound, penalty, ideal_rate, alone_rate });
        }
        let no_route = || TransferError::NoRoute { from: name(from), to: name(to) };
        let route = self.platform.route(from.host(), to.host()).ok_or_else(no_route)?;
        let links = || route.forward.iter().map(|&link| self.platform.link(link));
        let latency: f64 = links().map(|link| link.latency).sum();
        let narrowest = links().map(|link| link.bandwidth).fold(f64::INFINITY, f64::min);
        let crossing: f64 = links().map(|link| lv08::WEIGHT_S / link.bandwidth).sum();
        self.add_links(&route.forward, 1.0, &mut uses);
        self.add_links(&route.backward, lv08::CROSS_TRAFFIC, &mut uses);
        let delay = match self.model {
            NetworkModel::Fluid | NetworkModel::FairFluid => lv08::LATENCY_FACTOR * latency,
            NetworkModel::Ideal => latency,
        };
        let bound = if latency > 0.0 { narrowest.min(lv08::TCP_GAMMA / (2.0 * latency)) } else { narrowest };
        Ok(Path {
            delay: SimDuration::from_secs_f64(delay),
            alone_rate: self.alone_rate(bound, &uses),
            uses,
            bound,
            penalty: match self.model {
                NetworkModel::Fluid if latency > 0.0 => latency + crossing,
                _ => lv08::LOCAL_PENALTY,
            },
            ideal_rate: ideal_rate.min(narrowest),
        })
    }

    /// The rate of a flow that is alone: up to its bound, and to what each resource has where nothing is degraded.
    fn alone_rate(&self, bound: f64, uses: &[Use]) -> f64 {
        lv08::BANDWIDTH_FACTOR * level_alone(bound, uses, |resource| self.capacities[resource.index()])
    }

    fn add_links(&self, links: &[LinkId], weight: f64, uses: &mut Vec<Use>) {
        uses.extend(links.iter().filter_map(|link| self.links[link.index()]).map(|resource| Use { resource, weight }));
    }
}
