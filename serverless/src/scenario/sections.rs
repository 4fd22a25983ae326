//! The parts of a scenario file, as they stand in it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::{
    ControlPlaneSection, InstancesSection, NodePoolSection, PodsSection, PowerSection, ProcessorSharingName,
    ProcessorsSection, StepSection,
};
use crate::policy::{ParameterMap, PolicySlot};
use crate::quantity::{Bytes, BytesPerSecond, Flops, Seconds};
use crate::workload::TraceSection;
use crate::workload::generate::GeneratorSpec;

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

/// How transfers that meet at a full disk or link share it, in the fluid network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageSharing {
    /// As WRENCH does: by the weights of LV08, with which reads and writes within a node get next to nothing of a disk
    /// beside a copy over a link (the timing model, section 2).
    #[default]
    Reference,
    /// In equal parts.
    Fair,
}

/// Hosts, links and routes, or a platform file of SimGrid's.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the platform: an object")]
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
#[serde(deny_unknown_fields, expecting = "a host: an object")]
pub struct HostSection {
    /// Its name; with `count`, the hosts are name-0, name-1, …
    pub name: String,
    /// How many hosts of this kind there are.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: Option<u32>,
    /// Cores.
    #[schemars(range(min = 1))]
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
    /// The electric power it takes.
    pub power: Option<PowerSection>,
}

/// A disk.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a disk: an object")]
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
#[serde(deny_unknown_fields, expecting = "a link: an object")]
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
#[serde(deny_unknown_fields, expecting = "a route: an object")]
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
#[serde(deny_unknown_fields, expecting = "a star: an object")]
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

/// Who may start before somebody that waits longer and cannot start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillingName {
    /// Everybody.
    #[default]
    Unlimited,
    /// Nobody: strictly first come, first served.
    None,
    /// Who does not delay the first in the queue, by what time limits say: EASY backfilling.
    Easy,
}

fn yes() -> bool {
    true
}

/// The serverless compute service.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the service: an object")]
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
    /// Who may start before somebody that waits longer and cannot start.
    #[serde(default)]
    pub backfilling: BackfillingName,
    /// Functions are served by instances that say nothing else; without it, those that say so themselves.
    pub instances: Option<InstancesSection>,
    /// Nodes that come and go; without it, all are always there.
    #[serde(default)]
    pub node_pools: Vec<NodePoolSection>,
    /// What starts instances; without it, that takes no time beside the starts themselves.
    pub control_plane: Option<ControlPlaneSection>,
    /// Pools of generic containers that instances take, in the order in which they are looked into; without them, each is started anew.
    #[serde(default)]
    pub pods: Vec<PodsSection>,
    /// What invocations have of the processors of their node.
    #[serde(default)]
    pub processors: ProcessorSharingName,
}

/// A container image.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an image: an object")]
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
#[serde(deny_unknown_fields, expecting = "a file: an object")]
pub struct FileSection {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: Bytes,
}

/// A function.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a function: an object")]
pub struct FunctionSection {
    /// Its name.
    pub name: String,
    /// The application that it is of, whose instances serve it; these have the image, RAM, disk and processors that the application says.
    pub application: Option<String>,
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
    /// From request to end, as users expect it: it stops nothing, but what is later does not count as good.
    pub deadline: Option<Seconds>,
    /// It is served by instances, each of which takes several requests at once; without it, as the service says.
    pub instances: Option<InstancesSection>,
    /// What its containers have of the processors of their nodes; goes with `"processors": "shared"` in the service.
    pub processors: Option<ProcessorsSection>,
    /// What it does, step by step.
    #[serde(default)]
    pub body: Vec<StepSection>,
}

/// What is invoked, and when: one of these.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the workload: an object")]
#[schemars(extend("oneOf" = [{"required": ["invocations"]}, {"required": ["trace"]}, {"required": ["generate"]}]))]
pub struct WorkloadSection {
    /// The invocations one by one, numbered from 0.
    #[serde(default)]
    pub invocations: Vec<InvocationSection>,
    /// A trace, read as a stream.
    pub trace: Option<TraceSection>,
    /// Drawn at random.
    pub generate: Option<GeneratorSpec>,
    /// Run times of the trace, or of what is drawn, are work of processors; without it, time that passes.
    pub compute: Option<ComputeSection>,
}

