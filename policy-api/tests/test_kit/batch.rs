use hearth_policy_api::*;

use super::{check_rows, defective, leak};

defective!(
    Batch,
    u64,
    [
        "places a request twice",
        "places more than wait",
        "leaves out the last",
        "a node that is not there",
        "moves images of nobody",
        "grows with every plan",
    ]
);

impl BatchAllocation for Batch {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, ..AllocationRules::default() }
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        let mut requests = batch.queue.len() as u32;
        if self.is("leaves out the last") {
            requests -= 1;
        }
        if self.is("places more than wait") && batch.queue.len() > 2 {
            requests += 1;
        }
        self.state += 1;
        let nodes: Vec<u32> = batch.up.iter().collect();
        for request in 0..requests {
            // Each round begins at another node, so that everybody comes by one with room.
            if let Some(node) = nodes.get((u64::from(request) + self.state) as usize % nodes.len().max(1)) {
                let node = if self.is("a node that is not there") { &(batch.nodes.len() as u32) } else { node };
                plan.push(PlanItem::Run { request, node: *node });
                if self.is("places a request twice") {
                    plan.push(PlanItem::Run { request, node: *node });
                }
            }
        }
        match self.defect {
            "moves images of nobody" => plan.push(PlanItem::Copy { image: 77, node: 0 }),
            "grows with every plan" => leak(plan.to_vec()),
            _ => {}
        }
    }
}

#[test]
fn defects_of_plans_are_caught() {
    check_rows(
        &PolicyDescriptor::batch_allocation::<Batch>(),
        &[
            ("places a request twice", "plans request 0 twice"),
            ("places more than wait", "plans request 3 of 3"),
            ("leaves out the last", "still waits after 200 rounds"),
            ("a node that is not there", "which is not there or down"),
            ("moves images of nobody", "moves image 77, which nobody waits for"),
            ("grows with every plan", "memory grows with the number of calls"),
        ],
    );
}
