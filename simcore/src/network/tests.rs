//! Who gets how much of a disk, against closed formulas and a queue that shares its server equally.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::kernel::{Kernel, Model};
use crate::platform::{DiskSpec, HostSpec, PlatformBuilder};
use crate::simulation::Simulation;

/// Bytes per second of the one disk.
const DISK: f64 = 100e6;

/// Dates at which transfers have ended, by number.
struct Ends(Vec<f64>);

impl Model for Ends {
    type Event = usize;
    type Error = Infallible;

    fn handle(&mut self, number: usize, kernel: &mut Kernel<usize>) -> Result<(), Infallible> {
        self.0[number] = kernel.now().as_secs_f64();
        Ok(())
    }
}

/// Writes to the disk of a host, all begun at 0: bytes, and the latency of the way, 0 for a write from its own memory.
/// The ways share nothing but the disk. Gives when each has ended.
fn ends(model: NetworkModel, writes: &[(u64, f64)]) -> Vec<f64> {
    let disk = HostSpec::new(1, 1e9).disk(DiskSpec::new(u64::MAX, DISK, DISK));
    let mut builder = PlatformBuilder::new().host("here", disk);
    for (number, (_, latency)) in writes.iter().enumerate().filter(|(_, (_, latency))| *latency > 0.0) {
        let (host, link) = (format!("host-{number}"), format!("link-{number}"));
        builder = builder.host(&host, HostSpec::new(1, 1e9)).link(&link, 1e12, *latency);
        builder = builder.route(&host, "here", &[link]);
    }
    let ends = Ends(vec![f64::NAN; writes.len()]);
    let mut simulation = Simulation::with_model(builder.build().unwrap(), 0, model, ends);
    simulation.with_model_mut(|_, kernel| {
        let host = |name: &str| kernel.platform().host_by_name(name).unwrap();
        let here = host("here");
        let from: Vec<HostId> = (0..writes.len())
            .map(|number| if writes[number].1 > 0.0 { host(&format!("host-{number}")) } else { here })
            .collect();
        for (number, (bytes, _)) in writes.iter().enumerate() {
            kernel.transfer(Endpoint::Memory(from[number]), Endpoint::Disk(here), *bytes, number).unwrap();
        }
    });
    simulation.run().unwrap();
    simulation.with_model_mut(|ends, _| std::mem::take(&mut ends.0))
}

/// When each customer leaves a server that all who are there share equally: arrival in seconds, and bytes.
fn processor_sharing(customers: &[(f64, f64)]) -> Vec<f64> {
    let mut left: Vec<f64> = customers.iter().map(|(_, bytes)| *bytes).collect();
    let mut departures = vec![f64::NAN; customers.len()];
    let mut now = 0.0;
    while departures.iter().any(|date| date.is_nan()) {
        let is_here = |number: &usize| customers[*number].0 <= now && departures[*number].is_nan();
        let here: Vec<usize> = (0..customers.len()).filter(is_here).collect();
        let share = DISK / here.len() as f64;
        let next_departure = here.iter().map(|number| now + left[*number] / share).fold(f64::INFINITY, f64::min);
        let later = customers.iter().map(|(arrival, _)| *arrival).filter(|arrival| *arrival > now);
        let date = later.fold(next_departure, f64::min);
        for &number in &here {
            left[number] -= share * (date - now);
            if left[number] < 1e-3 {
                departures[number] = date;
            }
        }
        now = date;
    }
    departures
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    let is_close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < tolerance);
    assert!(is_close && found.len() == expected.len(), "found {found:?}, expected {expected:?}");
}

#[test]
fn a_local_write_waits_for_a_copy_by_the_reference_and_shares_with_it_by_fairness() {
    // 190 MB over a link of a microsecond, and 10 MB from memory.
    let writes = [(190_000_000, 1e-6), (10_000_000, 0.0)];
    assert_close(&ends(NetworkModel::Fluid, &writes), &[1.9, 2.0], 1e-4);
    assert_close(&ends(NetworkModel::FairFluid, &writes), &[2.0, 0.2], 1e-4);
    // Without latency there never was a difference.
    let writes = [(190_000_000, 0.0), (10_000_000, 0.0)];
    assert_close(&ends(NetworkModel::Fluid, &writes), &[2.0, 0.2], 1e-6);
}

#[test]
fn two_copies_of_unlike_latency_are_as_unlike_by_the_reference_and_alike_by_fairness() {
    let writes = [(300_000_000, 1e-4), (300_000_000, 3e-4)];
    // Shares of three to one, then the second alone.
    assert_close(&ends(NetworkModel::Fluid, &writes), &[4.0, 6.0], 5e-3);
    assert_close(&ends(NetworkModel::FairFluid, &writes), &[6.0, 6.0], 5e-3);
}

proptest! {
    /// By fairness, transfers that meet at one disk alone are customers of a server that all share equally.
    #[test]
    fn fair_flows_on_a_disk_are_equal(
        writes in prop::collection::vec((1_u64..500_000_000, prop_oneof![Just(0.0), 1e-7_f64..1e-3]), 1..8)
    ) {
        let customer = |(bytes, latency): &(u64, f64)| (lv08::LATENCY_FACTOR * latency, *bytes as f64);
        let customers: Vec<(f64, f64)> = writes.iter().map(customer).collect();
        let (found, expected) = (ends(NetworkModel::FairFluid, &writes), processor_sharing(&customers));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() < 1e-6, "found {found}, expected {expected} of {writes:?}");
        }
    }
}

proptest! {
    /// A transfer that is alone takes what it is said to take alone, wherever it goes, over links that have lost a part of what they
    /// have and others.
    #[test]
    fn one_that_is_alone_takes_its_time_alone(
        model in prop_oneof![Just(NetworkModel::Fluid), Just(NetworkModel::FairFluid), Just(NetworkModel::Ideal)],
        (bytes, latency_us) in (1..2_000_000_000_u64, prop_oneof![Just(0_u32), 1..5_000_u32]),
        (read, write, link) in (1e6..1e10_f64, 1e6..1e10_f64, 1e6..1e10_f64),
        (from, to) in (0..4_usize, 0..4_usize),
        part in prop_oneof![Just(1.0), 0.01..1.0_f64],
    ) {
        let host = || HostSpec::new(1, 1e9).disk(DiskSpec::new(u64::MAX, read, write));
        let builder = PlatformBuilder::new().host("a", host()).host("b", host()).link("way", link, f64::from(latency_us) * 1e-6);
        let platform = builder.route("a", "b", &["way".to_owned()]).build().unwrap();
        let mut simulation = Simulation::with_model(platform, 0, model, Ends(vec![f64::NAN]));
        let alone = simulation.with_model_mut(|_, kernel| {
            let end = |number: usize| {
                let host = kernel.platform().host_by_name(["a", "b"][number % 2]).unwrap();
                if number < 2 { Endpoint::Memory(host) } else { Endpoint::Disk(host) }
            };
            let (from, to) = (end(from), end(to));
            let way = kernel.platform().links_matching("way")[0];
            kernel.degrade_link(way, part);
            kernel.transfer(from, to, bytes, 0).unwrap();
            kernel.time_alone(from, to, bytes).unwrap()
        });
        simulation.run().unwrap();
        let took = simulation.now().as_nanos();
        // The clock of a bottleneck and a quotient are not rounded the same way.
        prop_assert!(took.abs_diff(alone.now.as_nanos()) <= 1 + took / 1_000_000_000_000, "{took} {alone:?}");
        prop_assert!(alone.whole <= alone.now && (part < 1.0 || alone.whole == alone.now));
    }
}
