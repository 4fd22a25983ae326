//! Pools of nodes that come and go, as scenarios write them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ScenarioError;
use super::costs::check_amount;
use super::faults::Kept;
use crate::distribution::Distribution;
use crate::node::NodePool;

/// Nodes that come and go, of which a policy says how many there are (`policies.cluster_autoscaling`).
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a pool of nodes: an object")]
pub struct NodePoolSection {
    /// Its name.
    pub name: String,
    /// Nodes of the service: hosts, or `name-*` for all hosts whose names begin so.
    pub nodes: Vec<String>,
    /// How many are on at the least.
    #[serde(default)]
    pub min: u32,
    /// How many are on at the most; without it, all.
    #[schemars(range(min = 1))]
    pub max: Option<u32>,
    /// How many are on at the begin; without it, as many as there are at the least.
    pub initial: Option<u32>,
    /// How many seconds it takes from the wish for a node until it is up; without it, none.
    pub boot: Option<Distribution>,
    /// What becomes of the images on the disk of a node that is switched off.
    #[serde(default = "lost")]
    pub disk_content: Kept,
    /// What a node costs by the hour while it is on, from the begin of its boot.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1e9))]
    pub price_per_hour: f64,
}

fn lost() -> Kept {
    Kept::Lost
}

impl NodePoolSection {
    /// Checks the numbers; `place` is where they stand.
    pub(super) fn check(&self, place: &str) -> Result<(), ScenarioError> {
        let wrong = |field: &str, problem: &str| Err(ScenarioError::invalid(format!("{place}.{field}"), problem));
        if self.nodes.is_empty() {
            return wrong("nodes", "there are none: name at least one node of the service");
        }
        let most = self.max.unwrap_or(u32::MAX);
        if most == 0 {
            return wrong("max", "no nodes: expected at least 1, or nothing for all");
        }
        if self.min > most {
            return wrong("min", &format!("{} nodes are more than max, which is {most}", self.min));
        }
        if let Some(initial) = self.initial.filter(|initial| !(self.min..=most).contains(initial)) {
            let bounds = self.max.map_or(format!("at least {}", self.min), |max| format!("from {} to {max}", self.min));
            return wrong("initial", &format!("found {initial} nodes: expected {bounds}"));
        }
        if let Some(boot) = &self.boot {
            boot.check().or_else(|problem| wrong("boot", &problem))?;
        }
        check_amount(self.price_per_hour, || format!("{place}.price_per_hour"))
    }

    /// As the service takes it.
    pub(crate) fn node_pool(&self) -> NodePool {
        NodePool {
            name: self.name.clone(),
            nodes: self.nodes.clone(),
            min: self.min,
            max: self.max.unwrap_or(u32::MAX),
            initial: self.initial.unwrap_or(self.min),
            boot: self.boot.clone(),
            keeps_disk: self.disk_content == Kept::Kept,
            price_per_hour: self.price_per_hour,
        }
    }
}
