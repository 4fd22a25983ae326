//! What is looked at in a delay, wherever admission answers one.

use super::fault::{Claim, Fault, claimed};
use super::log::Log;
use crate::{Claims, LONGEST_DELAY};

/// A policy delays a request: by no longer than a host takes, and not by nothing, where it promises that.
pub(super) fn delayed(nanos: u64, claims: Claims, log: &mut Log) -> Result<(), Fault> {
    log.length("delays for", nanos);
    match nanos {
        0 => {
            let text = "delays a request by nothing, so that it comes again at the same date".to_owned();
            claimed(claims, Claim::SensibleTimes, text)
        }
        1..=LONGEST_DELAY => Ok(()),
        _ => Err(format!("delays a request by {nanos} ns, more than a century").into()),
    }
}
