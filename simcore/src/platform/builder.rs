//! Builds platforms, and checks them.

use rustc_hash::FxHashMap;

use super::check::{check_host, check_link};
use super::routing::{End, GivenRoute, Routing, Spoke};
use super::{Disk, Host, HostId, Link, LinkId, Platform, PlatformError, PowerSpec, Sharing};

/// A host to be declared.
#[derive(Clone, PartialEq, Debug)]
pub struct HostSpec {
    cores: u32,
    speed: f64,
    ram: u64,
    disks: Vec<Disk>,
    star: Option<String>,
    power: Option<PowerSpec>,
}

impl HostSpec {
    /// A host with so many cores, each of `speed` floating-point operations per second, without RAM or disk.
    pub fn new(cores: u32, speed: f64) -> Self {
        Self { cores, speed, ram: 0, disks: Vec::new(), star: None, power: None }
    }

    /// Gives it RAM, in bytes.
    pub fn ram(mut self, bytes: u64) -> Self {
        self.ram = bytes;
        self
    }

    /// Gives it a disk.
    pub fn disk(mut self, disk: DiskSpec) -> Self {
        self.disks.push(disk);
        self
    }

    /// Connects it to the centre of a star with a link of its own.
    pub fn in_star(mut self, star: &str) -> Self {
        self.star = Some(star.to_owned());
        self
    }

    /// Says how much electric power it takes; without it, nothing is known of that.
    pub fn power(mut self, power: PowerSpec) -> Self {
        self.power = Some(power);
        self
    }
}

/// A disk to be declared.
pub type DiskSpec = Disk;

impl Disk {
    /// A disk mounted at `/` of so many bytes, with bandwidths in bytes per second.
    pub fn new(capacity: u64, read_bandwidth: f64, write_bandwidth: f64) -> Self {
        Self { mount: "/".to_owned(), capacity, read_bandwidth, write_bandwidth }
    }
}

/// A star: each host in it has a link of its own to the centre, called `<host>-link`.
#[derive(Clone, PartialEq, Debug)]
pub struct StarSpec {
    /// Bytes per second of each host's link.
    pub bandwidth: f64,
    /// Seconds of each host's link.
    pub latency: f64,
    /// The name of a link that everything which passes the centre crosses.
    pub backbone: Option<String>,
}

#[derive(Clone, Debug)]
struct Star {
    name: String,
    spec: StarSpec,
}

#[derive(Clone, Debug)]
struct RouteSpec {
    from: String,
    to: String,
    links: Vec<String>,
}

/// Declares hosts, links and routes, in any order; see the [module](super) for an example.
#[derive(Clone, Debug, Default)]
pub struct PlatformBuilder {
    hosts: Vec<(String, HostSpec)>,
    links: Vec<Link>,
    stars: Vec<Star>,
    routes: Vec<RouteSpec>,
}

impl PlatformBuilder {
    /// An empty platform.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a host.
    pub fn host(mut self, name: &str, spec: HostSpec) -> Self {
        self.hosts.push((name.to_owned(), spec));
        self
    }

    /// Declares `count` hosts alike: `name-0`, `name-1`, …
    pub fn group(mut self, name: &str, count: usize, spec: HostSpec) -> Self {
        self.hosts.extend((0..count).map(|number| (format!("{name}-{number}"), spec.clone())));
        self
    }

    /// Declares a shared link of a bandwidth in bytes per second and a latency in seconds.
    pub fn link(self, name: &str, bandwidth: f64, latency: f64) -> Self {
        self.link_with_sharing(name, bandwidth, latency, Sharing::Shared)
    }

    /// Declares a link.
    pub fn link_with_sharing(mut self, name: &str, bandwidth: f64, latency: f64, sharing: Sharing) -> Self {
        let reverse = LinkId(self.links.len() as u32);
        self.links.push(Link { name: name.to_owned(), bandwidth, latency, sharing, reverse });
        self
    }

    /// Declares a star.
    pub fn star(mut self, name: &str, spec: StarSpec) -> Self {
        self.stars.push(Star { name: name.to_owned(), spec });
        self
    }

    /// Declares a route and the same one backwards. An end is a host, all hosts of a prefix (`node-*`), or a star.
    pub fn route<T: AsRef<str>>(mut self, from: &str, to: &str, links: &[T]) -> Self {
        let links = links.iter().map(|link| link.as_ref().to_owned()).collect();
        self.routes.push(RouteSpec { from: from.to_owned(), to: to.to_owned(), links });
        self
    }

