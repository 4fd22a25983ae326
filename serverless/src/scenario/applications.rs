//! Applications: functions that are served by the same instances, as a scenario says it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::Positions;
use super::validate::{known, positions};
use super::{FunctionSection, InstancesSection, ProcessorsSection, Scenario, ScenarioError};
use crate::quantity::{Bytes, Seconds};

/// An application: its functions are served by the same instances, which are containers of these measures.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an application: an object")]
pub struct ApplicationSection {
    /// Its name.
    pub name: String,
    /// Its image; without it, it needs none.
    pub image: Option<String>,
    /// RAM that each instance reserves.
    #[serde(default)]
    pub ram_limit: Bytes,
    /// Disk that each instance reserves; each invocation may use as much.
    #[serde(default)]
    pub disk_limit: Bytes,
    /// Time that a new container takes to start; without it, the service's.
    pub container_startup_overhead: Option<Seconds>,
    /// What its instances have of the processors of their nodes; goes with `"processors": "shared"` in the service.
    pub processors: Option<ProcessorsSection>,
    /// How it is served; without it, as the service says.
    pub instances: Option<InstancesSection>,
}

/// What a scenario says of the containers of a function, itself or by its application.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerOf<'a> {
    pub image: Option<&'a String>,
    pub ram: Bytes,
    pub disk: Bytes,
    pub startup_overhead: Option<Seconds>,
    pub processors: Option<ProcessorsSection>,
}

impl Scenario {
    /// The application of a function, if it has one.
    pub(crate) fn application_of(&self, function: &FunctionSection) -> Option<&ApplicationSection> {
        let name = function.application.as_ref()?;
        self.applications.iter().find(|application| application.name == *name)
    }

    /// What the containers of a function are like.
    pub(crate) fn container_of<'a>(&'a self, function: &'a FunctionSection) -> ContainerOf<'a> {
        match self.application_of(function) {
            Some(ApplicationSection {
                image,
                ram_limit,
                disk_limit,
                container_startup_overhead: startup_overhead,
                processors,
                ..
            }) => ContainerOf {
                image: image.as_ref(),
                ram: *ram_limit,
                disk: *disk_limit,
                startup_overhead: *startup_overhead,
                processors: *processors,
            },
            None => ContainerOf {
                image: function.image.as_ref(),
                ram: function.ram_limit,
                disk: function.disk_limit,
                startup_overhead: function.container_startup_overhead,
                processors: function.processors,
            },
        }
    }

    /// Checks the applications, and which function is of which.
    pub(super) fn check_applications(
        &self,
        images: &Positions<'_>,
        functions: &Positions<'_>,
    ) -> Result<(), ScenarioError> {
        let applications = positions("applications", self.applications.iter().map(|it| it.name.as_str()))?;
        let mut has_functions = vec![false; self.applications.len()];
        for (position, function) in self.functions.iter().enumerate() {
            let Some(name) = &function.application else { continue };
            known(&applications, name, "application", || format!("functions[{position}].application"))?;
            let of = applications.get(name.as_str()).copied().unwrap_or_default();
            function.check_measures(position, of)?;
            if let Some(has_functions) = has_functions.get_mut(of) {
                *has_functions = true;
            }
        }
        for (position, (application, has_functions)) in self.applications.iter().zip(has_functions).enumerate() {
            let place = format!("applications[{position}]");
            if let Some(function) = functions.get(application.name.as_str()) {
                let problem =
                    format!("{:?} is the name of functions[{function}] already: names must differ", application.name);
                return Err(ScenarioError::invalid(format!("{place}.name"), problem));
            }
            if !has_functions {
                let problem = format!(
                    "there is no function of it: set \"application\" to {:?} in those that are, or take it out",
                    application.name
                );
                return Err(ScenarioError::invalid(place, problem));
            }
            self.check_application(application, &place, images)?;
        }
        Ok(())
    }

    fn check_application(
        &self,
        application: &ApplicationSection,
        place: &str,
        images: &Positions<'_>,
    ) -> Result<(), ScenarioError> {
        if let Some(image) = &application.image {
            known(images, image, "image", || format!("{place}.image"))?;
        }
        if let Some(processors) = &application.processors {
            processors.check(&format!("{place}.processors"), application.ram_limit, self.service.processors)?;
        }
        match (&application.instances, &self.service.instances) {
            (Some(instances), _) => instances.check(&format!("{place}.instances")),
            (None, Some(_)) => Ok(()),
            (None, None) => {
                let problem = "missing field `instances`: the functions of an application are served by instances; say how \
                               here, as in {\"concurrency\": 10}, or in the service";
                Err(ScenarioError::invalid(place, problem))
            }
        }
    }
}

impl FunctionSection {
    /// Refuses measures of containers of its own in a function of an application.
    fn check_measures(&self, position: usize, application: usize) -> Result<(), ScenarioError> {
        let own = [
            ("image", self.image.is_some()),
            ("ram_limit", self.ram_limit != Bytes::default()),
            ("disk_limit", self.disk_limit != Bytes::default()),
            ("container_startup_overhead", self.container_startup_overhead.is_some()),
            ("processors", self.processors.is_some()),
            ("instances", self.instances.is_some()),
        ];
        let Some((field, _)) = own.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        let problem = format!(
            "the containers of a function of an application are those of the application: give it to applications[{application}] \
             instead"
        );
        Err(ScenarioError::invalid(format!("functions[{position}].{field}"), problem))
    }
}
