//! Gives a service the faults and the retries of a scenario.

use hearth_simcore::platform::{HostId, LinkId, Platform, Sharing};
use hearth_simcore::random::stream;
use hearth_simcore::time::SimTime;

use crate::Simulation;
use crate::fault::{
    Fault, FaultPlan, HedgePolicy, Pauses, PlannedFault, ReplicationPolicy, RetryOn, RetryPolicy, Timing,
};
use crate::scenario::{
    Backoff, DrawnFault, Kept, NetworkModelName, RetriedOutcome, RetrySection, Scenario, ScenarioError, ScriptedFault,
};
use crate::service::ServerlessComputeService;

pub(super) fn set_faults(
    scenario: &Scenario,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<(), ScenarioError> {
    if let Some(section) = &scenario.faults {
        let platform = simulation.with_model_mut(|_, kernel| std::rc::Rc::clone(kernel.platform()));
        let mut faults = Vec::new();
        for (position, fault) in section.scripted.iter().enumerate().filter(|(_, fault)| !fault.up) {
            let place = format!("faults.scripted[{position}]");
            let until = end_of(fault, &section.scripted);
            let timing = Timing::Once { at: date(fault.at.0), until };
            let planned = kinds(scenario, fault, &platform, &place)?.into_iter();
            faults.extend(planned.map(|fault| PlannedFault { fault, timing: timing.clone() }));
        }
        for (position, fault) in section.drawn.iter().enumerate() {
            faults.extend(drawn(scenario, fault, position, &platform)?);
        }
        let plan = FaultPlan {
            faults,
            crash_per_invocation: section.containers.crash_per_invocation,
            crash_per_second: section.containers.crash_per_second,
            queue_lost: section.head_queue == Kept::Lost,
        };
        service.set_faults(simulation, plan);
    }
    if let Some(retry) = scenario.recovery.as_ref().and_then(|recovery| recovery.retry.as_ref()) {
        service.set_retries(simulation, retry_policy(retry));
    }
    if let Some(replicate) = scenario.recovery.as_ref().and_then(|recovery| recovery.replicate) {
        service.set_replication(simulation, ReplicationPolicy { copies: replicate.copies });
    }
    if let Some(hedge) = scenario.recovery.as_ref().and_then(|recovery| recovery.hedge) {
        service.set_hedging(simulation, HedgePolicy { after: hedge.after.duration() });
    }
    Ok(())
}

fn date(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds)
}

/// The end of a scripted fault: after its length, or when the same comes up.
fn end_of(fault: &ScriptedFault, all: &[ScriptedFault]) -> Option<SimTime> {
    let length = fault.length.map(|length| date(fault.at.0) + length.duration());
    let is_its_end = |other: &&ScriptedFault| {
        other.up && other.at.0 > fault.at.0 && other.host == fault.host && other.link == fault.link
    };
    length.or_else(|| all.iter().filter(is_its_end).map(|other| date(other.at.0)).min())
}

fn hosts(platform: &Platform, pattern: &str, place: &str) -> Result<Vec<HostId>, ScenarioError> {
    let hosts = platform.hosts_matching(pattern);
    if hosts.is_empty() {
        return Err(ScenarioError::invalid(
            place,
            format!("unknown host {pattern:?}: the platform has none of that name"),
        ));
    }
    Ok(hosts)
}

/// The links of a name; `is_degraded` if they are to have a part of their bandwidth.
fn links(
    scenario: &Scenario,
    platform: &Platform,
    pattern: &str,
    is_degraded: bool,
    place: &str,
) -> Result<Vec<LinkId>, ScenarioError> {
    let links = platform.links_matching(pattern);
    if is_degraded && scenario.network_model == NetworkModelName::Ideal {
        let problem = "a degraded link needs \"network_model\": \"fluid\": in the ideal network nothing is shared";
        return Err(ScenarioError::invalid(place, problem));
    }
    let is_fat = |link: &&LinkId| platform.link(**link).sharing == Sharing::FatPipe;
    if let Some(fat) = links.iter().find(is_fat).filter(|_| is_degraded) {
        let name = &platform.link(*fat).name;
        let problem =
            format!("link {name:?} is a FATPIPE, whose bandwidth each transfer has to itself: it cannot be degraded");
        return Err(ScenarioError::invalid(place, problem));
    }
    if links.is_empty() {
        return Err(ScenarioError::invalid(
            place,
            format!("unknown link {pattern:?}: the platform has none of that name"),
        ));
    }
    Ok(links)
}

