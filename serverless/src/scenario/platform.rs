//! From the platform section to a platform.

use hearth_simcore::platform::{DiskSpec, HostSpec, Platform, PlatformBuilder, StarSpec};

use super::{HostSection, Scenario, ScenarioError, read_text};

/// More hosts than this are a slip of the pen, and would not fit the memory of the machine.
const MAX_COUNT: u32 = 1_000_000;

impl Scenario {
    /// Builds the platform that the scenario describes.
    ///
    /// # Errors
    /// When it makes no sense, or its file cannot be read.
    pub fn build_platform(&self) -> Result<Platform, ScenarioError> {
        let section = &self.platform;
        if let Some(file) = &section.simgrid_xml {
            if !(section.hosts.is_empty() && section.links.is_empty() && section.routes.is_empty()) {
                let problem = "stands beside hosts, links or routes: give either the file or these";
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
        let mut builder = PlatformBuilder::new();
        for (position, host) in section.hosts.iter().enumerate() {
            builder = match host.count {
                None => builder.host(&host.name, host_spec(host)),
                Some(count) if count == 0 || count > MAX_COUNT => {
                    let place = format!("platform.hosts[{position}].count");
                    let problem = format!("found {count}, expected from 1 to {MAX_COUNT} hosts");
                    return Err(ScenarioError::invalid(place, problem));
                }
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

fn host_spec(host: &HostSection) -> HostSpec {
    let mut spec = HostSpec::new(host.cores, host.speed.0).ram(host.ram.whole());
    if let Some(disk) = &host.disk {
        spec = spec.disk(DiskSpec::new(disk.capacity.whole(), disk.read_bandwidth.0, disk.write_bandwidth.0));
    }
    if let Some(star) = &host.star {
        spec = spec.in_star(star);
    }
    spec
}
