//! `hearth run --output s3://…`: into a folder that is handed over when the run has ended, however it has.

use std::path::Path;
use std::sync::Arc;

use super::run::{Plan, RunArguments};
use crate::error::CommandError;
use crate::isolation::inside;
use crate::objects::location::{LocalCopy, Location, Needed};
use crate::sweep::claims::{Claim, Claims};
use crate::sweep::marks::Marks;
use crate::sweep::plan::DEFAULT_STALE_AFTER;

/// What is claimed.
const NAME: &str = "run";

/// A place that is nobody else's until this is dropped.
#[derive(Debug)]
struct Claimed {
    _claim: Claim,
    /// What gives signs of life for the claim, and goes after it.
    _claims: Claims,
}

/// Runs a scenario into object storage.
///
/// # Errors
/// When the place cannot be written or is somebody else's, before anything is run; or the run or handing over fails.
pub fn run(arguments: &RunArguments, output: &Path) -> Result<(), CommandError> {
    let copy = LocalCopy::of_name(output)?;
    // What is there is looked at afterwards: it is what the one before has left.
    let _claimed = claim(&copy, inside::makes_again().is_some())?;
    let location = Location::bring(copy, Needed::Names)?;
    let plan = arguments.plan();
    let place = |file: &Path| match file.strip_prefix(output) {
        Ok(inside) => location.folder().join(inside),
        Err(_) => file.to_owned(),
    };
    let (timeline, decisions) = (plan.timeline.map(place), plan.decisions.map(place));
    let plan = Plan {
        output: Some(location.folder()),
        timeline: timeline.as_deref(),
        decisions: decisions.as_deref(),
        handed_over: Some(&location),
        ..plan
    };
    location.named(plan.run())
}

/// Claims a place for a run. That asks for all that handing over asks for: a key that only reads is noticed before the run, and not
/// hours later.
fn claim(copy: &Arc<LocalCopy>, makes_again: bool) -> Result<Claimed, CommandError> {
    let claims = Claims::open(Marks::Objects(Arc::clone(copy)), DEFAULT_STALE_AFTER)?;
    let claim = if makes_again {
        // The one that is there is that of the process before this one.
        claims.tell(NAME)
    } else {
        let seconds = DEFAULT_STALE_AFTER.as_secs();
        let cure = format!("name another place, or, if that command was killed, wait {seconds} s and try again");
        let taken = || CommandError::OutputFolder {
            folder: copy.name().to_owned(),
            problem: format!("another command writes a run there: {cure}"),
        };
        claims.take(NAME)?.ok_or_else(taken)?
    };
    Ok(Claimed { _claim: claim, _claims: claims })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::objects::Objects;

    #[test]
    fn of_two_runs_into_one_place_one_is_done() {
        let store = Arc::default();
        let copy = || Arc::new(LocalCopy::of(Objects::in_memory(&store).unwrap()).unwrap());
        let one = copy();
        let claimed = claim(&one, false).unwrap();
        let refused = claim(&copy(), false).unwrap_err();
        let said = refused.to_string();
        assert!(refused.exit_code() == 2 && said.contains("another command writes a run there"), "{said}");
        // That of a process that has made the same results before this one counts as its own.
        drop(claim(&copy(), true).unwrap());
        let location = Location::bring(one, Needed::Names).unwrap();
        for name in ["run.json", "summary.json"] {
            fs::write(location.folder().join(name), "of the first").unwrap();
        }
        location.hand_back().unwrap();
        drop(claimed);
        let other = copy();
        let _claimed = claim(&other, false).unwrap();
        let location = Location::bring(other, Needed::Names).unwrap();
        assert_eq!(fs::read_to_string(location.folder().join("run.json")).unwrap(), "of the first");
        assert!(location.folder().join("summary.json").is_file(), "it is known to be there");
    }
}
