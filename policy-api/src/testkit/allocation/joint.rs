//! The other roles of a controller, which has one state for all: who is let in, and what is kept.

use super::super::asked::answer;
use super::super::delays::delayed;
use super::super::fault::Fault;
use super::super::log::Log;
use super::Play;
use crate::abi::{AdmissionTable, KeepAliveTable};
use crate::boundary::{AdmissionObject, Instance, KeepAliveObject};
use crate::{
    AdmissionDecision, AdmissionRules, AdmissionView, Completion, ContainerEvent, End, Ending, KeepAliveRules, Records,
    RequestView, WorkflowView,
};

/// The roles of a controller beside node allocation.
#[derive(Debug)]
pub(super) struct Roles {
    door: Option<(AdmissionObject, AdmissionRules)>,
    keeper: Option<(KeepAliveObject, KeepAliveRules)>,
    /// Those that admission has put off, with the date at which they ask again and how often they have.
    put_off: Vec<(u64, u32, RequestView)>,
}

impl Roles {
    pub fn of(instance: &Instance) -> Result<Self, Fault> {
        let door = instance.role::<AdmissionTable>();
        let door = door.map(|door| answer("rules", || door.rules()).map(|rules| (door, rules))).transpose()?;
        let keeper = instance.role::<KeepAliveTable>();
        let keeper =
            keeper.map(|keeper| answer("rules", || keeper.rules()).map(|rules| (keeper, rules))).transpose()?;
        Ok(Self { door, keeper, put_off: Vec::new() })
    }

    pub fn sees_history(&self) -> bool {
        self.door.as_ref().is_some_and(|(_, rules)| rules.sees_history)
            || self.keeper.as_ref().is_some_and(|(_, rules)| rules.sees_history)
    }

    pub fn observes_containers(&self) -> bool {
        self.door.as_ref().is_some_and(|(_, rules)| rules.observes_containers)
            || self.keeper.as_ref().is_some_and(|(_, rules)| rules.observes_containers)
    }

    pub fn on_container(&mut self, event: &ContainerEvent) -> Result<(), Fault> {
        if let Some((door, _)) = self.door.as_mut().filter(|(_, rules)| rules.observes_containers) {
            answer("on_container", || door.on_container(event))?;
        }
        if let Some((keeper, _)) = self.keeper.as_mut().filter(|(_, rules)| rules.observes_containers) {
            answer("on_container", || keeper.on_container(event))?;
        }
        Ok(())
    }

    pub fn on_end(&mut self, end: &End) -> Result<(), Fault> {
        match self.door.as_mut().filter(|(_, rules)| rules.observes_ends && end.ending != Ending::Requeued) {
            Some((door, _)) => answer("on_end", || door.on_end(end)),
            None => Ok(()),
        }
    }

