//! The engine alone: timers a second, timers that are taken back, and flows on shared resources.

use std::convert::Infallible;

use hearth_bench::measure;
use hearth_simcore::fluid::{FlowSpec, FluidNetwork, Use};
use hearth_simcore::kernel::{Kernel, Model};
use hearth_simcore::network::NetworkModel;
use hearth_simcore::platform::PlatformBuilder;
use hearth_simcore::queue::TimerId;
use hearth_simcore::simulation::Simulation;
use hearth_simcore::time::{SimDuration, SimTime};

/// Each timer that fires sets another.
struct Timers {
    left: u64,
    state: u64,
    /// Each also sets this one and clears it.
    timeout: Option<TimerId>,
}

impl Timers {
    fn draw(&mut self) -> SimDuration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        SimDuration::from_nanos(self.state % 1_000_000)
    }
}

impl Model for Timers {
    type Event = u32;
    type Error = Infallible;

    fn handle(&mut self, event: u32, kernel: &mut Kernel<u32>) -> Result<(), Infallible> {
        if self.left > 0 {
            self.left -= 1;
            let delay = self.draw();
            kernel.schedule(delay, event);
            if let Some(timeout) = self.timeout {
                kernel.set_timer(timeout, SimDuration::from_secs(600), event);
                kernel.clear_timer(timeout);
            }
        }
        Ok(())
    }
}

const TIMERS: u64 = 1_000_000;

fn timers(pending: u32, with_timeouts: bool) {
    let Ok(platform) = PlatformBuilder::new().build() else {
        return;
    };
    let model = Timers { left: TIMERS, state: 88_172_645_463_325_252, timeout: None };
    let mut simulation = Simulation::with_model(platform, 0, NetworkModel::Ideal, model);
    simulation.with_model_mut(|model, kernel| {
        if with_timeouts {
            model.timeout = Some(kernel.add_timer());
        }
        for number in 0..pending {
            let delay = model.draw();
            kernel.schedule(delay, number);
        }
    });
    let _ = simulation.run();
}

/// Starts `flows` over one shared resource and a resource of their own each, and lets them end one after the other.
fn shared_flows(flows: u32, rounds: u32) {
    let mut network = FluidNetwork::new();
    let shared = network.add_resource(1e9);
    let own: Vec<_> = (0..flows).map(|_| network.add_resource(1e8)).collect();
    let mut now = SimTime::ZERO;
    for _ in 0..rounds {
        for (number, own) in own.iter().enumerate() {
            let uses = [Use { resource: shared, weight: 1.0 }, Use { resource: *own, weight: 1.0 }];
            let amount = 1e6 + number as f64 * 1e4;
            network.start(now, FlowSpec { amount, efficiency: 1.0, bound: f64::INFINITY, penalty: 1.0, uses: &uses });
        }
        network.settle(now);
        while let Some(date) = network.next_completion() {
            now = date;
            network.pop_completed(now);
            network.settle(now);
        }
    }
}

fn main() {
    for pending in [100, 10_000, 1_000_000] {
        measure(&format!("timers, {pending} pending"), "timer", TIMERS, || timers(pending, false));
    }
    measure("timers, 10000 pending, each with a timeout taken back", "timer", TIMERS, || timers(10_000, true));
    for flows in [1, 16, 256, 4_096] {
        let rounds = 25_600 / flows / flows.min(64) + 1;
        let name = format!("flows, {flows} at once on a shared resource");
        measure(&name, "flow", u64::from(flows * rounds), || shared_flows(flows, rounds));
    }
}
