//! From the platform section to a platform.

use hearth_simcore::platform::{DiskSpec, HostSpec, MAX_HOSTS, Platform, PlatformBuilder, PowerSpec, StarSpec};

use super::{HostSection, PlatformSection, Scenario, ScenarioError, read_text};

/// A larger group is a slip of the pen.
const MAX_COUNT: u32 = 1_000_000;

impl Scenario {
    /// Builds the platform that the scenario describes.
    ///
    /// # Errors
    /// When it makes no sense, or its file cannot be read.
    pub fn build_platform(&self) -> Result<Platform, ScenarioError> {
        let section = &self.platform;
        if let Some(file) = &section.simgrid_xml {
            let PlatformSection { hosts, links, routes, stars, simgrid_xml: _ } = section;
            if !(hosts.is_empty() && links.is_empty() && routes.is_empty() && stars.is_empty()) {
                let problem = "stands beside hosts, links, routes or stars: give either the file or these";
                return Err(ScenarioError::invalid("platform.simgrid_xml", problem));
            }
            let text = read_text(&self.base.join(file))?;
            return Platform::from_simgrid_xml(&text)
                .map_err(|error| ScenarioError::invalid("platform.simgrid_xml", format!("{file}: {error}")));
        }
        if section.hosts.is_empty() {
            return Err(ScenarioError::invalid(
                "platform.hosts",
                "there are none: declare hosts, or name a simgrid_xml file",
            ));
        }
        section.check_names()?;
        section.check_number_of_hosts()?;
        let mut builder = PlatformBuilder::new();
        for host in &section.hosts {
            builder = match host.count {
                None => builder.host(&host.name, host_spec(host)),
                Some(count) => builder.group(&host.name, count as usize, host_spec(host)),
            };
        }
        for link in &section.links {
            builder = builder.link(&link.name, link.bandwidth.0, link.latency.0);
        }
        for star in &section.stars {
            let (bandwidth, latency, backbone) = (star.bandwidth.0, star.latency.0, star.backbone.clone());
            builder = builder.star(&star.name, StarSpec { bandwidth, latency, backbone });
        }
        for route in &section.routes {
            builder = builder.route(&route.from, &route.to, &route.links);
        }
        Ok(builder.build()?)
    }
}

impl PlatformSection {
    /// Refuses what the builder would take as it comes: empty names, names that routes read as patterns, and routes that
    /// lead nowhere.
    fn check_names(&self) -> Result<(), ScenarioError> {
        check_names_of("hosts", self.hosts.iter().map(|host| &host.name))?;
        check_names_of("links", self.links.iter().map(|link| &link.name))?;
        check_names_of("stars", self.stars.iter().map(|star| &star.name))?;
        for (position, route) in self.routes.iter().enumerate() {
            let names_many = |end: &String| end.ends_with('*') || self.stars.iter().any(|star| star.name == *end);
            if route.from == route.to && !names_many(&route.from) {
                let problem = format!("leads from host {:?} to itself: a host needs no route to itself", route.from);
                return Err(ScenarioError::invalid(format!("platform.routes[{position}]"), problem));
            }
        }
        Ok(())
    }

    fn check_number_of_hosts(&self) -> Result<(), ScenarioError> {
        let mut total = 0_usize;
        for (position, host) in self.hosts.iter().enumerate() {
            let count = host.count.unwrap_or(1);
            let place = || format!("platform.hosts[{position}].count");
            if count == 0 || count > MAX_COUNT {
                let problem = format!("found {count}, expected from 1 to {MAX_COUNT} hosts");
                return Err(ScenarioError::invalid(place(), problem));
            }
            total += count as usize;
            if total > MAX_HOSTS {
                let problem = format!("makes {total} hosts with those before, expected at most {MAX_HOSTS} in all");
                return Err(ScenarioError::invalid(place(), problem));
            }
        }
        Ok(())
    }
}

fn check_names_of<'a>(list: &str, names: impl Iterator<Item = &'a String>) -> Result<(), ScenarioError> {
    for (position, name) in names.enumerate() {
        let place = || format!("platform.{list}[{position}].name");
        if name.is_empty() {
            return Err(ScenarioError::invalid(place(), "is empty: give it a name"));
        }
        if name.ends_with('*') {
            let problem = format!("found {name:?}: a name must not end in \"*\", which stands for all of a prefix");
            return Err(ScenarioError::invalid(place(), problem));
        }
    }
    Ok(())
}

fn host_spec(host: &HostSection) -> HostSpec {
    let mut spec = HostSpec::new(host.cores, host.speed.0).ram(host.ram.whole());
    if let Some(disk) = &host.disk {
        spec = spec.disk(DiskSpec::new(disk.capacity.whole(), disk.read_bandwidth.0, disk.write_bandwidth.0));
    }
    if let Some(star) = &host.star {
        spec = spec.in_star(star);
    }
    if let Some(power) = host.power {
        spec = spec.power(PowerSpec { idle: power.idle, busy: power.busy });
    }
    spec
}
