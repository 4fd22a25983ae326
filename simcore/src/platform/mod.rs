//! What is simulated on: hosts with processors, RAM and disks, links, and the routes between hosts.
//!
//! Hosts may be declared in groups, and a route may name all members of a group at once (`node-*`). A *star* is a set of
//! hosts each of which has a link of its own to a common centre; routes may name the star. So ten thousand nodes need
//! ten thousand hosts and links, but no table of all pairs.
//!
//! ```
//! use hearth_simcore::platform::{HostSpec, PlatformBuilder, StarSpec};
//! let platform = PlatformBuilder::new()
//!     .host("user", HostSpec::new(1, 1e9))
//!     .star("rack", StarSpec { bandwidth: 1e9, latency: 1e-6, backbone: None })
//!     .group("node", 10_000, HostSpec::new(16, 2e9).in_star("rack"))
//!     .link("wan", 1e8, 0.01)
//!     .route("user", "rack", &["wan"])
//!     .build()?;
//! let (user, last) = (platform.host_by_name("user").unwrap(), platform.host_by_name("node-9999").unwrap());
//! let route = platform.route(user, last).unwrap();
//! let names: Vec<&str> = route.forward.iter().map(|link| platform.link(*link).name.as_str()).collect();
//! assert_eq!(names, ["wan", "node-9999-link"]);
//! # Ok::<(), hearth_simcore::platform::PlatformError>(())
//! ```

mod builder;
mod check;
mod error;
mod power;
mod routing;
mod simgrid;
#[cfg(test)]
mod simgrid_tests;

use rustc_hash::FxHashMap;

pub use builder::{DiskSpec, HostSpec, PlatformBuilder, StarSpec};
pub use error::PlatformError;
pub use power::PowerSpec;
use routing::Routing;

/// Names a host of a [`Platform`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(u32);

/// Names a link of a [`Platform`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(u32);

impl HostId {
    /// Its position in [`Platform::hosts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl LinkId {
    /// Its position in [`Platform::links`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Host {
    /// Its name, unique on the platform.
    pub name: String,
    /// How many computations run at full speed at once.
    pub cores: u32,
    /// Floating-point operations per second of one core.
    pub speed: f64,
    /// RAM in bytes.
    pub ram: u64,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// The electric power it takes, if that is known.
    pub power: Option<PowerSpec>,
}

impl Host {
    /// The disk mounted at `/`, or else the first.
    pub fn disk(&self) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.mount == "/").or(self.disks.first())
    }
}

/// A disk. Reads share the read bandwidth, writes the write bandwidth, and all of them the greater of the two.
#[derive(Clone, PartialEq, Debug)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Capacity in bytes.
    pub capacity: u64,
    /// Bytes per second that can be read.
    pub read_bandwidth: f64,
    /// Bytes per second that can be written.
    pub write_bandwidth: f64,
}

/// How flows over a link affect each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sharing {
    /// They share the bandwidth.
    #[default]
    Shared,
    /// Each may use all of it.
    FatPipe,
}

/// A network link.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// Its name, unique on the platform.
    pub name: String,
    /// Bytes per second.
    pub bandwidth: f64,
    /// Seconds.
    pub latency: f64,
    /// How flows share it.
    pub sharing: Sharing,
    /// The link that is used in the other direction: itself unless the link has a channel for each direction.
    reverse: LinkId,
}

/// The links between two hosts. Both lists are empty within a host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// Links from the source to the destination, in order.
    pub forward: Vec<LinkId>,
    /// Links from the destination to the source, in order.
    pub backward: Vec<LinkId>,
}

/// The most hosts of a platform that is read from a file: more are a slip of the pen, and each takes a kilobyte or more.
pub const MAX_HOSTS: usize = 2_000_000;

/// Hosts, links and routes; made by a [`PlatformBuilder`] or read from SimGrid's XML.
#[derive(Clone, Debug)]
pub struct Platform {
    hosts: Vec<Host>,
    links: Vec<Link>,
    host_names: FxHashMap<String, HostId>,
    routing: Routing,
}

impl Platform {
    /// Reads a platform in SimGrid's XML format, version 4.1; see the [notes on what is supported](Self#simgrid-xml).
    ///
    /// # SimGrid XML
    /// Supported are `zone` with routing `Full` (nested), `host` with `disk` (properties `size` and `mount`) and
    /// property `ram`, `router`, `link` with sharing `SHARED`, `SPLITDUPLEX` and `FATPIPE`, `route`, `zoneRoute` and
    /// `cluster`. Anything else that would change the platform is refused by name.
    ///
    /// # Errors
    /// When the text is not XML, or describes something that is not supported or contradicts itself; with the line.
    ///
    /// ```
    /// use hearth_simcore::platform::Platform;
    /// let platform = Platform::from_simgrid_xml(r#"<?xml version='1.0'?>
    /// <!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
    /// <platform version="4.1">
    ///   <zone id="world" routing="Full">
    ///     <host id="head" speed="10Gf" core="4">
    ///       <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps">
    ///         <prop id="size" value="5000GiB"/>
    ///         <prop id="mount" value="/"/>
    ///       </disk>
    ///       <prop id="ram" value="16GB"/>
    ///     </host>
    ///     <host id="node" speed="50Gf" core="10"/>
    ///     <link id="lan" bandwidth="1.25GBps" latency="20us"/>
    ///     <route src="head" dst="node"><link_ctn id="lan"/></route>
    ///   </zone>
    /// </platform>"#)?;
    /// let head = platform.host(platform.host_by_name("head").unwrap());
    /// assert_eq!((head.cores, head.ram), (4, 16_000_000_000));
    /// # Ok::<(), hearth_simcore::platform::PlatformError>(())
    /// ```
    pub fn from_simgrid_xml(text: &str) -> Result<Self, PlatformError> {
        simgrid::read(text)
    }

    /// All hosts, in the order of declaration.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// All links, in the order of declaration.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// A host.
    pub fn host(&self, host: HostId) -> &Host {
        &self.hosts[host.index()]
    }

    /// A link.
    pub fn link(&self, link: LinkId) -> &Link {
        &self.links[link.index()]
    }

    /// The host of a name.
    pub fn host_by_name(&self, name: &str) -> Option<HostId> {
        self.host_names.get(name).copied()
    }

    /// The link of a name, or with a pattern like `rack-*` all links whose names begin so, in order.
    pub fn links_matching(&self, pattern: &str) -> Vec<LinkId> {
        let is_meant = |link: &Link| match pattern.strip_suffix('*') {
            None => link.name == pattern,
            Some(prefix) => link.name.starts_with(prefix),
        };
        (0..).map(LinkId).zip(&self.links).filter(|(_, link)| is_meant(link)).map(|(id, _)| id).collect()
    }

    /// The hosts that a name or a pattern such as `node-*` stands for, in the order of declaration.
    pub fn hosts_matching(&self, pattern: &str) -> Vec<HostId> {
        match pattern.strip_suffix('*') {
            None => self.host_by_name(pattern).into_iter().collect(),
            Some(prefix) => {
                let all = (0..self.hosts.len() as u32).map(HostId);
                all.filter(|host| self.host(*host).name.starts_with(prefix)).collect()
            }
        }
    }

    /// The route between two hosts, if there is one. A route given for the two hosts goes before one given for
    /// patterns that match them, and this before one given for the stars or zones that hold them.
    pub fn route(&self, from: HostId, to: HostId) -> Option<Route> {
        let forward = self.routing.links(from.0, to.0, &self.links)?;
        let backward = self.routing.links(to.0, from.0, &self.links)?;
        Some(Route { forward, backward })
    }
}