/// How much of run times is work of processors, and on which machine it takes that long.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "work of processors: an object, as in {\"share\": 0.6}")]
pub struct ComputeSection {
    /// The share of each run time that computes; the rest is time that passes, after it.
    #[serde(default = "all")]
    #[schemars(range(min = 0, max = 1))]
    pub share: f64,
    /// Speed of a core of the machine on which run times were measured; without it, that of the slowest node.
    pub speed: Option<Flops>,
}

fn all() -> f64 {
    1.0
}

/// One invocation; it has a date, or predecessors, or both.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an invocation: an object")]
#[schemars(extend("anyOf" = [{"required": ["at"]}, {"required": ["after"]}], "oneOf" = [{"required": ["function"]}, {"required": ["workflow"]}]))]
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
    pub function: Option<String>,
    /// Instead of a function: a workflow, of which this is a run.
    pub workflow: Option<String>,
    /// A body of its own instead of the function's.
    pub body: Option<Vec<StepSection>>,
}

/// Reads parameters, of which a map of JSON values would keep the last of two alike.
fn distinct_parameters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ParameterMap, D::Error> {
    struct ParametersVisitor;

    impl<'de> Visitor<'de> for ParametersVisitor {
        type Value = ParameterMap;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the parameters: an object, as in {\"timeout\": \"60s\"}")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParameterMap, A::Error> {
            let mut parameters = ParameterMap::new();
            while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                if parameters.contains_key(&name) {
                    return Err(de::Error::custom(format!("parameter {name:?} is given twice: keep one")));
                }
                parameters.insert(name, value);
            }
            Ok(parameters)
        }
    }

    deserializer.deserialize_map(ParametersVisitor)
}

/// A policy and its parameters.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a policy: an object, as in {\"use\": \"lru\"}")]
pub struct PolicySection {
    /// Its name; without it, the default of its place, or the only one of its kind in the library.
    #[serde(rename = "use")]
    pub name: Option<String>,
    /// The library it is in, relative to the scenario file; without it, the built-in policies and then those in plugin
    /// folders are searched.
    pub library: Option<PathBuf>,
    /// Its parameters, as `hearth policies` lists them: numbers, quantities with a unit, words, text, true or false, and lists of texts, numbers
    /// or times.
    #[serde(default, deserialize_with = "distinct_parameters")]
    pub parameters: ParameterMap,
}

/// The policies; each may be left out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the policies: an object")]
pub struct PoliciesSection {
    /// A policy of several kinds with one state, which serves wherever no other is named.
    pub controller: Option<PolicySection>,
    /// Who is let in; default `always`.
    pub admission: Option<PolicySection>,
    /// Where invocations run; default `fcfs`.
    pub node_allocation: Option<PolicySection>,
    /// How long idle containers stay; default `fixed`.
    pub keep_alive: Option<PolicySection>,
    /// What goes when room is needed; default `lru` everywhere.
    #[serde(default)]
    pub eviction: EvictionSection,
    /// How many instances functions have; default `none`: as many as the bounds of each demand.
    pub autoscaling: Option<PolicySection>,
    /// Which nodes of pools come and go; default `none`: none.
    pub cluster_autoscaling: Option<PolicySection>,
}

impl PoliciesSection {
    /// Those that are named, with their slots; a controller has none of its own.
    pub fn named(&self) -> impl Iterator<Item = (Option<PolicySlot>, &PolicySection)> {
        let Self { controller, admission, node_allocation, keep_alive, eviction, autoscaling, cluster_autoscaling } =
            self;
        let sections = [
            (None, controller),
            (Some(PolicySlot::Admission), admission),
            (Some(PolicySlot::NodeAllocation), node_allocation),
            (Some(PolicySlot::KeepAlive), keep_alive),
            (Some(PolicySlot::Containers), &eviction.containers),
            (Some(PolicySlot::ImagesInRam), &eviction.images_in_ram),
            (Some(PolicySlot::ImagesOnDisk), &eviction.images_on_disk),
            (Some(PolicySlot::ImagesOnHead), &eviction.images_on_head),
            (Some(PolicySlot::Autoscaling), autoscaling),
            (Some(PolicySlot::ClusterAutoscaling), cluster_autoscaling),
        ];
        sections.into_iter().filter_map(|(slot, section)| Some((slot, section.as_ref()?)))
    }
}

/// The eviction policies; each may be left out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the eviction policies: an object")]
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
