//! The parts of a scenario file, as they stand in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::quantity::{Bytes, BytesPerSecond, Flops, Seconds};
use crate::policy::ParameterMap;

/// How transfers are timed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkModelName {
    /// Transfers share links and disks fairly (the timing model, section 2).
    #[default]
    Fluid,
    /// Latency plus size over bandwidth; nothing is shared.
    Ideal,
}

/// Hosts, links and routes, or a platform file of SimGrid's.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformSection {
    /// Machines.
    #[serde(default)]
    pub hosts: Vec<HostSection>,
    /// Network links.
    #[serde(default)]
    pub links: Vec<LinkSection>,
    /// Which links lie between which hosts, in both directions.
    #[serde(default)]
    pub routes: Vec<RouteSection>,
    /// Sets of hosts each of which has a link of its own to a common centre.
    #[serde(default)]
    pub stars: Vec<StarSection>,
    /// A platform file in SimGrid's XML format, instead of all of these. Relative to the scenario file.
    pub simgrid_xml: Option<String>,
}

/// A host, or a group of hosts alike.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSection {
    /// Its name; with `count`, the hosts are name-0, name-1, …
    pub name: String,
    /// How many hosts of this kind there are.
    pub count: Option<u32>,
    /// Cores.
    pub cores: u32,
    /// Speed of a core.
    pub speed: Flops,
    /// RAM.
    #[serde(default)]
    pub ram: Bytes,
    /// Its disk.
    pub disk: Option<DiskSection>,
    /// The star it is in.
    pub star: Option<String>,
}

/// A disk.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskSection {
    /// What it holds.
    pub capacity: Bytes,
    /// How fast it reads.
    pub read_bandwidth: BytesPerSecond,
    /// How fast it writes.
    pub write_bandwidth: BytesPerSecond,
}

/// A link.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSection {
    /// Its name.
    pub name: String,
    /// Its bandwidth.
    pub bandwidth: BytesPerSecond,
    /// Its latency.
    pub latency: Seconds,
}

/// A route, in both directions.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteSection {
    /// A host, `name-*` for all hosts whose names begin so, or a star.
    pub from: String,
    /// The other end.
    pub to: String,
    /// The links between them, in order.
    pub links: Vec<String>,
}

/// A star.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StarSection {
    /// Its name.
    pub name: String,
    /// Bandwidth of each host's link to the centre.
    pub bandwidth: BytesPerSecond,
    /// Latency of each host's link to the centre.
    pub latency: Seconds,
    /// A link that everything which passes the centre crosses.
    pub backbone: Option<String>,
}

/// Which idle container of a function a warm start takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContainerReuse {
    /// The one that became idle last.
    #[default]
    MostRecent,
    /// The one that has been idle longest.
    LeastRecent,
}

fn yes() -> bool {
    true
}

/// The serverless compute service.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSection {
    /// The host that takes requests in and stores images.
    pub head: String,
    /// The host whose disk holds the remote images and files.
    pub registry: String,
    /// The compute nodes: hosts, or `name-*` for all hosts whose names begin so.
    pub nodes: Vec<String>,
    /// Time that a new container takes to start.
    #[serde(default)]
    pub container_startup_overhead: Seconds,
    /// Time that the head takes for each request.
    #[serde(default)]
    pub invocation_processing_overhead: Seconds,
    /// Whether images come from the registry, or are on the head from the start.
    #[serde(default = "yes")]
    pub simulate_image_downloads: bool,
    /// Which idle container of a function a warm start takes.
    #[serde(default)]
    pub container_reuse: ContainerReuse,
}

/// A container image.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageSection {
    /// Its name.
    pub name: String,
    /// Bytes on disk.
    pub size: Bytes,
    /// Bytes in RAM; without it, its size.
    pub ram_footprint: Option<Bytes>,
}

/// A file in the registry.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSection {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: Bytes,
}

/// A function.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionSection {
    /// Its name.
    pub name: String,
    /// Its image; without it, it needs none.
    pub image: Option<String>,
    /// Longest execution; 0 or nothing is no limit.
    #[serde(default)]
    pub time_limit: Seconds,
    /// Disk that each container reserves.
    #[serde(default)]
    pub disk_limit: Bytes,
    /// RAM that each container reserves.
    #[serde(default)]
    pub ram_limit: Bytes,
    /// Most bytes that an invocation may bring in from the registry; nothing is no limit.
    pub ingress_limit: Option<Bytes>,
    /// Most bytes that an invocation may send to the registry; nothing is no limit.
    pub egress_limit: Option<Bytes>,
    /// Time that a new container takes to start; without it, the service's.
    pub container_startup_overhead: Option<Seconds>,
    /// What it does, step by step.
    #[serde(default)]
    pub body: Vec<StepSection>,
}

/// A step that names a file and its size.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizedFile {
    /// The file's name.
    pub file: String,
    /// Its size.
    pub size: Bytes,
}

/// A step that names a file.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedFile {
    /// The file's name.
    pub file: String,
}

/// A step of a body.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepSection {
    /// Waits.
    Sleep(Seconds),
    /// Computes.
    Compute(Flops),
    /// Writes a file into the private storage; takes disk time.
    Write(SizedFile),
    /// Makes a file in the private storage in no time.
    Create(SizedFile),
    /// Reads a file of the private storage.
    Read(NamedFile),
    /// Copies a file from the registry into the private storage.
    Ingress(NamedFile),
    /// Reads a file of the registry without storing it.
    ReadRemote(NamedFile),
    /// Copies a file from the private storage to the registry.
    Egress(NamedFile),
    /// Fails with a message.
    Fail(String),
}

/// What is invoked, and when.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSection {
    /// The invocations, numbered from 0.
    pub invocations: Vec<InvocationSection>,
}

/// One invocation; it has a date, or predecessors, or both.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvocationSection {
    /// Its date; with `after`, not before this date.
    pub at: Option<Seconds>,
    /// Numbers of the invocations that must have ended before.
    #[serde(default)]
    pub after: Vec<usize>,
    /// How long after the last of those.
    #[serde(default)]
    pub delay: Seconds,
    /// The function.
    pub function: String,
    /// A body of its own instead of the function's.
    pub body: Option<Vec<StepSection>>,
}

/// A policy and its parameters.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySection {
    /// Its name; without it, the default of its place.
    #[serde(rename = "use")]
    pub name: Option<String>,
    /// Its parameters.
    #[serde(default)]
    pub parameters: ParameterMap,
}

/// The policies; each may be left out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoliciesSection {
    /// Who is let in; default `always`.
    pub admission: Option<PolicySection>,
    /// Where invocations run; default `fcfs`.
    pub node_allocation: Option<PolicySection>,
    /// How long idle containers stay; default `fixed`.
    pub keep_alive: Option<PolicySection>,
    /// What goes when room is needed; default `lru` everywhere.
    #[serde(default)]
    pub eviction: EvictionSection,
}

/// The eviction policies; each may be left out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvictionSection {
    /// Of idle containers on a node.
    pub containers: Option<PolicySection>,
    /// Of images in the RAM of a node.
    pub images_in_ram: Option<PolicySection>,
    /// Of images on the disk of a node.
    pub images_on_disk: Option<PolicySection>,
    /// Of images on the head.
    pub images_on_head: Option<PolicySection>,
}

/// Positions by name.
pub(super) type Positions<'a> = BTreeMap<&'a str, usize>;
