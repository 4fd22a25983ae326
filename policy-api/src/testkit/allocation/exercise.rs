//! An instance that lives on, and one whose cluster has too little for all.

use super::super::fault::{Claim, Fault, claimed};
use super::super::growth::{CYCLE, Exercise, Exert};
use super::super::history::repeated;
use super::super::log::Log;
use super::super::model::{FunctionSpec, NodeSpec};
use super::draw::{Step, step};
use super::{Check, ENDINGS, Play};
use crate::Ending;

/// Steps of all kinds, drawn, and some that leaks are often near: all endings in turn, links and nodes that come back.
fn cycle() -> Vec<Step> {
    let mut steps = repeated(step(4, 3), CYCLE);
    for (position, step) in steps.iter_mut().enumerate() {
        match position % 8 {
            0 => *step = Step::Arrive(position / 8),
            1 => *step = Step::Finish { which: position, ending: ENDINGS[position / 8 % ENDINGS.len()] },
            2 => *step = Step::Link { link: position as u32 / 32, share: if position % 16 < 8 { 0.1 } else { 1.0 } },
            3 => *step = Step::Up(position as u32 / 8),
            _ => {}
        }
    }
    steps
}

/// What is left of a play between two exertions.
type Rest = (super::NodeAllocationObject, Option<super::Roles>, super::Alarms, super::Model, super::Census);

pub(super) fn live(check: &Check) -> Result<Exercise<'_>, Fault> {
    // Some have too few cores and some too little RAM.
    let nodes: Vec<NodeSpec> =
        [(2, 8), (2, 8), (4, 4), (4, 3)].map(|(cores, ram)| NodeSpec { cores, ram, disk: 8 }).into();
    let functions: Vec<FunctionSpec> =
        (0..3).map(|function| FunctionSpec { ram: 1 + function, disk: 1, has_image: function == 2 }).collect();
    let mut log = Log::default();
    let play = Play::new(check, &check.subject.plain(), (&nodes, &functions), &mut log)?;
    let (rules, claims) = (play.rules, play.claims);
    let mut rest: Option<Rest> = Some((play.policy, play.roles, play.alarms, play.model, play.census));
    let (steps, mut next) = (cycle(), 0);
    Ok(Box::new(move |exert| {
        let mut log = Log::default();
        let Some((policy, roles, alarms, model, census)) = rest.take() else { return Ok(()) };
        let plan = Vec::new();
        let (has_placed, rejected) = (true, 0);
        let mut play =
            Play { policy, roles, rules, claims, model, census, plan, alarms, has_placed, rejected, log: &mut log };
        match exert {
            Exert::Steps(count) => {
                for _ in 0..count {
                    play.log.clear();
                    play.apply(&steps[next % steps.len()])?;
                    // A policy that lets wait, or may, must not make the queue grow.
                    play.lose_queue(4)?;
                    play.forget_put_off(4);
                    next += 1;
                }
            }
            Exert::Prove => play.drain()?,
        }
        let Play { policy, roles, alarms, model, census, .. } = play;
        rest = Some((policy, roles, alarms, model, census));
        Ok(())
    }))
}

impl Check {
    /// One request of a function more than its core can serve: the oldest must not wait for ever.
    pub(super) fn examine_ranks(&self, log: &mut Log) -> Result<(), Fault> {
        const OVERTAKEN: u64 = 24;
        let (node, function) =
            (NodeSpec { cores: 1, ram: 8, disk: 8 }, FunctionSpec { ram: 1, disk: 1, has_image: false });
        let mut play = Play::new(self, &self.subject.plain(), (&[node], &[function]), log)?;
        if !play.rules.ranks {
            return Ok(());
        }
        // It gets to know the function first.
        for _ in 0..4 {
            play.apply(&Step::Arrive(0))?;
            play.apply(&Step::Finish { which: 0, ending: Ending::Completed })?;
        }
        play.log.clear();
        play.apply(&Step::Arrive(0))?;
        play.apply(&Step::Arrive(0))?;
        let oldest = play.model.queue.first().map(|request| request.invocation);
        for overtaken in 0.. {
            play.apply(&Step::Arrive(0))?;
            play.apply(&Step::Finish { which: 0, ending: Ending::Completed })?;
            let waits = play.model.queue.iter().find(|request| Some(request.invocation) == oldest);
            let Some(request) = waits else { return Ok(()) };
            if overtaken == OVERTAKEN {
                play.log.fold(0);
                let text = format!(
                    "starves request {}: {OVERTAKEN} later ones of its function have run before it",
                    request.invocation
                );
                return claimed(self.subject.claims, Claim::StarvesNobody, text);
            }
        }
        Ok(())
    }
}
