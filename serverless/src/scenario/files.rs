//! The files that a scenario reads beside its own, and where they are.

use std::path::PathBuf;

use serde_json::Value;

use super::{Scenario, ScenarioError};
use crate::policy::PolicySlot;

impl Scenario {
    /// The files beside the scenario's own that it reads: traces and their functions, workflows of WfCommons, platforms
    /// of SimGrid. Libraries of policies are not among them; [`About`](crate::experiment::About) names those.
    ///
    /// # Errors
    /// When a folder of them cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, ScenarioError> {
        let trace = self.workload.trace.as_ref();
        let files = trace.map_or(Ok(Vec::new()), |trace| trace.files(&self.base));
        let mut files = files.map_err(|error| ScenarioError::refused("workload.trace", crate::Error::Trace(error)))?;
        let measured = self.workflows.iter().filter_map(|workflow| workflow.wfcommons.as_ref());
        files.extend(measured.map(|file| self.base.join(file)));
        files.extend(self.platform.simgrid_xml.iter().map(|file| self.base.join(file)));
        Ok(files)
    }
}

/// Changes every path in the JSON of a scenario: of the traces, workflows, platform and libraries that it names.
pub fn change_paths(scenario: &mut Value, mut change: impl FnMut(&mut String)) {
    let workflows = scenario.get("workflows").and_then(Value::as_array).map_or(0, Vec::len);
    let of_workflows = (0..workflows).map(|number| format!("/workflows/{number}/wfcommons"));
    let of_policies =
        PolicySlot::ALL.into_iter().map(|slot| format!("/policies/{}/library", slot.path().replace('.', "/")));
    let others = [
        "/workload/trace/path",
        "/workload/trace/functions_path",
        "/platform/simgrid_xml",
        "/policies/controller/library",
    ];
    for pointer in others.into_iter().map(str::to_owned).chain(of_workflows).chain(of_policies) {
        if let Some(Value::String(path)) = scenario.pointer_mut(&pointer) {
            change(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scenario::schema;

    /// How often the schema says of a value that it is a path.
    fn paths_in(schema: &Value) -> usize {
        match schema {
            Value::Object(fields) => {
                let is_path = fields
                    .get("description")
                    .and_then(Value::as_str)
                    .is_some_and(|description| description.to_lowercase().contains("relative to the scenario file"));
                usize::from(is_path) + fields.values().map(paths_in).sum::<usize>()
            }
            Value::Array(elements) => elements.iter().map(paths_in).sum(),
            _ => 0,
        }
    }

    #[test]
    fn every_path_of_a_scenario_is_found() {
        let mut scenario = json!({
            "platform": {"simgrid_xml": "a"},
            "workload": {"trace": {"path": "b", "functions_path": "c", "format": "csv"}},
            "workflows": [{"name": "w"}, {"name": "m", "wfcommons": "d"}],
            "policies": {"admission": {"use": "x"}, "keep_alive": {"library": "e"}, "eviction": {"containers": {"library": "f"}},
                         "controller": {"library": "g"}},
        });
        let mut found = Vec::new();
        change_paths(&mut scenario, |path| {
            found.push(path.clone());
            *path = format!("/{path}");
        });
        found.sort();
        assert_eq!(found, ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(scenario["policies"]["eviction"]["containers"]["library"], "/f");
        assert_eq!(scenario["workflows"][1]["wfcommons"], "/d");
        change_paths(&mut json!({"workload": []}), |path| panic!("{path}"));
        // Whoever adds a path to scenarios says so in its description, and then here.
        assert_eq!(paths_in(&schema()), 5, "simgrid_xml, path, functions_path, wfcommons, library");
    }
}
