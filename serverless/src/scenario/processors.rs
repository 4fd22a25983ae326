//! What containers have of the processors of their nodes, as a scenario says it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ScenarioError;
use crate::function::{Processors, StartupWork};
use crate::quantity::{Bytes, Flops};

/// What invocations have of the processors of their node.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorSharingName {
    /// A core each, from dispatch to end: who has none waits.
    #[default]
    Dedicated,
    /// What their container gets of all cores while they compute; nobody needs a core to start.
    Shared,
    /// The same, and containers of functions that say nothing else have a core for so much RAM.
    PerMemory(Bytes),
}

impl ProcessorSharingName {
    /// What the containers of a function have that says nothing itself.
    pub(crate) fn of_functions(self) -> Option<ProcessorsSection> {
        match self {
            Self::Dedicated | Self::Shared => None,
            Self::PerMemory(per_core) => {
                Some(ProcessorsSection { per_memory: Some(per_core), ..ProcessorsSection::default() })
            }
        }
    }
}

/// Far beyond any machine, and safe to multiply.
const MAX: f64 = 1e6;

/// What each container of a function has of the processors of its node, where the service's are shared.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "processors of containers: an object, as in {\"limit\": 0.5}")]
pub struct ProcessorsSection {
    /// Cores that a container may use at once; without it, as many as a body has threads, or the request if that is more.
    #[schemars(range(min = 0.000001, max = 1e6))]
    pub limit: Option<f64>,
    /// Cores that are kept for each container on its node; without it, none.
    #[schemars(range(min = 0, max = 1e6))]
    pub request: Option<f64>,
    /// Where processors are short, containers get them in proportion to their weights; without it, the request, or with
    /// `per_memory` the limit, or else 1.
    #[schemars(range(min = 0.000001, max = 1e6))]
    pub weight: Option<f64>,
    /// Cores that a step or call `compute` can use at once; without it, 1.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub threads: Option<u32>,
    /// Instead of a limit: a core for so much RAM.
    pub per_memory: Option<Bytes>,
    /// What a new container computes after its startup overhead, before it is up.
    pub startup: Option<StartupSection>,
}

/// What a new container computes before it is up.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "work at the start: an object, as in {\"work\": \"2Gf\", \"limit\": 2}")]
pub struct StartupSection {
    /// How much.
    pub work: Flops,
    /// Cores that the container may use at once meanwhile; without it, its limit.
    #[schemars(range(min = 0.000001, max = 1e6))]
    pub limit: Option<f64>,
}

impl ProcessorsSection {
    /// Checks what a function says whose containers reserve so much RAM, in a service whose processors are shared or not.
    pub(super) fn check(&self, place: &str, ram: Bytes, sharing: ProcessorSharingName) -> Result<(), ScenarioError> {
        let wrong = |field: &str, problem: String| Err(ScenarioError::invalid(format!("{place}{field}"), problem));
        if sharing == ProcessorSharingName::Dedicated {
            let problem = "the processors of the service are dedicated, a core for each invocation: set service.processors to \
                           \"shared\", or take this out";
            return wrong("", problem.to_owned());
        }
        let numbers = [
            (".limit", self.limit, MAX.recip()),
            (".request", self.request, 0.0),
            (".weight", self.weight, MAX.recip()),
            (".threads", self.threads.map(f64::from), 1.0),
            (".startup.limit", self.startup.and_then(|startup| startup.limit), MAX.recip()),
        ];
        for (field, number, least) in numbers {
            if let Some(number) = number.filter(|number| !(least..=MAX).contains(number)) {
                return wrong(field, format!("found {number}, expected a number from {least} to {MAX:e}"));
            }
        }
        if let Some(per_core) = self.per_memory {
            if self.limit.is_some() {
                return wrong(".limit", "is given beside \"per_memory\", which is a limit: keep one".to_owned());
            }
            let limit = ram.0 / per_core.0;
            if !(MAX.recip()..=MAX).contains(&limit) {
                let problem = format!(
                    "a core for {} B gives containers of {} B of RAM no number of cores from {} to {MAX:e}: give it \
                     another size, or the function another ram_limit",
                    per_core.0,
                    ram.0,
                    MAX.recip()
                );
                return wrong(".per_memory", problem);
            }
        }
        let Processors { limit, request, .. } = self.processors(ram);
        if request > limit {
            return wrong(".request", format!("found {request}, expected at most the limit, {limit}"));
        }
        Ok(())
    }

    /// What it says, of containers that reserve so much RAM.
    pub(crate) fn processors(&self, ram: Bytes) -> Processors {
        let threads = f64::from(self.threads.unwrap_or(1));
        let request = self.request.unwrap_or(0.0);
        let of_memory = self.per_memory.map(|per_core| ram.0 / per_core.0);
        let limit = of_memory.or(self.limit).unwrap_or_else(|| threads.max(request));
        let weight = self.weight.or(self.request.filter(|request| *request > 0.0)).or(of_memory).unwrap_or(1.0);
        let startup =
            self.startup.map(|startup| StartupWork { flops: startup.work.0, limit: startup.limit.unwrap_or(limit) });
        Processors { limit, request, weight, threads, startup }
    }
}
