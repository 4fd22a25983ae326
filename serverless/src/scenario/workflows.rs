//! Workflows as they stand in a scenario.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::sections::Positions;
use super::validate::{check_body, known, positions};
use super::{ScenarioError, StepSection};
use crate::distribution::Distribution;
use crate::function::FunctionId;
use crate::quantity::{Bytes, Seconds};
use crate::workflow::{Condition, Dependency, Task, Work, Workflow};

/// A workflow: its tasks, or a file that has them.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a workflow: an object")]
#[schemars(extend("oneOf" = [{"required": ["tasks"]}, {"required": ["wfcommons"]}]))]
pub struct WorkflowSection {
    /// Its name; functions and workflows have different names.
    pub name: String,
    /// How long a run may take; nothing is stopped that takes longer.
    pub deadline: Option<Seconds>,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<TaskSection>,
    /// A workflow of WfCommons (WfFormat 1.5), relative to the scenario file. A task invokes the function of its name, of
    /// its program, or of its name without the number at the end, whichever there is first.
    pub wfcommons: Option<PathBuf>,
    /// With `wfcommons`: the function that other tasks invoke.
    pub function: Option<String>,
}

/// A task of a workflow.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a task: an object")]
pub struct TaskSection {
    /// Its name.
    pub name: String,
    /// What it invokes.
    pub function: String,
    /// The tasks that must have ended before.
    #[serde(default)]
    pub after: Vec<AfterSection>,
    /// How many instances there are, beside one another; without it, one.
    #[schemars(range(min = 1))]
    pub map: Option<u32>,
    /// The chance that it is done in a run; without it, it always is.
    #[schemars(range(min = 0, max = 1))]
    pub probability: Option<f64>,
    /// Of the tasks of one choice at most one is done in a run.
    pub choice: Option<String>,
    /// Bytes that each instance takes from the disk of the registry before its body begins.
    #[serde(default)]
    pub input: Bytes,
    /// Bytes that each instance hands to each instance of the tasks after it.
    #[serde(default)]
    pub output: Bytes,
    /// A body of its own instead of the function's.
    pub body: Option<Vec<StepSection>>,
    /// Instead of a body: how long each instance runs, in seconds, drawn when the run is requested.
    pub run_time: Option<Distribution>,
}

/// A task that another one follows: its name, or an object that says how much data it hands on.
#[derive(Clone, PartialEq, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum AfterSection {
    /// Its name; it hands on its `output`.
    Name(String),
    /// With the data of this edge.
    Data(TaskData),
}

/// A task, and the data that it hands to one of those that follow.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a task that is followed: an object")]
pub struct TaskData {
    /// Its name.
    pub task: String,
    /// Bytes that each of its instances hands to each instance that follows.
    pub data: Bytes,
}

impl AfterSection {
    fn task(&self) -> &str {
        match self {
            Self::Name(task) | Self::Data(TaskData { task, .. }) => task,
        }
    }
}

// By hand, because the derived reader of two shapes does not say what is wrong with either.
impl<'de> Deserialize<'de> for AfterSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AfterVisitor;

        impl<'de> Visitor<'de> for AfterVisitor {
            type Value = AfterSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a task, or an object with \"task\" and \"data\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AfterSection, E> {
                Ok(AfterSection::Name(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AfterSection, A::Error> {
                TaskData::deserialize(MapAccessDeserializer::new(map)).map(AfterSection::Data)
            }
        }

        deserializer.deserialize_any(AfterVisitor)
    }
}

impl WorkflowSection {
    /// Checks names, numbers and the order of tasks; `place` is where it stands.
    pub(super) fn check(
        &self,
        place: &str,
        functions: &Positions<'_>,
        files: &Positions<'_>,
    ) -> Result<(), ScenarioError> {
        let wrong = |field: &str, problem: &str| ScenarioError::invalid(format!("{place}{field}"), problem);
        if self.tasks.is_empty() == self.wfcommons.is_none() {
            return Err(wrong("", "expected one of \"tasks\" and \"wfcommons\""));
        }
        if let Some(function) = &self.function {
            if self.wfcommons.is_none() {
                return Err(wrong(".function", "goes with \"wfcommons\": each of the tasks names its own"));
            }
            known(functions, function, "function", || format!("{place}.function"))?;
        }
        let tasks = positions(&format!("{place}.tasks"), self.tasks.iter().map(|task| task.name.as_str()))?;
        for (position, task) in self.tasks.iter().enumerate() {
            let at = |field: &str| format!("{place}.tasks[{position}]{field}");
            known(functions, &task.function, "function", || at(".function"))?;
            for (number, after) in task.after.iter().enumerate() {
                known(&tasks, after.task(), "task", || at(&format!(".after[{number}]")))?;
            }
            if let Some(body) = &task.body {
                if task.run_time.is_some() {
                    return Err(wrong(&format!(".tasks[{position}]"), "has both \"body\" and \"run_time\": keep one"));
                }
                check_body(body, files, || at(".body"))?;
            }
            if task.choice.is_some() && task.probability.is_none() {
                return Err(wrong(&format!(".tasks[{position}].choice"), "needs a \"probability\" beside it"));
            }
        }
        if self.wfcommons.is_some() {
            return Ok(());
        }
        self.shape(&tasks).check().map_err(|problem| {
            let task = problem.task.map_or(String::new(), |task| format!(".tasks[{task}]"));
            ScenarioError::invalid(format!("{place}{task}.{}", problem.field), problem.problem)
        })
    }

    /// The workflow, but for functions and bodies.
    fn shape(&self, positions: &Positions<'_>) -> Workflow {
        let dependency = |after: &AfterSection| {
            let task = *positions.get(after.task())?;
            let bytes = match after {
                AfterSection::Name(_) => self.tasks[task].output,
                AfterSection::Data(data) => data.data,
            };
            Some(Dependency { task, bytes: bytes.whole() })
        };
        let task = |task: &TaskSection| Task {
            name: task.name.clone(),
            function: FunctionId(0),
            work: task.run_time.clone().map_or(Work::OfFunction, Work::Drawn),
            // Names were checked when the scenario was read.
            after: task.after.iter().filter_map(dependency).collect(),
            map: task.map.unwrap_or(1),
            input: task.input.whole(),
            condition: match (task.probability, &task.choice) {
                (None, _) => Condition::Always,
                (Some(chance), None) => Condition::Chance(chance),
                (Some(probability), Some(choice)) => Condition::OneOf { choice: choice.clone(), probability },
            },
        };
        Workflow {
            name: self.name.clone(),
            tasks: self.tasks.iter().map(task).collect(),
            deadline: self.deadline.map(|deadline| deadline.duration()),
        }
    }

    /// The workflow whose tasks stand here.
    pub(crate) fn workflow(&self, fill: impl Fn(&TaskSection, &mut Task)) -> Workflow {
        let names = self.tasks.iter().map(|task| task.name.as_str()).zip(0..);
        let mut workflow = self.shape(&names.collect());
        workflow.tasks.iter_mut().zip(&self.tasks).for_each(|(task, section)| fill(section, task));
        workflow
    }
}
