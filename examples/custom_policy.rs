//! A node allocation policy written in place, as a Rust type, and compared with the built-in ones: it sends each function
//! to the node it used last, and a new function to the next node in turn.
//!
//! `cargo run --release --example custom_policy`

use std::collections::BTreeMap;

use hearth_policy_api::boundary::NodeAllocationObject;
use hearth_policy_api::{ClusterView, NodeAllocation, Placement, RequestView};
use hearth_serverless::prelude::*;

#[derive(Default)]
struct Sticky {
    last_node: BTreeMap<u32, u32>,
    next: u32,
}

impl NodeAllocation for Sticky {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let nodes = cluster.nodes.len() as u32;
        let preferred = *self.last_node.entry(request.function).or_insert_with(|| {
            self.next = (self.next + 1) % nodes;
            self.next
        });
        let node = if cluster.free_core.contains(preferred) { Some(preferred) } else { cluster.free_core.first() };
        match node {
            Some(node) => {
                self.last_node.insert(request.function, node);
                Placement::Node(node)
            }
            None => Placement::Wait,
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let sticky = Factory::<NodeAllocationObject>::in_place("sticky", |_| Sticky::default());
    let mut candidates = vec![("sticky", sticky)];
    for name in ["first-fit", "least-loaded", "round-robin"] {
        candidates.push((name, catalog.node_allocation(name)?));
    }
    println!("{:<14}{:>12}{:>12}{:>16}", "policy", "cold", "warm", "mean latency");
    for (name, policy) in candidates {
        let mut policies = PolicySet::defaults(&catalog)?;
        policies.node_allocation = policy;
        let metrics = simulate(policies)?;
        let latency = format!("{:.2} s", metrics.latency.mean());
        println!("{name:<14}{:>12}{:>12}{latency:>16}", metrics.cold_starts, metrics.warm_starts);
    }
    Ok(())
}

/// Twelve functions without image on four nodes, each invoked every few seconds.
fn simulate(policies: PolicySet) -> Result<hearth_serverless::metrics::Metrics, Box<dyn std::error::Error>> {
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9))
        .group("node", 4, HostSpec::new(2, 1e9).ram(2 * GB))
        .build()?;
    let mut simulation = Simulation::new(platform, 1);
    let service = ServerlessComputeService::builder("head")
        .nodes(&["node-*"])
        .policies(policies)
        .container_startup_overhead(secs(2))
        .start(&mut simulation)?;
    let mut planned = Vec::new();
    for number in 0..12_u64 {
        let function = service.register(
            &mut simulation,
            Function {
                name: format!("function-{number}"),
                image: None,
                limits: Limits { ram: 512 * MB, ..Limits::default() },
                startup_overhead: None,
                body: Body::steps([Step::Sleep(SimDuration::from_secs_f64(0.4))]),
            },
        )?;
        for round in 0..50 {
            let at = SimTime::from_secs_f64((round * (4 + number)) as f64 + 0.1 * number as f64);
            let (after, delay) = (Vec::new(), SimDuration::ZERO);
            planned.push(PlannedInvocation { at: Some(at), after, delay, callee: function.into(), body: None });
        }
    }
    service.set_workload(&mut simulation, planned)?;
    simulation.run()?;
    Ok(service.close(&mut simulation).0)
}
