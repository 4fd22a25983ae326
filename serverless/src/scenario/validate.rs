//! Checks what types cannot: names that repeat or dangle, numbers that make no sense, orders that cannot be.

use rustc_hash::{FxHashMap, FxHashSet};

use super::sections::Positions;
use super::suggestion::did_you_mean;
use super::{
    ComputeSection, FORMAT, NetworkModelName, Scenario, ScenarioError, StepSection, StorageSharing, WorkloadSection,
};
use crate::quantity::Flops;

/// The most invocations that a row of a trace stands for.
const MAX_TRACE_RATE: f64 = 1e6;

impl Scenario {
    /// Checks the scenario as far as that is possible without its platform and policies: names, bodies, and the order of
    /// invocations. Reading a scenario does this; do it again after changing one. What concerns hosts, routes and
    /// policies is checked by [`Experiment::prepare`](crate::experiment::Experiment::prepare).
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// ```
    /// use hearth_serverless::scenario::Scenario;
    /// let mut scenario = Scenario::from_json(r#"{
    ///     "format": "hearth-scenario/1",
    ///     "platform": {"hosts": [{"name": "host", "cores": 1, "speed": "1Gf"}]},
    ///     "service": {"head": "host", "registry": "host", "nodes": ["host"]},
    ///     "functions": [{"name": "greet"}],
    ///     "workload": {"invocations": [{"at": 0, "function": "greet"}]}
    /// }"#)?;
    /// scenario.workload.invocations[0].function = Some("great".to_owned());
    /// let message = scenario.validate().unwrap_err().to_string();
    /// assert!(message.starts_with("workload.invocations[0].function: unknown function \"great\""));
    /// # Ok::<(), hearth_serverless::scenario::ScenarioError>(())
    /// ```
    pub fn validate(&self) -> Result<(), ScenarioError> {
        if self.format != FORMAT {
            let problem = format!("found {:?}, expected {FORMAT:?}", self.format);
            return Err(ScenarioError::invalid("format", problem));
        }
        if self.storage_sharing == StorageSharing::Fair && self.network_model == NetworkModelName::Ideal {
            let problem = "\"fair\" needs \"network_model\": \"fluid\": in the ideal network nothing is shared";
            return Err(ScenarioError::invalid("storage_sharing", problem));
        }
        if self.service.nodes.is_empty() {
            return Err(ScenarioError::invalid("service.nodes", "there are none: name at least one host"));
        }
        self.service.instances.as_ref().map_or(Ok(()), |instances| instances.check("service.instances"))?;
        self.service.control_plane.as_ref().map_or(Ok(()), |control_plane| control_plane.check())?;
        positions("service.node_pools", self.service.node_pools.iter().map(|pool| pool.name.as_str()))?;
        for (position, pool) in self.service.node_pools.iter().enumerate() {
            pool.check(&format!("service.node_pools[{position}]"))?;
        }
        let images = positions("images", self.images.iter().map(|image| image.name.as_str()))?;
        for (position, pods) in self.service.pods.iter().enumerate() {
            let place = format!("service.pods[{position}]");
            pods.check(&place, self.service.processors)?;
            if let Some(image) = &pods.image {
                known(&images, image, "image", || format!("{place}.image"))?;
            }
        }
        let files = positions("files", self.files.iter().map(|file| file.name.as_str()))?;
        let functions = positions("functions", self.functions.iter().map(|function| function.name.as_str()))?;
        self.check_applications(&images, &functions)?;
        for (position, function) in self.functions.iter().enumerate() {
            if let Some(image) = &function.image {
                known(&images, image, "image", || format!("functions[{position}].image"))?;
            }
            if let Some(instances) = &function.instances {
                instances.check(&format!("functions[{position}].instances"))?;
            }
            check_body(&function.body, &files, || format!("functions[{position}].body"))?;
            let (ram, sharing) = (function.ram_limit, self.service.processors);
            match (&function.processors, sharing.of_functions()) {
                (Some(processors), _) => processors.check(&format!("functions[{position}].processors"), ram, sharing)?,
                (None, Some(processors)) => processors.check("", ram, sharing).map_err(|_| {
                    let problem = "service.processors gives cores for RAM, and none for this much: give the function another \
                                   ram_limit, or processors of its own";
                    ScenarioError::invalid(format!("functions[{position}].ram_limit"), problem)
                })?,
                (None, None) => {}
            }
        }
        let workflows = self.check_workflows(&functions, &files)?;
        self.check_workload(&workflows)?;
        for (position, host) in self.platform.hosts.iter().enumerate() {
            host.power.map_or(Ok(()), |power| power.check(position))?;
        }
        self.prices.as_ref().map_or(Ok(()), |prices| prices.check())?;
        self.faults.as_ref().map_or(Ok(()), |faults| faults.check())?;
        self.recovery.as_ref().map_or(Ok(()), |recovery| recovery.check())?;
        for (position, invocation) in self.workload.invocations.iter().enumerate() {
            let place = |field: &str| format!("workload.invocations[{position}].{field}");
            match (&invocation.function, &invocation.workflow) {
                (Some(function), None) => known(&functions, function, "function", || place("function"))?,
                (None, Some(workflow)) => known(&workflows, workflow, "workflow", || place("workflow"))?,
                _ => {
                    let problem = "expected one of \"function\" and \"workflow\"";
                    return Err(ScenarioError::invalid(format!("workload.invocations[{position}]"), problem));
                }
            }
            if let Some(body) = &invocation.body {
                if invocation.workflow.is_some() {
                    let problem = "goes with \"function\": the tasks of a workflow have their own";
                    return Err(ScenarioError::invalid(place("body"), problem));
                }
                check_body(body, &files, || place("body"))?;
            }
            if invocation.at.is_none() && invocation.after.is_empty() {
                let problem = "has neither \"at\" nor \"after\": give a date or predecessors";
                return Err(ScenarioError::invalid(format!("workload.invocations[{position}]"), problem));
            }
        }
        self.check_predecessors()
    }

