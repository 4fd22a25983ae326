//! Workflows that were measured, in the format of WfCommons (Coleman et al., "WfCommons: A framework for enabling
//! scientific workflow research and development", FGCS 128, 2022): WfFormat 1.5, <https://github.com/wfcommons/WfFormat>.

use hearth_simcore::time::SimDuration;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::{Condition, Dependency, Task, Work, Workflow};
use crate::function::{Body, FunctionId};

/// Versions of the format that are read; what 1.6 adds can be passed over.
const VERSIONS: [&str; 2] = ["1.5", "1.6"];
/// The longest run time: beyond this a date would not fit the clock.
const MAX_SECONDS: f64 = 9e9;
/// The largest file: far beyond any machine, and safe to add up.
const MAX_BYTES: f64 = 1e18;

/// Why a workflow of WfCommons cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct WfCommonsError {
    /// The path in the JSON.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A workflow of WfCommons: a task is one invocation that runs as long as was measured; a file goes from the task that
/// wrote it to each that reads it, and from the registry where no task wrote it. Cores, machines and memory of the
/// measurement do not count.
///
/// ```
/// use hearth_serverless::workflow::WfCommonsWorkflow;
/// let workflow = WfCommonsWorkflow::from_json(r#"{
///     "name": "two", "schemaVersion": "1.5",
///     "workflow": {
///         "specification": {
///             "tasks": [{"name": "split", "id": "split_1", "parents": [], "children": ["join_2"], "outputFiles": ["part"]},
///                       {"name": "join", "id": "join_2", "parents": ["split_1"], "children": [], "inputFiles": ["part"]}],
///             "files": [{"id": "part", "sizeInBytes": 5000}]},
///         "execution": {"makespanInSeconds": 3, "executedAt": "2026-01-01T00:00:00Z",
///             "tasks": [{"id": "split_1", "runtimeInSeconds": 1}, {"id": "join_2", "runtimeInSeconds": 2}]}}}"#)?;
/// assert_eq!((workflow.tasks[1].after[0].task, workflow.tasks[1].after[0].bytes), (0, 5000));
/// # Ok::<(), hearth_serverless::workflow::WfCommonsError>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct WfCommonsWorkflow {
    /// Its name.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<WfCommonsTask>,
}

/// A task of a [`WfCommonsWorkflow`].
#[derive(Clone, PartialEq, Debug)]
pub struct WfCommonsTask {
    /// Its name in the workflow.
    pub id: String,
    /// What it is called; several may be called the same.
    pub name: String,
    /// The program that was measured.
    pub program: Option<String>,
    /// How long it ran.
    pub run_time: SimDuration,
    /// Its parents, and the bytes that it reads of what they wrote.
    pub after: Vec<Dependency>,
    /// Bytes that it reads which no task wrote.
    pub input: u64,
}

impl WfCommonsTask {
    /// Names under which its kind may be known, the closest first: its name, its program, its name without the number at
    /// the end.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        let bare = self.name.trim_end_matches(|end: char| end.is_ascii_digit());
        let bare = bare.strip_suffix("_ID").or(bare.strip_suffix('_')).unwrap_or(bare);
        [Some(self.name.as_str()), self.program.as_deref(), Some(bare)].into_iter().flatten()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    name: String,
    schema_version: String,
    workflow: Content,
}

#[derive(Deserialize)]
struct Content {
    specification: Specification,
    execution: Option<Execution>,
}

