//! Reads SimGrid's XML, version 4.1. What would change the platform and is not supported is refused by name.

mod attributes;
#[cfg(test)]
mod tests;

use roxmltree::{Document, Node};
use rustc_hash::{FxHashMap, FxHashSet};

use attributes::{
    attribute, cores, elements, malformed, only, only_properties, property, quantity, radical, symmetrical,
    unsupported, unsupported_element, whole_bytes,
};

use super::check::{check_host, check_link};
use super::routing::{End, GivenRoute, Point, Routing, Spoke};
use super::{Disk, Host, HostId, Link, LinkId, MAX_HOSTS, Platform, PlatformError, Sharing};
use crate::units::Dimension;

/// Reads a platform.
pub(super) fn read(text: &str) -> Result<Platform, PlatformError> {
    // SimGrid's files name their document type, which is not looked into.
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|error| PlatformError::Xml(error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "platform" {
        let found = root.tag_name().name();
        return Err(malformed(root, format!("found <{found}>, expected <platform version=\"4.1\">")));
    }
    let version = attribute(root, "version")?;
    // Older versions mean other units by the same numbers.
    if !matches!(version, "4" | "4.1") {
        let cure = "bring the file to version 4.1 with simgrid_update_xml";
        return Err(unsupported(root, format!("version={version:?}"), cure));
    }
    let mut reader = Reader::default();
    reader.count_hosts(root)?;
    for child in elements(root) {
        match child.tag_name().name() {
            "zone" | "AS" => reader.zone(child, &[])?,
            "cluster" => reader.cluster(child, &[])?,
            _ => return Err(unsupported_element(child)),
        }
    }
    let Reader { hosts, links, host_names, routing, .. } = reader;
    Ok(Platform { hosts, links, host_names, routing })
}

/// A platform in the making. Points are numbered hosts first, ends after the points.
#[derive(Default)]
struct Reader {
    hosts: Vec<Host>,
    links: Vec<Link>,
    host_names: FxHashMap<String, HostId>,
    link_names: FxHashMap<String, LinkId>,
    /// As the file has them, where a split-duplex link has one.
    link_ids: FxHashSet<String>,
    /// Hosts, routers and zones, by name, as ends of routes.
    end_names: FxHashMap<String, End>,
    next_router: Point,
    next_zone: End,
    /// By zone: the one around it.
    outer_zones: FxHashMap<End, End>,
    routing: Routing,
}

/// One direction of a link that has two.
fn channel(name: &str, direction: &str) -> String {
    format!("{name}_{direction}")
}

impl Reader {
    /// Numbers routers behind all hosts, and zones behind all routers.
    fn count_hosts(&mut self, root: Node<'_, '_>) -> Result<(), PlatformError> {
        let named = |name: &'static str| root.descendants().filter(move |node| node.tag_name().name() == name);
        let in_clusters: usize =
            named("cluster").filter_map(|node| radical(node, node.attribute("radical")?).ok()).map(|r| r.len()).sum();
        let hosts = named("host").count() + in_clusters;
        if hosts > MAX_HOSTS {
            return Err(malformed(root, format!("there are {hosts} hosts in all, expected at most {MAX_HOSTS}")));
        }
        let routers = named("router").count() + named("cluster").count();
        self.next_router = hosts as Point;
        self.next_zone = (hosts + routers) as End;
        self.routing.ends = vec![Vec::new(); hosts + routers];
        self.routing.spokes = vec![None; hosts + routers];
        Ok(())
    }

    fn name_end(&mut self, node: Node<'_, '_>, name: &str, end: End) -> Result<(), PlatformError> {
        match self.end_names.insert(name.to_owned(), end) {
            None => Ok(()),
            Some(_) => Err(malformed(node, format!("the name {name:?} is taken: names must differ"))),
        }
    }

    fn enter_zone(&mut self, node: Node<'_, '_>, outer: &[End]) -> Result<Vec<End>, PlatformError> {
        let zone = self.next_zone;
        self.next_zone += 1;
        self.name_end(node, attribute(node, "id")?, zone)?;
        self.outer_zones.extend(outer.first().map(|outer| (zone, *outer)));
        Ok(std::iter::once(zone).chain(outer.iter().copied()).collect())
    }

    fn zone(&mut self, node: Node<'_, '_>, outer: &[End]) -> Result<(), PlatformError> {
        only(node, &["id", "routing"])?;
        let routing = attribute(node, "routing")?;
        if routing != "Full" {
            return Err(unsupported(node, format!("routing={routing:?}"), "use routing=\"Full\", or a <cluster>"));
        }
        let zones = self.enter_zone(node, outer)?;
        // Routes may stand before what they name.
        for child in elements(node) {
            match child.tag_name().name() {
                "host" => self.host(child, &zones)?,
                "router" => self.router(child, &zones)?,
                "link" => self.link(child)?,
                "zone" | "AS" => self.zone(child, &zones)?,
                "cluster" => self.cluster(child, &zones)?,
                "route" | "zoneRoute" | "ASroute" | "prop" => {}
                _ => return Err(unsupported_element(child)),
            }
        }
        for child in elements(node) {
            match child.tag_name().name() {
                "route" => self.route(child, zones[0])?,
                "zoneRoute" | "ASroute" => self.zone_route(child, zones[0])?,
                _ => {}
            }
        }
        Ok(())
    }

    fn add_host(&mut self, node: Node<'_, '_>, host: Host, zones: &[End]) -> Result<Point, PlatformError> {
        check_host(&host).map_err(|error| malformed(node, error.to_string()))?;
        let id = HostId(self.hosts.len() as u32);
        self.name_end(node, &host.name, id.0)?;
        self.host_names.insert(host.name.clone(), id);
        self.hosts.push(host);
        self.routing.ends[id.index()] = zones.to_vec();
        Ok(id.0)
    }

    fn host(&mut self, node: Node<'_, '_>, zones: &[End]) -> Result<(), PlatformError> {
        only(node, &["id", "speed", "core"])?;
        let mut disks: Vec<Disk> = Vec::new();
        let mut disk_ids = FxHashSet::default();
        for child in elements(node) {
            match child.tag_name().name() {
                "disk" => {
                    let (id, disk) = (attribute(child, "id")?, disk(child)?);
                    if !disk_ids.insert(id) {
                        return Err(malformed(child, format!("disk {id:?} is declared twice: names must differ")));
                    }
                    if disks.iter().any(|other| other.mount == disk.mount) {
                        let problem = format!("two disks are mounted at {:?}: mounts must differ", disk.mount);
                        return Err(malformed(child, problem));
                    }
                    disks.push(disk);
                }
                "prop" => {}
                _ => return Err(unsupported_element(child)),
            }
        }
        let ram = property(node, "ram")?.map_or(Ok(0), |text| whole_bytes(node, text))?;
        let name = attribute(node, "id")?.to_owned();
        let (cores, speed) = (cores(node)?, quantity(node, "speed", Dimension::Work)?);
        self.add_host(node, Host { name, cores, speed, ram, disks, power: None }, zones).map(drop)
    }

    fn add_router(&mut self, node: Node<'_, '_>, name: &str, zones: &[End]) -> Result<Point, PlatformError> {
        let router = self.next_router;
        self.next_router += 1;
        self.name_end(node, name, router)?;
        self.routing.ends[router as usize] = zones.to_vec();
        Ok(router)
    }

    fn router(&mut self, node: Node<'_, '_>, zones: &[End]) -> Result<(), PlatformError> {
        only(node, &["id"])?;
        only_properties(node)?;
        self.add_router(node, attribute(node, "id")?, zones).map(drop)
    }

    fn add_link(&mut self, node: Node<'_, '_>, link: Link) -> Result<LinkId, PlatformError> {
        check_link(&link).map_err(|error| malformed(node, error.to_string()))?;
        let id = LinkId(self.links.len() as u32);
        if self.link_names.insert(link.name.clone(), id).is_some() {
            return Err(malformed(node, format!("link {:?} is declared twice: names must differ", link.name)));
        }
        self.links.push(link);
        Ok(id)
    }

    /// Adds a link by SimGrid's name of its sharing: one channel for both directions, or one for each.
    fn add_channels(
        &mut self,
        node: Node<'_, '_>,
        name: &str,
        (bandwidth, latency): (f64, f64),
        policy: &str,
    ) -> Result<(LinkId, LinkId), PlatformError> {
        if !self.link_ids.insert(name.to_owned()) {
            return Err(malformed(node, format!("link {name:?} is declared twice: names must differ")));
        }
        let first = LinkId(self.links.len() as u32);
        let second = LinkId(first.0 + 1);
        let sharing = match policy {
            "SHARED" | "SPLITDUPLEX" => Sharing::Shared,
            "FATPIPE" => Sharing::FatPipe,
            _ => {
                let cure = "use SHARED, SPLITDUPLEX or FATPIPE";
                return Err(unsupported(node, format!("sharing policy {policy:?}"), cure));
            }
        };
        let link = |name: String, reverse: LinkId| Link { name, bandwidth, latency, sharing, reverse };
        if policy != "SPLITDUPLEX" {
            let both = self.add_link(node, link(name.to_owned(), first))?;
            return Ok((both, both));
        }
        let up = self.add_link(node, link(channel(name, "UP"), second))?;
        let down = self.add_link(node, link(channel(name, "DOWN"), first))?;
        Ok((up, down))
    }

    fn link(&mut self, node: Node<'_, '_>) -> Result<(), PlatformError> {
        only(node, &["id", "bandwidth", "latency", "sharing_policy"])?;
        only_properties(node)?;
        let bandwidth = quantity(node, "bandwidth", Dimension::Rate)?;
        let latency = if node.has_attribute("latency") { quantity(node, "latency", Dimension::Time)? } else { 0.0 };
        let policy = node.attribute("sharing_policy").unwrap_or("SHARED");
        self.add_channels(node, attribute(node, "id")?, (bandwidth, latency), policy).map(drop)
    }

    /// A star of hosts with a router in the middle.
    fn cluster(&mut self, node: Node<'_, '_>, outer: &[End]) -> Result<(), PlatformError> {
        let known = [
            "id",
            "prefix",
            "suffix",
            "radical",
            "speed",
            "core",
            "bw",
            "lat",
            "sharing_policy",
            "bb_bw",
            "bb_lat",
            "bb_sharing_policy",
            "router_id",
        ];
        only(node, &known)?;
        only_properties(node)?;
        let zones = self.enter_zone(node, outer)?;
        let (id, prefix) = (attribute(node, "id")?, attribute(node, "prefix")?);
        let suffix = node.attribute("suffix").unwrap_or("");
        let (cores, speed) = (cores(node)?, quantity(node, "speed", Dimension::Work)?);
        let spoke = (quantity(node, "bw", Dimension::Rate)?, quantity(node, "lat", Dimension::Time)?);
        let policy = node.attribute("sharing_policy").unwrap_or("SPLITDUPLEX");
        // SimGrid gives a cluster's properties to each of its hosts.
        let ram = property(node, "ram")?.map_or(Ok(0), |text| whole_bytes(node, text))?;
        for number in radical(node, attribute(node, "radical")?)? {
            let name = format!("{prefix}{number}{suffix}");
            let host = Host { name, cores, speed, ram, disks: Vec::new(), power: None };
            let point = self.add_host(node, host, &zones)?;
            let (up, down) = self.add_channels(node, &format!("{id}_link_{number}"), spoke, policy)?;
            self.routing.spokes[point as usize] = Some(Spoke { zone: zones[0], up, down });
        }
        if node.has_attribute("bb_bw") || node.has_attribute("bb_lat") {
            let latency = if node.has_attribute("bb_lat") { quantity(node, "bb_lat", Dimension::Time)? } else { 0.0 };
            let backbone = (quantity(node, "bb_bw", Dimension::Rate)?, latency);
            let policy = node.attribute("bb_sharing_policy").unwrap_or("SHARED");
            if policy == "SPLITDUPLEX" {
                return Err(unsupported(node, "a split-duplex backbone".to_owned(), "use SHARED or FATPIPE"));
            }
            let (link, _) = self.add_channels(node, &format!("{id}_backbone"), backbone, policy)?;
            self.routing.backbones.insert(zones[0], link);
        }
        let default_router = format!("{prefix}{id}_router{suffix}");
        let router = self.add_router(node, node.attribute("router_id").unwrap_or(&default_router), &zones)?;
        self.routing.centres.insert(router, zones[0]);
        Ok(())
    }

    fn end(&self, node: Node<'_, '_>, name: &str) -> Result<End, PlatformError> {
        let text = attribute(node, name)?;
        let unknown = || malformed(node, format!("{name}: there is no host, router or zone {text:?}"));
        self.end_names.get(text).copied().ok_or_else(unknown)
    }

    /// A host or router that stands in a zone, or anywhere within it.
    fn point(
        &self,
        node: Node<'_, '_>,
        name: &str,
        stands: impl Fn(&[End]) -> bool,
        expected: &str,
    ) -> Result<Point, PlatformError> {
        let point = self.end(node, name)?;
        match self.routing.ends.get(point as usize) {
            Some(zones) if stands(zones) => Ok(point),
            _ => Err(malformed(node, format!("{name}: {:?} is not {expected}", attribute(node, name)?))),
        }
    }

    fn route(&mut self, node: Node<'_, '_>, zone: End) -> Result<(), PlatformError> {
        only(node, &["src", "dst", "symmetrical"])?;
        let point = |name: &str| {
            let expected = "a host or router of the zone that holds the route";
            self.point(node, name, |zones| zones.first() == Some(&zone), expected)
        };
        let (from, to, links) = (point("src")?, point("dst")?, self.links_of_route(node)?);
        if from == to {
            let what = format!("a route from {:?} to itself", attribute(node, "src")?);
            return Err(unsupported(node, what, "leave it out: what stays within a host crosses no link"));
        }
        let symmetric = symmetrical(node)?;
        self.add_route(node, (from, to), GivenRoute { links, from_gateway: None, to_gateway: None, symmetric })
    }

    /// A route between two zones that lie side by side. That each gateway is within its own zone makes the way to it
    /// shorter than the way it is part of, so that looking up a route ends.
    fn zone_route(&mut self, node: Node<'_, '_>, outer: End) -> Result<(), PlatformError> {
        only(node, &["src", "dst", "gw_src", "gw_dst", "symmetrical"])?;
        let zone = |name: &str| {
            let zone = self.end(node, name)?;
            if self.outer_zones.get(&zone) == Some(&outer) {
                return Ok(zone);
            }
            let text = attribute(node, name)?;
            Err(malformed(node, format!("{name}: {text:?} is not a zone directly within the one that holds the route")))
        };
        let (from, to) = (zone("src")?, zone("dst")?);
        if from == to {
            return Err(malformed(node, "a zone route leads from a zone to itself: name two zones".to_owned()));
        }
        let gateway = |name: &str, zone: End, end: &str| {
            let expected = format!("a host or router within zone {:?}", attribute(node, end)?);
            self.point(node, name, |zones| zones.contains(&zone), &expected).map(Some)
        };
        let (from_gateway, to_gateway) = (gateway("gw_src", from, "src")?, gateway("gw_dst", to, "dst")?);
        let (links, symmetric) = (self.links_of_route(node)?, symmetrical(node)?);
        self.add_route(node, (from, to), GivenRoute { links, from_gateway, to_gateway, symmetric })
    }

    fn add_route(&mut self, node: Node<'_, '_>, ends: (End, End), route: GivenRoute) -> Result<(), PlatformError> {
        let (from, to) = ends;
        let given = &mut self.routing.given;
        let reverse_given = given.get(&(to, from)).is_some_and(|other| route.symmetric || other.symmetric);
        if reverse_given || given.insert(ends, route).is_some() {
            let (from, to) = (attribute(node, "src")?, attribute(node, "dst")?);
            return Err(malformed(node, format!("the route from {from:?} to {to:?} is given twice: keep one")));
        }
        Ok(())
    }

    fn links_of_route(&self, node: Node<'_, '_>) -> Result<Vec<LinkId>, PlatformError> {
        let link = |child: Node<'_, '_>| match child.tag_name().name() {
            "link_ctn" => self.link_of_route(child),
            _ => Err(unsupported_element(child)),
        };
        elements(node).map(link).collect()
    }

    fn link_of_route(&self, node: Node<'_, '_>) -> Result<LinkId, PlatformError> {
        only(node, &["id", "direction"])?;
        let id = attribute(node, "id")?;
        let name = match node.attribute("direction") {
            None | Some("NONE") => id.to_owned(),
            Some(direction @ ("UP" | "DOWN")) => channel(id, direction),
            Some(other) => {
                return Err(malformed(node, format!("direction={other:?}: expected UP, DOWN or NONE")));
            }
        };
        let unknown = || malformed(node, format!("there is no link {name:?} (a split-duplex link needs a direction)"));
        self.link_names.get(&name).copied().ok_or_else(unknown)
    }
}

fn disk(node: Node<'_, '_>) -> Result<Disk, PlatformError> {
    only(node, &["id", "read_bw", "write_bw"])?;
    only_properties(node)?;
    let size =
        property(node, "size")?.ok_or_else(|| malformed(node, "the disk lacks the property \"size\"".to_owned()))?;
    Ok(Disk {
        mount: property(node, "mount")?.unwrap_or("/").to_owned(),
        capacity: whole_bytes(node, size)?,
        read_bandwidth: quantity(node, "read_bw", Dimension::Rate)?,
        write_bandwidth: quantity(node, "write_bw", Dimension::Rate)?,
    })
}