    /// Checks the workflows; gives their positions by name.
    fn check_workflows(
        &self,
        functions: &Positions<'_>,
        files: &Positions<'_>,
    ) -> Result<Positions<'_>, ScenarioError> {
        let workflows = positions("workflows", self.workflows.iter().map(|workflow| workflow.name.as_str()))?;
        for (position, workflow) in self.workflows.iter().enumerate() {
            if let Some(function) = functions.get(workflow.name.as_str()) {
                let problem =
                    format!("{:?} is the name of functions[{function}] already: names must differ", workflow.name);
                return Err(ScenarioError::invalid(format!("workflows[{position}].name"), problem));
            }
            workflow.check(&format!("workflows[{position}]"), functions, files)?;
        }
        Ok(workflows)
    }

    /// One kind of workload, and numbers that make sense.
    fn check_workload(&self, workflows: &Positions<'_>) -> Result<(), ScenarioError> {
        let WorkloadSection { invocations, trace, generate, compute } = &self.workload;
        let given = [!invocations.is_empty(), trace.is_some(), generate.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            let problem = "has several of \"invocations\", \"trace\" and \"generate\": keep one";
            return Err(ScenarioError::invalid("workload", problem));
        }
        compute.map_or(Ok(()), |compute| self.check_compute(compute))?;
        if let Some(trace) = trace {
            let wrong = |field: &str, problem: &str| ScenarioError::invalid(format!("workload.trace.{field}"), problem);
            if let Some(rate) = trace.rate.filter(|rate| !(0.0..=MAX_TRACE_RATE).contains(rate)) {
                // They come at one date: more of each row would wait than a simulation can hold.
                return Err(wrong(
                    "rate",
                    &format!("found {rate}, expected from 0 to {MAX_TRACE_RATE:e} times as many"),
                ));
            }
            trace.check().map_err(|(field, problem)| wrong(field, &problem))?;
            if trace.applications && self.service.instances.is_none() {
                let problem = "the functions of an application are served by instances: say how in service.instances, as in \
                               {\"concurrency\": 10}";
                return Err(wrong("applications", problem));
            }
        }
        if let Some(generate) = generate {
            generate.check().map_err(|problem| ScenarioError::invalid("workload.generate", problem))?;
            for (number, name) in generate.workflows.iter().flatten().enumerate() {
                known(workflows, name, "workflow", || format!("workload.generate.workflows[{number}]"))?;
            }
            if generate.functions.is_none() && generate.workflows.is_none() && self.functions.is_empty() {
                let problem = "there are no functions: declare some in \"functions\", here or in the scenario";
                return Err(ScenarioError::invalid("workload.generate", problem));
            }
            if generate.functions.is_none() && generate.workflows.is_none() {
                self.check_bodies_of_generator(generate.run_time.is_some())?;
            }
        }
        Ok(())
    }

    /// Run times that are work of processors: there are some, and numbers make sense.
    fn check_compute(&self, ComputeSection { share, speed }: ComputeSection) -> Result<(), ScenarioError> {
        let wrong =
            |field: &str, problem: String| Err(ScenarioError::invalid(format!("workload.compute{field}"), problem));
        let WorkloadSection { trace, generate, .. } = &self.workload;
        if trace.is_none() && generate.is_none() {
            let problem = "goes with \"trace\" or \"generate\", which tell run times: invocations compute by steps of their bodies";
            return wrong("", problem.to_owned());
        }
        if generate.as_ref().is_some_and(|generate| generate.run_time.is_none()) {
            let problem =
                "nothing is drawn that says how long requests run: give workload.generate.run_time, or take this out";
            return wrong("", problem.to_owned());
        }
        if !(0.0..=1.0).contains(&share) {
            return wrong(".share", format!("found {share}, expected a number from 0 to 1"));
        }
        match speed {
            Some(Flops(0.0)) => wrong(".speed", "found 0, expected a speed above 0".to_owned()),
            _ => Ok(()),
        }
    }

    /// What requests of a generator do is said once: by its run time, or by the bodies of all functions.
    fn check_bodies_of_generator(&self, has_run_time: bool) -> Result<(), ScenarioError> {
        let with_body = |wanted: bool| self.functions.iter().position(|function| function.body.is_empty() != wanted);
        match (has_run_time, with_body(true), with_body(false)) {
            (true, Some(position), _) => {
                let problem = format!(
                    "requests would run for this time, and functions[{position}].body would not be used: take one of the \
                     two out"
                );
                Err(ScenarioError::invalid("workload.generate.run_time", problem))
            }
            (false, _, Some(position)) => {
                let problem = format!(
                    "missing field `run_time`: say how long requests run, or give functions[{position}] a body"
                );
                Err(ScenarioError::invalid("workload.generate", problem))
            }
            _ => Ok(()),
        }
    }

    fn check_predecessors(&self) -> Result<(), ScenarioError> {
        let invocations = &self.workload.invocations;
        let mut missing: Vec<usize> = Vec::with_capacity(invocations.len());
        let mut dependents = vec![Vec::new(); invocations.len()];
        for (position, invocation) in invocations.iter().enumerate() {
            missing.push(invocation.after.len());
            for (number, &predecessor) in invocation.after.iter().enumerate() {
                let Some(list) = dependents.get_mut(predecessor) else {
                    let place = format!("workload.invocations[{position}].after[{number}]");
                    let problem = format!(
                        "there is no invocation {predecessor}: they are numbered from 0 to {}",
                        invocations.len() - 1
                    );
                    return Err(ScenarioError::invalid(place, problem));
                };
                list.push(position);
            }
        }
        let mut ready: Vec<usize> = (0..invocations.len()).filter(|position| missing[*position] == 0).collect();
        while let Some(position) = ready.pop() {
            for &dependent in &dependents[position] {
                missing[dependent] -= 1;
                if missing[dependent] == 0 {
                    ready.push(dependent);
                }
            }
        }
        match missing.iter().position(|missing| *missing > 0) {
            None => Ok(()),
            Some(waiting) => Err(self.cycle_error(waiting, &missing)),
        }
    }

    /// Names a cycle that an invocation waits for: each that still misses something has a predecessor that does.
    fn cycle_error(&self, waiting: usize, missing: &[usize]) -> ScenarioError {
        let mut path = vec![waiting];
        let mut seen_at = FxHashMap::from_iter([(waiting, 0)]);
        loop {
            let last = path[path.len() - 1];
            let after = &self.workload.invocations[last].after;
            let Some(&next) = after.iter().find(|predecessor| missing[**predecessor] > 0) else {
                break;
            };
            if let Some(&start) = seen_at.get(&next) {
                path.drain(..start);
                break;
            }
            seen_at.insert(next, path.len());
            path.push(next);
        }
        let shown: Vec<String> = path.iter().take(10).chain(path.first()).map(usize::to_string).collect();
        let dots = if path.len() > 10 { " (shortened)" } else { "" };
        let place = format!("workload.invocations[{}].after", path[0]);
        let problem = format!("a cycle, so none of these can ever begin: {}{dots}", shown.join(" after "));
        ScenarioError::invalid(place, problem)
    }
}

