//! What nodes come and go together.

use crate::distribution::Distribution;

/// Nodes that come and go.
///
/// ```
/// use hearth_serverless::NodePool;
/// use hearth_serverless::distribution::Distribution;
/// let pool = NodePool { min: 1, boot: Some(Distribution::Constant(60.0)), ..NodePool::of("workers", ["worker-*"]) };
/// assert_eq!((pool.initial, pool.max), (0, u32::MAX));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct NodePool {
    /// Its name, for messages.
    pub name: String,
    /// Its nodes: hosts, or `name-*` for all hosts whose names begin so.
    pub nodes: Vec<String>,
    /// How many are on at the least.
    pub min: u32,
    /// How many are on at the most; more than there are is all.
    pub max: u32,
    /// How many are on at the begin, within these bounds: those with the lowest numbers.
    pub initial: u32,
    /// How many seconds it takes from the wish for a node until it is up; without it, none.
    pub boot: Option<Distribution>,
    /// Whether the images on the disk of a node are there again when it is on again.
    pub keeps_disk: bool,
    /// What a node costs by the hour while it is on.
    pub price_per_hour: f64,
}

impl NodePool {
    /// A pool of these nodes, of which none need be on, which boot in no time and cost nothing.
    pub fn of<N: Into<String>>(name: impl Into<String>, nodes: impl IntoIterator<Item = N>) -> Self {
        Self {
            name: name.into(),
            nodes: nodes.into_iter().map(Into::into).collect(),
            min: 0,
            max: u32::MAX,
            initial: 0,
            boot: None,
            keeps_disk: false,
            price_per_hour: 0.0,
        }
    }
}
