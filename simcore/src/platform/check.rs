//! What of a host or a link makes no sense.

use super::{Host, Link, PlatformError, PowerSpec};

fn check(place: String, found: f64, holds: bool, expected: &'static str) -> Result<(), PlatformError> {
    if holds && found.is_finite() {
        Ok(())
    } else {
        Err(PlatformError::Unsuitable { place, found: found.to_string(), expected })
    }
}

/// Refuses a host that makes no sense.
pub(super) fn check_host(host: &Host) -> Result<(), PlatformError> {
    let name = &host.name;
    check(format!("cores of host {name:?}"), f64::from(host.cores), host.cores > 0, "at least one")?;
    check(format!("speed of host {name:?}"), host.speed, host.speed > 0.0, "a positive number of flop/s")?;
    for disk in &host.disks {
        let positive = "a positive number of bytes/s";
        let (read, write) = (disk.read_bandwidth, disk.write_bandwidth);
        check(format!("read bandwidth of the disk of host {name:?}"), read, read > 0.0, positive)?;
        check(format!("write bandwidth of the disk of host {name:?}"), write, write > 0.0, positive)?;
    }
    check_power(host)
}

/// Refuses a link that makes no sense.
pub(super) fn check_link(link: &Link) -> Result<(), PlatformError> {
    let Link { name, bandwidth, latency, .. } = link;
    check(format!("bandwidth of link {name:?}"), *bandwidth, *bandwidth > 0.0, "a positive number of bytes/s")?;
    check(format!("latency of link {name:?}"), *latency, *latency >= 0.0, "a number of seconds, not negative")
}

fn check_power(host: &Host) -> Result<(), PlatformError> {
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
