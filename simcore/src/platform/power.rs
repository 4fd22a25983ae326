//! What a host takes of electric power.

use super::builder::check;
use super::{Host, PlatformError};

/// The power of a host in watts, linear in the cores that are busy (Fan, Weber and Barroso, "Power provisioning for a
/// warehouse-sized computer", ISCA 2007). A platform only carries it: what is simulated on it adds up the energy.
///
/// ```
/// use hearth_simcore::platform::{HostSpec, PlatformBuilder, PowerSpec};
/// let power = PowerSpec { idle: 90.0, busy: 220.0 };
/// let platform = PlatformBuilder::new().group("node", 2, HostSpec::new(4, 1e9).power(power)).build()?;
/// let host = &platform.hosts()[1];
/// assert_eq!(host.power, Some(power));
/// // One of four cores is busy: a quarter of what lies between.
/// assert_eq!(power.watts(1.0 / f64::from(host.cores)), 122.5);
/// # Ok::<(), hearth_simcore::platform::PlatformError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PowerSpec {
    /// Watts while no core is busy.
    pub idle: f64,
    /// Watts while all cores are busy; not less than `idle`.
    pub busy: f64,
}

impl PowerSpec {
    /// Watts while this part of the cores is busy, from 0 to 1.
    pub fn watts(self, busy_part: f64) -> f64 {
        self.idle + (self.busy - self.idle) * busy_part
    }
}

/// Refuses power that makes no sense.
pub(super) fn check_power(host: &Host) -> Result<(), PlatformError> {
    let (Some(PowerSpec { idle, busy }), name) = (host.power, &host.name) else { return Ok(()) };
    check(format!("idle power of host {name:?}"), idle, idle >= 0.0, "a number of watts, not negative")?;
    check(format!("busy power of host {name:?}"), busy, busy >= idle, "at least the watts of the idle host")
}

#[cfg(test)]
mod tests {
    use super::super::{HostSpec, PlatformBuilder};
    use super::*;

    #[test]
    fn power_that_makes_no_sense_is_refused_with_its_host() {
        let error = |idle: f64, busy: f64| {
            let host = HostSpec::new(1, 1e9).power(PowerSpec { idle, busy });
            PlatformBuilder::new().host("a", host).build().err().map(|error| error.to_string())
        };
        let negative = "idle power of host \"a\": found -1, expected a number of watts, not negative";
        assert_eq!(error(-1.0, 5.0).as_deref(), Some(negative));
        let infinite = "busy power of host \"a\": found inf, expected at least the watts of the idle host";
        assert_eq!(error(1.0, f64::INFINITY).as_deref(), Some(infinite));
        let less = "busy power of host \"a\": found 4, expected at least the watts of the idle host";
        assert_eq!(error(5.0, 4.0).as_deref(), Some(less));
        assert_eq!((error(0.0, 0.0), error(5.0, 5.0)), (None, None));
    }
}
