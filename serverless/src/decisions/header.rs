//! What a log of decisions is of: its first line.

use std::collections::BTreeMap;

use hearth_policy_api::PolicySlot;
use hearth_policy_api::boundary::interface_version;
use serde::{Deserialize, Serialize};

use super::Views;

/// The format of the log.
pub const FORMAT: &str = "hearth-decisions/1";

/// The policy in a slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoggedPolicy {
    /// The slot.
    #[serde(with = "super::slot")]
    pub slot: PolicySlot,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is there as part of a controller: one instance for all such slots.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controller: bool,
    /// SHA-256 of its library; none for one that is built in.
    pub library_sha256: Option<String>,
    /// Every parameter, given or default, as results have them.
    pub parameters: BTreeMap<String, String>,
}

/// The first line of a log of decisions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecisionsHeader {
    /// The version of the format, [`FORMAT`].
    pub format: String,
    /// Hearth's version.
    pub hearth: String,
    /// The version of the interface of policies.
    pub interface: String,
    /// What the scenario is called.
    pub scenario: String,
    /// The seed of the simulation.
    pub seed: u64,
    /// What is written of what calls show.
    pub views: Views,
    /// The policies, by slot.
    pub policies: Vec<LoggedPolicy>,
    /// The names of functions, by number.
    pub functions: Vec<String>,
    /// The names of nodes, by number.
    pub nodes: Vec<String>,
}

impl DecisionsHeader {
    /// Of a log of this version of Hearth.
    pub(crate) fn new(views: Views, scenario: String, seed: u64) -> Self {
        let (major, minor) = interface_version();
        Self {
            format: FORMAT.to_owned(),
            hearth: env!("CARGO_PKG_VERSION").to_owned(),
            interface: format!("{major}.{minor}"),
            scenario,
            seed,
            views,
            policies: Vec::new(),
            functions: Vec::new(),
            nodes: Vec::new(),
        }
    }
}
