//! What a host takes of electric power.

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
