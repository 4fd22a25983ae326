//! Which functions are served by instances, and which of them by the same ones.

use hearth_simcore::kernel::Kernel;

use super::event::Event;
use super::{ServerlessComputeService, Service};
use crate::Simulation;
use crate::error::Error;
use crate::function::{ControlPlane, FunctionId, InstanceSettings};

impl ServerlessComputeService {
    /// Has instances pass the stations of a control plane as they are started. Call it before there are any.
    pub fn set_control_plane(&self, simulation: &mut Simulation, control_plane: &ControlPlane) {
        simulation.with_model_mut(|model, kernel| model.service().set_control_plane(control_plane, kernel.seed()));
    }

    /// Has a function served by instances, before anybody asks for it.
    ///
    /// # Errors
    /// When it is of another service, or has instances already, or when a policy gives an answer that cannot be followed.
    pub fn set_instances(
        &self,
        simulation: &mut Simulation,
        function: FunctionId,
        settings: InstanceSettings,
    ) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| model.service().serve_together(vec![function], settings, kernel))
    }

    /// Makes functions an application: they are served by the same instances, before anybody asks for them. Their containers are alike, in
    /// image, RAM, disk, processors and the time that they take to start; what else an invocation may use, and bodies, may differ.
    ///
    /// # Errors
    /// When there are none, one is of another service or has instances already, or their containers differ, and when a policy gives an
    /// answer that cannot be followed.
    ///
    /// ```
    /// use hearth_serverless::prelude::*;
    /// let platform = PlatformBuilder::new().host("host", HostSpec::new(4, 1e9).ram(8 * GB)).build()?;
    /// let mut simulation = Simulation::new(platform, 42);
    /// let service = ServerlessComputeService::builder("host")
    ///     .nodes(&["host"])
    ///     .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?)
    ///     .container_startup_overhead(secs(1))
    ///     .keep_records(true)
    ///     .start(&mut simulation)?;
    /// let mut register = |name: &str, seconds: u64| {
    ///     let limits = Limits { ram: GB, ..Limits::default() };
    ///     let body = Body::Sleep(secs(seconds));
    ///     service.register(&mut simulation, Function { name: name.to_owned(), image: None, limits, startup_overhead: None, body })
    /// };
    /// let (read, write) = (register("read", 2)?, register("write", 3)?);
    /// // One instance, which serves one request at a time, whichever of the two it is for.
    /// let settings = InstanceSettings { min_scale: 1, max_scale: 1, ..InstanceSettings::default() };
    /// service.create_application(&mut simulation, &[read, write], settings)?;
    /// let at = |seconds: u64, function: FunctionId| PlannedInvocation {
    ///     at: Some(SimTime::ZERO + secs(seconds)),
    ///     after: vec![],
    ///     delay: SimDuration::ZERO,
    ///     callee: function.into(),
    ///     body: None,
    /// };
    /// service.set_workload(&mut simulation, vec![at(2, write), at(3, read)])?;
    /// simulation.run()?;
    /// let (metrics, records) = service.close(&mut simulation);
    /// assert_eq!((metrics.instances, metrics.warm_starts), (1, 2));
    /// assert_eq!(records[1].finished_at, Some(SimTime::ZERO + secs(2 + 3 + 2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_application(
        &self,
        simulation: &mut Simulation,
        functions: &[FunctionId],
        settings: InstanceSettings,
    ) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            service.check_likeness(functions)?;
            service.serve_together(functions.to_vec(), settings, kernel)
        })
    }
}

impl Service {
    fn serve_together(
        &mut self,
        mut functions: Vec<FunctionId>,
        settings: InstanceSettings,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Error> {
        functions.sort_unstable();
        functions.dedup();
        for function in &functions {
            if self.registry.functions().find(*function).is_none() {
                return Err(Error::ForeignFunction(*function));
            }
            if self.instances.serve(*function) {
                let number = function.number();
                return Err(Error::Application(format!("function {number} has instances already")));
            }
        }
        Ok(self.set_instances(functions, settings, kernel)?)
    }

    /// Refuses functions that have not the same containers.
    fn check_likeness(&self, functions: &[FunctionId]) -> Result<(), Error> {
        let Some((first, others)) = functions.split_first() else {
            return Err(Error::Application("there are none: name at least one".to_owned()));
        };
        let find =
            |function: &FunctionId| self.registry.functions().find(*function).ok_or(Error::ForeignFunction(*function));
        let one = find(first)?;
        for function in others {
            let other = find(function)?;
            let likeness = [
                ("images", one.image == other.image),
                ("RAM limits", one.limits.ram == other.limits.ram),
                ("disk limits", one.limits.disk == other.limits.disk),
                ("shares of processors", one.limits.processors == other.limits.processors),
                ("startup overheads", one.startup_overhead == other.startup_overhead),
            ];
            if let Some((what, _)) = likeness.iter().find(|(_, is_alike)| !is_alike) {
                let problem = format!(
                    "functions {} and {} have different {what}: they are to have the same containers",
                    first.number(),
                    function.number()
                );
                return Err(Error::Application(problem));
            }
        }
        Ok(())
    }
}
