//! Processes: their order, their ends, and that nothing of them stays behind.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::platform::{DiskSpec, HostSpec, PlatformBuilder};
use crate::simulation::ProcessSimulation;
use crate::time::{SimDuration, SimTime};

fn simulation() -> ProcessSimulation {
    let disk = DiskSpec::new(1 << 40, 100e6, 100e6);
    let platform = PlatformBuilder::new()
        .host("a", HostSpec::new(1, 1e9).disk(disk.clone()))
        .host("b", HostSpec::new(1, 1e9).disk(disk))
        .host("island", HostSpec::new(1, 1e9))
        .link("ab", 1e6, 0.0)
        .route("a", "b", &["ab"])
        .build()
        .unwrap();
    ProcessSimulation::new(platform, 0)
}

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

#[test]
fn processes_woken_at_one_date_run_in_the_order_of_waking() {
    let mut simulation = simulation();
    let log = Rc::new(RefCell::new(Vec::new()));
    for (number, length) in [(0, 2), (1, 1), (2, 2), (3, 0)] {
        let log = Rc::clone(&log);
        let process = async move |context: Context<_>| {
            context.sleep(secs(length)).await;
            log.borrow_mut().push(number);
            Ok(())
        };
        simulation.spawn_on("a", process).unwrap();
    }
    simulation.run().unwrap();
    assert_eq!(*log.borrow(), [3, 1, 0, 2]);
}

#[test]
fn a_cancelled_process_ends_where_it_stands_and_its_joiner_hears_of_it() {
    let mut simulation = simulation();
    simulation
        .spawn_on("a", async |context| {
            let sleeper = context.spawn({
                let context = context.clone();
                async move { context.sleep(secs(100)).await }
            });
            context.sleep(secs(1)).await;
            assert!(!sleeper.is_done());
            sleeper.cancel();
            assert_eq!(sleeper.await, None);
            assert_eq!(context.now(), SimTime::from_secs_f64(1.0));
            Ok(())
        })
        .unwrap();
    simulation.run().unwrap();
    assert_eq!(simulation.now(), SimTime::from_secs_f64(1.0), "the sleeper's timer is gone with it");
}

#[test]
fn a_dropped_transfer_leaves_its_bandwidth_to_others_unless_it_outlives_its_waiter() {
    for (outlives, expected) in [(false, 3.0), (true, 4.0)] {
        let mut simulation = simulation();
        simulation
            .spawn_on("a", async move |context| {
                use crate::network::Endpoint::Memory;
                let platform = context.with_model(|_, kernel| Rc::clone(kernel.platform()));
                let (a, b) = (platform.host_by_name("a").unwrap(), platform.host_by_name("b").unwrap());
                let megabytes = |number: f64| (number * 1e6 * 0.97 / 1.05) as u64;
                let transfer = |size: f64| context.transfer(Memory(a), Memory(b), megabytes(size));
                let first = if outlives { transfer(2.0).outliving_waiter() } else { transfer(2.0) };
                let both = join_all([
                    Box::pin(async { drop(context.timeout(secs(2), first).await) })
                        as std::pin::Pin<Box<dyn Future<Output = ()>>>,
                    Box::pin(async { transfer(2.0).await.unwrap() }),
                ]);
                both.await;
                assert!((context.now().as_secs_f64() - expected).abs() < 1e-5, "{} s", context.now());
                Ok(())
            })
            .unwrap();
        simulation.run().unwrap();
    }
}

#[test]
fn an_impossible_transfer_says_what_is_missing() {
    let mut simulation = simulation();
    simulation
        .spawn_on("a", async |context| {
            use crate::network::Endpoint::{Disk, Memory};
            let platform = context.with_model(|_, kernel| Rc::clone(kernel.platform()));
            let (a, island) = (context.host(), platform.host_by_name("island").unwrap());
            let message = |result: Result<(), crate::network::TransferError>| result.unwrap_err().to_string();
            assert_eq!(
                message(context.transfer(Memory(a), Memory(island), 1).await),
                "no route from host \"a\" to host \"island\": add one to the platform"
            );
            assert_eq!(
                message(context.on(island).transfer(Disk(island), Memory(island), 1).await),
                "host \"island\" has no disk: give it one in the platform"
            );
            Ok(())
        })
        .unwrap();
    simulation.run().unwrap();
    assert!(simulation.spawn_on("nowhere", async |_| Ok(())).is_err());
}

#[test]
fn the_error_of_a_process_ends_the_simulation_at_once() {
    let mut simulation = simulation();
    simulation
        .spawn_on("a", async |context| {
            context.sleep(secs(1)).await;
            Err("broken".into())
        })
        .unwrap();
    simulation
        .spawn_on("a", async |context| {
            context.sleep(secs(9)).await;
            Ok(())
        })
        .unwrap();
    assert_eq!(simulation.run().unwrap_err().to_string(), "broken");
    assert_eq!(simulation.now(), SimTime::from_secs_f64(1.0));
}

#[test]
fn processes_that_never_end_are_freed_with_the_simulation() {
    let witness = Rc::new(());
    let mut simulation = simulation();
    let (sender, receiver) = channel::channel::<()>();
    let held = Rc::clone(&witness);
    let process = async move |context: Context<_>| {
        let _kept = (sender, held, context);
        receiver.receive().await;
        Ok(())
    };
    simulation.spawn_on("a", process).unwrap();
    simulation.run().unwrap();
    assert_eq!(Rc::strong_count(&witness), 2);
    drop(simulation);
    assert_eq!(Rc::strong_count(&witness), 1);
}

#[test]
fn messages_go_to_receivers_in_turn_and_none_is_lost() {
    let mut simulation = simulation();
    let (sender, receiver) = channel::channel();
    let log = Rc::new(RefCell::new(Vec::new()));
    for name in ["first", "second"] {
        let (receiver, log) = (receiver.clone(), Rc::clone(&log));
        let process = async move |context: Context<_>| {
            while let Some(message) = receiver.receive().await {
                log.borrow_mut().push((name, message));
                context.sleep(secs(1)).await;
            }
            Ok(())
        };
        simulation.spawn_on("a", process).unwrap();
    }
    simulation
        .spawn_on("b", async move |context| {
            context.sleep(secs(1)).await;
            (0..4).for_each(|message| sender.send(message));
            Ok(())
        })
        .unwrap();
    simulation.run().unwrap();
    assert_eq!(*log.borrow(), [("first", 0), ("second", 1), ("first", 2), ("second", 3)]);
}