#[derive(Deserialize)]
struct Specification {
    tasks: Vec<SpecifiedTask>,
    #[serde(default)]
    files: Vec<DataFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecifiedTask {
    name: String,
    id: String,
    parents: Vec<String>,
    #[serde(default)]
    input_files: Vec<String>,
    #[serde(default)]
    output_files: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFile {
    id: String,
    /// Whole, but some tools write it with decimals.
    size_in_bytes: f64,
}

#[derive(Deserialize)]
struct Execution {
    tasks: Vec<ExecutedTask>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutedTask {
    id: String,
    runtime_in_seconds: f64,
    command: Option<Command>,
}

#[derive(Deserialize)]
struct Command {
    program: Option<String>,
}

fn wrong(place: impl Into<String>, problem: impl Into<String>) -> WfCommonsError {
    WfCommonsError { place: place.into(), problem: problem.into() }
}

impl WfCommonsWorkflow {
    /// Reads a workflow.
    ///
    /// # Errors
    /// When it is not of the format, or something that it names is not there.
    pub fn from_json(text: &str) -> Result<Self, WfCommonsError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let read: Result<File, _> = serde_path_to_error::deserialize(&mut json);
        let file = read.map_err(|error| wrong(error.path().to_string(), error.into_inner().to_string()))?;
        if !VERSIONS.contains(&file.schema_version.as_str()) {
            let problem = format!("found {:?}, expected {}", file.schema_version, VERSIONS.join(" or "));
            return Err(wrong("schemaVersion", problem));
        }
        let Specification { tasks, files } = file.workflow.specification;
        let executed =
            file.workflow.execution.ok_or_else(|| wrong("workflow.execution", "is missing: it has run times"))?;
        let mut measured: FxHashMap<String, (usize, ExecutedTask)> = executed
            .tasks
            .into_iter()
            .enumerate()
            .map(|(position, task)| (task.id.clone(), (position, task)))
            .collect();
        let mut sizes: FxHashMap<&str, u64> = FxHashMap::default();
        for (position, file) in files.iter().enumerate() {
            let size = file.size_in_bytes;
            if !(0.0..=MAX_BYTES).contains(&size) {
                let place = format!("workflow.specification.files[{position}].sizeInBytes");
                return Err(wrong(place, format!("found {size}, expected a size from 0 to {MAX_BYTES:e} B")));
            }
            sizes.insert(&file.id, size.round() as u64);
        }
        let positions: FxHashMap<&str, usize> = tasks.iter().map(|task| task.id.as_str()).zip(0..).collect();
        if positions.len() < tasks.len() {
            return Err(wrong("workflow.specification.tasks", "have one id twice: ids must differ"));
        }
        let data = Data { tasks: &tasks, positions, sizes };
        let read = |(position, task): (usize, &SpecifiedTask)| {
            let (after, input) = data.of(position, task)?;
            let (number, measured) = measured.remove(&task.id).ok_or_else(|| {
                wrong("workflow.execution.tasks", format!("say nothing of task {:?}: its run time is missing", task.id))
            })?;
            let seconds = measured.runtime_in_seconds;
            if !(0.0..=MAX_SECONDS).contains(&seconds) {
                let place = format!("workflow.execution.tasks[{number}].runtimeInSeconds");
                return Err(wrong(place, format!("found {seconds}, expected a time from 0 to {MAX_SECONDS:e} s")));
            }
            let run_time = SimDuration::from_secs_f64(seconds);
            let program = measured.command.and_then(|command| command.program);
            Ok(WfCommonsTask { id: task.id.clone(), name: task.name.clone(), program, run_time, after, input })
        };
        let tasks = tasks.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { name: file.name, tasks })
    }

    /// The same as a workflow of a service, each of whose tasks invokes the function that is chosen for it.
    pub fn to_workflow(&self, name: &str, function_of: impl Fn(&WfCommonsTask) -> FunctionId) -> Workflow {
        let task = |task: &WfCommonsTask| Task {
            name: task.id.clone(),
            function: function_of(task),
            work: Work::Own(Body::Sleep(task.run_time)),
            after: task.after.clone(),
            map: 1,
            input: task.input,
            condition: Condition::Always,
        };
        Workflow { name: name.to_owned(), tasks: self.tasks.iter().map(task).collect(), deadline: None }
    }
}

/// Who writes and reads what.
struct Data<'a> {
    tasks: &'a [SpecifiedTask],
    positions: FxHashMap<&'a str, usize>,
    sizes: FxHashMap<&'a str, u64>,
}