fn of_host(host: HostId, slow: Option<f64>, disk_content: Kept) -> Fault {
    match slow {
        Some(factor) => Fault::NodeSlow { host, factor },
        None => Fault::HostDown { host, disk_lost: disk_content == Kept::Lost },
    }
}

fn of_link(link: LinkId, bandwidth: Option<f64>) -> Fault {
    match bandwidth {
        Some(part) => Fault::LinkDegraded { link, part },
        None => Fault::LinkDown { link },
    }
}

/// What a scripted fault does, to each of the hosts or links that it names.
fn kinds(
    scenario: &Scenario,
    fault: &ScriptedFault,
    platform: &Platform,
    place: &str,
) -> Result<Vec<Fault>, ScenarioError> {
    if let Some(pattern) = &fault.host {
        let hosts = hosts(platform, pattern, &format!("{place}.host"))?;
        return Ok(hosts.into_iter().map(|host| of_host(host, fault.slow, fault.disk_content)).collect());
    }
    if let Some(pattern) = &fault.disk {
        let hosts = hosts(platform, pattern, &format!("{place}.disk"))?;
        return Ok(hosts.into_iter().map(|host| Fault::DiskLost { host }).collect());
    }
    let pattern = fault.link.as_deref().unwrap_or_default();
    let links = links(scenario, platform, pattern, fault.bandwidth.is_some(), &format!("{place}.link"))?;
    Ok(links.into_iter().map(|link| of_link(link, fault.bandwidth)).collect())
}

/// Faults by chance: each host or link has a stream of its own, which hangs on its name and the position of the entry.
fn drawn(
    scenario: &Scenario,
    section: &DrawnFault,
    position: usize,
    platform: &Platform,
) -> Result<Vec<PlannedFault>, ScenarioError> {
    let place = |field: &str| format!("faults.drawn[{position}].{field}");
    let planned = |fault: Fault, name: &str| PlannedFault {
        fault,
        timing: Timing::Drawn {
            between: section.time_between_failures.clone(),
            repair: section.time_to_repair.clone(),
            random: stream(scenario.seed, &format!("faults {position} of {name}")),
        },
    };
    if let Some(pattern) = &section.hosts {
        let hosts = hosts(platform, pattern, &place("hosts"))?.into_iter();
        let of = |host| planned(of_host(host, section.slow, section.disk_content), &platform.host(host).name);
        return Ok(hosts.map(of).collect());
    }
    let pattern = section.links.as_deref().unwrap_or_default();
    let links = links(scenario, platform, pattern, section.bandwidth.is_some(), &place("links"))?.into_iter();
    Ok(links.map(|link| planned(of_link(link, section.bandwidth), &platform.link(link).name)).collect())
}

fn retry_policy(section: &RetrySection) -> RetryPolicy {
    let Pauses { first: backoff, factor, longest: max_backoff } =
        section.backoff.as_ref().map_or(Pauses::NONE, Backoff::pauses);
    let has = |outcome: RetriedOutcome| section.on.contains(&outcome);
    RetryPolicy {
        max_attempts: section.max_attempts,
        backoff,
        factor,
        max_backoff,
        jitter: section.jitter,
        on: RetryOn {
            lost: has(RetriedOutcome::Lost),
            failed: has(RetriedOutcome::Failed),
            timed_out: has(RetriedOutcome::TimedOut),
        },
        deadline: section.deadline.map(|deadline| deadline.duration()),
    }
}