    /// Checks what was declared and makes the platform of it.
    ///
    /// # Errors
    /// When names repeat or dangle, or a quantity makes no sense.
    pub fn build(self) -> Result<Platform, PlatformError> {
        let mut parts = Parts { links: self.links, ..Parts::default() };
        for (name, spec) in self.hosts {
            parts.add_host(name, spec)?;
        }
        for (position, link) in parts.links.iter().enumerate() {
            check_link(link)?;
            if parts.link_names.insert(link.name.clone(), LinkId(position as u32)).is_some() {
                return Err(PlatformError::Duplicate { what: "link", name: link.name.clone() });
            }
        }
        parts.ends = parts.hosts.len() as u32;
        parts.routing.ends = vec![Vec::new(); parts.hosts.len()];
        parts.routing.spokes = vec![None; parts.hosts.len()];
        for route in &self.routes {
            parts.add_patterns(route);
        }
        for star in &self.stars {
            parts.add_star(star)?;
        }
        parts.connect_hosts_to_stars(&self.stars)?;
        for route in self.routes {
            parts.add_route(route)?;
        }
        let Parts { hosts, links, host_names, routing, .. } = parts;
        Ok(Platform { hosts, links, host_names, routing })
    }
}

/// A platform in the making.
#[derive(Default)]
struct Parts {
    hosts: Vec<Host>,
    /// By host: the star it is in.
    memberships: Vec<Option<String>>,
    links: Vec<Link>,
    host_names: FxHashMap<String, HostId>,
    link_names: FxHashMap<String, LinkId>,
    /// Patterns and stars by name.
    end_names: FxHashMap<String, End>,
    ends: u32,
    routing: Routing,
}

impl Parts {
    fn add_host(&mut self, name: String, spec: HostSpec) -> Result<(), PlatformError> {
        let HostSpec { cores, speed, ram, disks, star, power } = spec;
        let host = Host { name, cores, speed, ram, disks, power };
        check_host(&host)?;
        let id = HostId(self.hosts.len() as u32);
        if self.host_names.insert(host.name.clone(), id).is_some() {
            return Err(PlatformError::Duplicate { what: "host", name: host.name });
        }
        self.hosts.push(host);
        self.memberships.push(star);
        Ok(())
    }

    fn new_end(&mut self, name: &str) -> End {
        let end = self.ends;
        self.ends += 1;
        self.end_names.insert(name.to_owned(), end);
        end
    }

    fn add_patterns(&mut self, route: &RouteSpec) {
        for name in [&route.from, &route.to] {
            let Some(prefix) = name.strip_suffix('*') else { continue };
            if self.end_names.contains_key(name) || !self.hosts.iter().any(|host| host.name.starts_with(prefix)) {
                continue;
            }
            let end = self.new_end(name);
            for (host, ends) in self.hosts.iter().zip(&mut self.routing.ends) {
                if host.name.starts_with(prefix) {
                    ends.push(end);
                }
            }
        }
    }

    fn add_star(&mut self, star: &Star) -> Result<(), PlatformError> {
        if self.host_names.contains_key(&star.name) || self.end_names.contains_key(&star.name) {
            return Err(PlatformError::Duplicate { what: "star", name: star.name.clone() });
        }
        let end = self.new_end(&star.name);
        if let Some(backbone) = &star.spec.backbone {
            let place = format!("star {:?}", star.name);
            let unknown = || PlatformError::Unknown { place, what: "link", name: backbone.clone() };
            let link = *self.link_names.get(backbone).ok_or_else(unknown)?;
            self.routing.backbones.insert(end, link);
        }
        self.routing.centres.insert(end, end);
        Ok(())
    }

    fn connect_hosts_to_stars(&mut self, stars: &[Star]) -> Result<(), PlatformError> {
        for (position, name) in std::mem::take(&mut self.memberships).into_iter().enumerate() {
            let Some(name) = name else { continue };
            let host = &self.hosts[position].name;
            let star = stars.iter().find(|star| star.name == name).ok_or_else(|| PlatformError::Unknown {
                place: format!("host {host:?}"),
                what: "star",
                name: name.clone(),
            })?;
            let reverse = LinkId(self.links.len() as u32);
            let StarSpec { bandwidth, latency, .. } = star.spec;
            let link = Link { name: format!("{host}-link"), bandwidth, latency, sharing: Sharing::Shared, reverse };
            check_link(&link)?;
            if self.link_names.insert(link.name.clone(), reverse).is_some() {
                return Err(PlatformError::Duplicate { what: "link", name: link.name });
            }
            self.links.push(link);
            let zone = self.end_names[&name];
            self.routing.spokes[position] = Some(Spoke { zone, up: reverse, down: reverse });
            self.routing.ends[position].push(zone);
        }
        Ok(())
    }