pub(super) fn positions<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Result<Positions<'a>, ScenarioError> {
    let mut positions = Positions::new();
    for (position, name) in names.enumerate() {
        let place = || format!("{list}[{position}].name");
        if name.is_empty() {
            return Err(ScenarioError::invalid(place(), "is empty: give it a name"));
        }
        if let Some(first) = positions.insert(name, position) {
            let problem = format!("{name:?} is the name of {list}[{first}] already: names must differ");
            return Err(ScenarioError::invalid(place(), problem));
        }
    }
    Ok(positions)
}

pub(super) fn known(
    positions: &Positions<'_>,
    name: &str,
    what: &str,
    place: impl Fn() -> String,
) -> Result<(), ScenarioError> {
    if positions.contains_key(name) {
        return Ok(());
    }
    let problem = if positions.is_empty() {
        format!("unknown {what} {name:?}: the scenario declares none")
    } else {
        let names: Vec<&str> = positions.keys().take(8).copied().collect();
        let cure = did_you_mean(name, positions.keys().copied());
        let more = if positions.len() > names.len() { ", …" } else { "" };
        format!("unknown {what} {name:?}: the scenario declares {}{more}{cure}", names.join(", "))
    };
    Err(ScenarioError::invalid(place(), problem))
}

/// Checks that a body takes nothing from the registry that is not there, and reads nothing that it never wrote.
pub(super) fn check_body(
    body: &[StepSection],
    files: &Positions<'_>,
    place: impl Fn() -> String,
) -> Result<(), ScenarioError> {
    let mut written: FxHashSet<&str> = FxHashSet::default();
    for (position, step) in body.iter().enumerate() {
        let at = |kind: &str| format!("{}[{position}].{kind}.file", place());
        match step {
            StepSection::Write(file) | StepSection::Create(file) => drop(written.insert(&file.file)),
            StepSection::Ingress(file) => {
                known(files, &file.file, "file", || at("ingress"))?;
                written.insert(&file.file);
            }
            StepSection::ReadRemote(file) => known(files, &file.file, "file", || at("read_remote"))?,
            StepSection::Read(file) if !written.contains(file.file.as_str()) => {
                return Err(ScenarioError::invalid(at("read"), never_written(&file.file)));
            }
            StepSection::Egress(file) if !written.contains(file.file.as_str()) => {
                return Err(ScenarioError::invalid(at("egress"), never_written(&file.file)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn never_written(file: &str) -> String {
    format!("{file:?} is not in the private storage then: write, create or ingress it in an earlier step")
}