    pub fn on_workflow(&mut self, functions: u32, log: &mut Log) -> Result<(), Fault> {
        use super::super::workflows::tell;
        if let Some((door, _)) = self.door.as_mut().filter(|(_, rules)| rules.sees_workflows) {
            tell(functions, log, |workflow: &WorkflowView<'_>| door.on_workflow(workflow))?;
        }
        if let Some((keeper, _)) = self.keeper.as_mut().filter(|(_, rules)| rules.sees_workflows) {
            tell(functions, log, |workflow: &WorkflowView<'_>| keeper.on_workflow(workflow))?;
        }
        Ok(())
    }

    fn on_arrival(&mut self, function: u32, now: u64) -> Result<(), Fault> {
        match self.keeper.as_mut().filter(|(_, rules)| rules.observes_arrivals) {
            Some((keeper, _)) => answer("on_arrival", || keeper.on_arrival(function, now)),
            None => Ok(()),
        }
    }
}

impl Play<'_> {
    /// A request that has come is asked about by keep-alive and admission; whether it is in the queue then.
    pub(super) fn comes_in(&mut self, request: &RequestView, delays: u32) -> Result<bool, Fault> {
        let Some(roles) = &mut self.roles else { return Ok(true) };
        let now = self.model.now;
        if delays == 0 {
            roles.on_arrival(request.function, now)?;
        }
        let Some((door, rules)) = &mut roles.door else { return Ok(true) };
        let function = request.function as usize;
        let (sets, histories) = (self.model.sets(function), self.model.shown_histories());
        let mut cluster = self.model.cluster(&sets, function);
        cluster.histories = Records::new(if rules.sees_history { &histories } else { &[] });
        let is_of = |other: &&RequestView| other.function == request.function;
        let running = self.model.running_of(None);
        let view = AdmissionView {
            delays,
            now,
            waiting: (self.model.queue.len() as u64).saturating_sub(1),
            waiting_of_function: (self.model.queue.iter().filter(is_of).count() as u64).saturating_sub(1),
            running,
            running_of_function: self.model.running_of(Some(function)),
            free_cores: cluster.nodes.iter().map(|node| u64::from(node.free_cores)).sum(),
            cluster: &cluster,
            ..AdmissionView::default()
        };
        let decision = answer("admit", || door.admit(request, &view))?;
        self.log.note(format!("admit(request {}): {decision:?}", request.invocation));
        match decision {
            AdmissionDecision::Admit => return Ok(true),
            _ if rules.admits_all => {
                return Err("does not admit a request though its rules say that it admits all".to_owned().into());
            }
            AdmissionDecision::Delay(nanos) => {
                delayed(nanos, self.claims, self.log)?;
                roles.put_off.push((now.saturating_add(nanos.max(1)), delays + 1, *request));
            }
            AdmissionDecision::Reject(_) => {}
        }
        self.model.leave(request);
        Ok(false)
    }

    /// Whether admission has put off anybody.
    pub(super) fn is_anybody_put_off(&self) -> bool {
        self.roles.as_ref().is_some_and(|roles| !roles.put_off.is_empty())
    }

    /// All but so many of those that are put off give up.
    pub(super) fn forget_put_off(&mut self, kept: usize) {
        if let Some(roles) = &mut self.roles {
            let beyond = roles.put_off.len().saturating_sub(kept);
            roles.put_off.drain(..beyond);
        }
    }

    /// Those whose delay is over ask again; the first of them at any rate, if time is to pass for that.
    pub(super) fn ask_again(&mut self, passes_time: bool) -> Result<(), Fault> {
        let Some(roles) = &mut self.roles else { return Ok(()) };
        if passes_time && let Some(next) = roles.put_off.iter().map(|(date, ..)| *date).min() {
            self.model.now = self.model.now.max(next.min(self.model.now.saturating_add(3_600_000_000_000)));
        }
        let now = self.model.now;
        let due: Vec<(u64, u32, RequestView)> = roles.put_off.extract_if(.., |(date, ..)| *date <= now).collect();
        due.into_iter().try_for_each(|(_, delays, request)| {
            self.model.queue.push(request);
            self.model.sort_queue();
            self.enters(&request, delays)
        })
    }

    /// Keep-alive is asked about a container that is idle now.
    pub(super) fn keep(&mut self, end: &End) -> Result<(), Fault> {
        let Some((keeper, rules)) = self.roles.as_mut().and_then(|roles| roles.keeper.as_mut()) else { return Ok(()) };
        let End { now, function, node, run_time, ram, idle_of_function, container, .. } = *end;
        let histories = if rules.sees_history { self.model.shown_histories() } else { Vec::new() };
        let histories = Records::new(&histories);
        let completion =
            Completion { now, function, node, run_time, ram, idle_of_function, histories, ..Completion::default() };
        let retention = answer("on_idle", || keeper.on_idle(&completion))?;
        self.log.note(format!("on_idle(function {function}, node {node}): keep for {}", retention.keep_for));
        self.log.kept("keeps for", retention.keep_for);
        if retention.keep_for == 0 {
            let prewarming = answer("prewarm", || keeper.prewarm(&completion))?;
            self.log.note(format!("  prewarm after {}, keep for {}", prewarming.after, prewarming.keep_for));
            self.model.drop_container(node, container);
        }
        Ok(())
    }
}