    fn add_route(&mut self, route: RouteSpec) -> Result<(), PlatformError> {
        let place = format!("the route from {:?} to {:?}", route.from, route.to);
        let end = |name: &str| {
            let host = self.host_names.get(name).map(|host| host.0);
            let unknown = || PlatformError::Unknown { place: place.clone(), what: "host", name: name.to_owned() };
            host.or_else(|| self.end_names.get(name).copied()).ok_or_else(unknown)
        };
        let (from, to) = (end(&route.from)?, end(&route.to)?);
        let link = |name: &String| {
            let unknown = || PlatformError::Unknown { place: place.clone(), what: "link", name: name.clone() };
            self.link_names.get(name).copied().ok_or_else(unknown)
        };
        let links = route.links.iter().map(link).collect::<Result<_, _>>()?;
        // A star's centre is its gateway, and has the star's own number.
        let gateway = |end: End| self.routing.centres.get(&end).copied();
        let (from_gateway, to_gateway) = (gateway(from), gateway(to));
        if from == to && from_gateway.is_some() {
            // The way to the centre would be looked for by way of the centre, for ever.
            return Err(PlatformError::StarToItself(route.from));
        }
        let given = GivenRoute { links, from_gateway, to_gateway, symmetric: true };
        let is_new = !self.routing.given.contains_key(&(to, from)) || from == to;
        if !is_new || self.routing.given.insert((from, to), given).is_some() {
            return Err(PlatformError::DuplicateRoute { from: route.from, to: route.to });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(platform: &Platform, from: &str, to: &str) -> Vec<String> {
        let id = |name| platform.host_by_name(name).unwrap();
        let route = platform.route(id(from), id(to)).unwrap_or_else(|| panic!("no route {from} {to}"));
        route.forward.iter().map(|link| platform.link(*link).name.clone()).collect()
    }

    fn spec() -> HostSpec {
        HostSpec::new(1, 1e9)
    }

    #[test]
    fn a_route_for_hosts_goes_before_one_for_a_pattern() {
        let platform = PlatformBuilder::new()
            .host("head", spec())
            .group("node", 3, spec())
            .link("lan", 1e9, 0.0)
            .link("own", 1e9, 0.0)
            .route("head", "node-*", &["lan"])
            .route("node-1", "head", &["own", "lan"])
            .build()
            .unwrap();
        assert_eq!(names(&platform, "head", "node-0"), ["lan"]);
        assert_eq!(names(&platform, "head", "node-1"), ["lan", "own"]);
        assert_eq!(names(&platform, "node-2", "head"), ["lan"]);
        let id = |name| platform.host_by_name(name).unwrap();
        assert_eq!(platform.route(id("node-0"), id("node-1")), None);
        assert_eq!(platform.route(id("node-0"), id("node-0")), Some(super::super::Route::default()));
    }

    #[test]
    fn hosts_of_two_stars_meet_over_the_route_between_the_stars() {
        let star =
            |backbone: Option<&str>| StarSpec { bandwidth: 1e9, latency: 0.0, backbone: backbone.map(str::to_owned) };
        let platform = PlatformBuilder::new()
            .link("backbone", 1e9, 0.0)
            .link("trunk", 1e9, 0.0)
            .star("left", star(Some("backbone")))
            .star("right", star(None))
            .group("l", 2, spec().in_star("left"))
            .group("r", 2, spec().in_star("right"))
            .route("left", "right", &["trunk"])
            .build()
            .unwrap();
        assert_eq!(names(&platform, "l-0", "l-1"), ["l-0-link", "backbone", "l-1-link"]);
        assert_eq!(names(&platform, "l-0", "r-1"), ["l-0-link", "backbone", "trunk", "r-1-link"]);
        assert_eq!(names(&platform, "r-1", "l-0"), ["r-1-link", "trunk", "backbone", "l-0-link"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        let error = |builder: PlatformBuilder| builder.build().unwrap_err().to_string();
        let two = || PlatformBuilder::new().host("a", spec()).host("b", spec()).link("l", 1.0, 0.0);
        assert_eq!(error(two().host("a", spec())), "host \"a\" is declared twice: names must differ");
        assert_eq!(error(two().link("l", 1.0, 0.0)), "link \"l\" is declared twice: names must differ");
        assert_eq!(
            error(two().route("a", "c", &["l"])),
            "the route from \"a\" to \"c\" names host \"c\", which is not declared"
        );
        assert_eq!(
            error(two().route("a", "b", &["m"])),
            "the route from \"a\" to \"b\" names link \"m\", which is not declared"
        );
        assert_eq!(
            error(two().route("a", "b", &["l"]).route("b", "a", &["l"])),
            "the route from \"b\" to \"a\" is given twice: keep one"
        );
        assert_eq!(
            error(two().link("m", 0.0, 0.0)),
            "bandwidth of link \"m\": found 0, expected a positive number of bytes/s"
        );
        assert_eq!(
            error(two().host("c", HostSpec::new(0, 1.0))),
            "cores of host \"c\": found 0, expected at least one"
        );
        assert_eq!(
            error(two().host("c", HostSpec::new(1, f64::INFINITY))),
            "speed of host \"c\": found inf, expected a positive number of flop/s"
        );
        let star = StarSpec { bandwidth: 1.0, latency: 0.0, backbone: None };
        assert_eq!(
            error(two().star("s", star).route("s", "s", &["l"])),
            "a route leads from star \"s\" to itself: its hosts meet at its centre; name a backbone instead"
        );
        assert_eq!(error(two().host("c", spec().in_star("s"))), "host \"c\" names star \"s\", which is not declared");
    }
}