impl Data<'_> {
    /// What a task has from each of its parents, and what it has from elsewhere.
    fn of(&self, position: usize, task: &SpecifiedTask) -> Result<(Vec<Dependency>, u64), WfCommonsError> {
        let place = |field: &str| format!("workflow.specification.tasks[{position}].{field}");
        let mut missing: FxHashSet<&str> = task.input_files.iter().map(String::as_str).collect();
        let mut after = Vec::new();
        for parent in &task.parents {
            let known = self.positions.get(parent.as_str());
            let &parent = known.ok_or_else(|| wrong(place("parents"), format!("unknown task {parent:?}")))?;
            let mut bytes = 0_u64;
            for file in &self.tasks[parent].output_files {
                if missing.remove(file.as_str()) {
                    bytes = bytes.saturating_add(self.size(file, || place("inputFiles"))?);
                }
            }
            after.push(Dependency { task: parent, bytes });
        }
        let mut input = 0_u64;
        for file in task.input_files.iter().filter(|file| missing.contains(file.as_str())) {
            input = input.saturating_add(self.size(file, || place("inputFiles"))?);
        }
        Ok((after, input))
    }

    fn size(&self, file: &str, place: impl Fn() -> String) -> Result<u64, WfCommonsError> {
        let size = self.sizes.get(file).copied();
        size.ok_or_else(|| wrong(place(), format!("unknown file {file:?}: workflow.specification.files lacks it")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A diamond: what `a` writes both `b` and `c` read, and `d` reads of both, and of a file that was there before.
    fn diamond() -> Value {
        let task = |id: &str, parents: &[&str], inputs: &[&str], outputs: &[&str]| json!({"name": id, "id": id, "parents": parents, "children": [], "inputFiles": inputs, "outputFiles": outputs});
        let ran =
            |id: &str, seconds: f64| json!({"id": id, "runtimeInSeconds": seconds, "command": {"program": "tool"}});
        json!({
            "name": "diamond", "schemaVersion": "1.5",
            "workflow": {
                "specification": {
                    "tasks": [task("a_1", &[], &["raw"], &["shared", "other"]), task("b_2", &["a_1"], &["shared"], &["left"]),
                              task("c_3", &["a_1"], &["shared"], &["right"]),
                              task("d_4", &["b_2", "c_3"], &["left", "right", "raw"], &[])],
                    "files": [{"id": "raw", "sizeInBytes": 100}, {"id": "shared", "sizeInBytes": 19.6}, {"id": "other", "sizeInBytes": 7},
                              {"id": "left", "sizeInBytes": 3}, {"id": "right", "sizeInBytes": 4}]},
                "execution": {"makespanInSeconds": 10, "executedAt": "2026-01-01T00:00:00Z", "machines": [{"nodeName": "m"}],
                              "tasks": [ran("d_4", 4.5), ran("a_1", 1.0), ran("b_2", 2.0), ran("c_3", 3.0)]}}})
    }

    #[test]
    fn files_go_from_who_wrote_them_to_who_reads_them_and_else_come_from_the_registry() {
        let read = WfCommonsWorkflow::from_json(&diamond().to_string()).unwrap();
        let seen: Vec<_> = read
            .tasks
            .iter()
            .map(|task| {
                let after: Vec<_> = task.after.iter().map(|dependency| (dependency.task, dependency.bytes)).collect();
                (task.id.as_str(), task.run_time.as_secs_f64(), after, task.input)
            })
            .collect();
        let expected = [
            ("a_1", 1.0, vec![], 100),
            ("b_2", 2.0, vec![(0, 20)], 0),
            ("c_3", 3.0, vec![(0, 20)], 0),
            ("d_4", 4.5, vec![(1, 3), (2, 4)], 100),
        ];
        assert_eq!(seen, expected);
        let workflow = read.to_workflow("w", |_| FunctionId(0));
        assert_eq!((workflow.check(), workflow.tasks.len()), (Ok(()), 4));
        assert_eq!(read.tasks[0].kinds().collect::<Vec<_>>(), ["a_1", "tool", "a"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |path: &str, value: Value| {
            let mut file = diamond();
            *file.pointer_mut(path).unwrap() = value;
            WfCommonsWorkflow::from_json(&file.to_string()).unwrap_err().to_string()
        };
        let cases = [
            ("/schemaVersion", json!("1.4"), "schemaVersion: found \"1.4\", expected 1.5 or 1.6"),
            ("/workflow/execution", Value::Null, "workflow.execution: is missing: it has run times"),
            (
                "/workflow/execution/tasks/0/runtimeInSeconds",
                json!(-1),
                "workflow.execution.tasks[0].runtimeInSeconds: found -1, expected a time from 0 to 9e9 s",
            ),
            (
                "/workflow/execution/tasks/0/id",
                json!("x"),
                "workflow.execution.tasks: say nothing of task \"d_4\": its run time is missing",
            ),
            (
                "/workflow/specification/tasks/1/parents",
                json!(["x"]),
                "workflow.specification.tasks[1].parents: unknown task \"x\"",
            ),
            (
                "/workflow/specification/files/0/id",
                json!("x"),
                "workflow.specification.tasks[0].inputFiles: unknown file \"raw\": workflow.specification.files lacks it",
            ),
            (
                "/workflow/specification/files/1/sizeInBytes",
                json!(-0.5),
                "workflow.specification.files[1].sizeInBytes: found -0.5, expected a size from 0 to 1e18 B",
            ),
            (
                "/workflow/specification/tasks/1/id",
                json!("a_1"),
                "workflow.specification.tasks: have one id twice: ids must differ",
            ),
        ];
        for (path, value, expected) in cases {
            assert_eq!(problem(path, value), expected);
        }
        let typed = problem("/workflow/specification/tasks/0/parents", json!(3));
        assert!(typed.starts_with("workflow.specification.tasks[0].parents: invalid type: integer `3`"), "{typed}");
    }
}
