//! What would have been if a call of a policy had been answered otherwise.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use hearth_policy_api::PolicySlot;
use hearth_serverless::causes::Undone;
use hearth_serverless::decisions::{Decision, DecisionSink, Instead};
use hearth_serverless::experiment::{About, Experiment, Results};
use hearth_simcore::time::SimTime;
use serde_json::Value;

use super::without::{Claim, none};
use crate::error::CommandError;

/// Looks for a call by its number.
#[derive(Clone, Debug)]
pub struct SoughtCall {
    number: u64,
    found: Rc<RefCell<Found>>,
}

#[derive(Debug, Default)]
struct Found {
    /// How many calls there were, as long as it was looked for.
    calls: u64,
    decision: Option<Decision>,
}

impl SoughtCall {
    /// Looks for this one.
    pub fn of_number(number: u64) -> Self {
        Self { number, found: Rc::default() }
    }
}

impl DecisionSink for SoughtCall {
    fn wants_more(&self) -> bool {
        self.found.borrow().decision.is_none()
    }

    fn write(&mut self, decision: &Decision) -> io::Result<()> {
        let mut found = self.found.borrow_mut();
        found.calls = decision.number;
        if decision.number == self.number {
            found.decision = Some(decision.clone());
        }
        Ok(())
    }
}

/// What is otherwise in the second run.
#[derive(Debug)]
pub struct Other {
    /// What does not happen.
    pub undone: Option<Undone>,
    /// What is answered otherwise.
    pub instead: Option<Instead>,
    /// Which thing that is, in words.
    pub what: String,
    /// What it was said to cost.
    pub claim: Claim,
}

impl Other {
    /// A call is answered so, or undone.
    ///
    /// # Errors
    /// When it was not made, or cannot be.
    pub fn of_call(sought: &SoughtCall, answer: Option<Value>, about: &About) -> Result<Self, CommandError> {
        let found = sought.found.borrow();
        let Some(was) = &found.decision else {
            return Err(none(format!(
                "there is no call {}: policies were called {} times",
                sought.number, found.calls
            )));
        };
        let of = was.about.named(&about.functions, &about.nodes);
        let about = if of.is_empty() { of } else { format!(" about {of}") };
        let date = SimTime::from_nanos(was.date_ns);
        let callee = was.callee();
        let what =
            format!("call {}, at {date} s: {} of {callee}{about} answered {}", was.number, was.method, was.answered());
        let instead = Instead { call: was.number, answer };
        if was.method != "choose" || instead.answer.is_some() {
            return Ok(Self { undone: None, instead: Some(instead), what, claim: Claim::Nothing });
        }
        let undone = spared(was).filter(|_| was.slot == PolicySlot::Containers).ok_or_else(|| {
            none(format!("{what}: only containers can be spared; say by --answer who goes instead, as in '[3]'"))
        })?;
        Ok(Self { undone: Some(undone), instead: None, what, claim: Claim::Nothing })
    }

    /// The second run.
    pub fn applied_to(&self, experiment: Experiment) -> Experiment {
        match self.undone {
            Some(undone) => experiment.without(undone),
            None => experiment,
        }
    }

    /// In words, once the second run has been done.
    ///
    /// # Errors
    /// When the call could not be answered so.
    pub fn said(&self, results: &Results) -> Result<String, CommandError> {
        if self.instead.is_none() {
            let spared = if self.claim == Claim::Nothing { "; its first victim is spared" } else { "" };
            return Ok(format!("{}{spared}", self.what));
        }
        match results.answered_instead.as_ref().map(|answered| &answered.now) {
            Some(Ok(Value::Null)) => Ok(format!("{}; none of it is done", self.what)),
            Some(Ok(now)) => Ok(format!("{}; instead {now}", self.what)),
            Some(Err(problem)) => Err(none(format!("{}: {problem}", self.what))),
            None => Err(none(format!("{}: was not made again", self.what))),
        }
    }
}

/// What spares the first victim of a choice.
fn spared(choice: &Decision) -> Option<Undone> {
    let victim =
        choice.answer.as_array()?.iter().find(|offered| offered.get("heard").is_some_and(|heard| heard != "pinned"))?;
    let container = u32::try_from(victim.get("offer")?.as_u64()?).ok()?;
    Some(Undone::ContainerEnd { node: choice.storage?, container, at: SimTime::from_nanos(choice.date_ns) })
}
