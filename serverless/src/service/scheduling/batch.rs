//! Rounds in which the policy plans for the whole queue at once.

use hearth_policy_api::{FunctionView, NONE, NodeSet, PlanItem, RVec, RequestView};
use hearth_simcore::kernel::Kernel;

use super::{Entry, Plan};
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::NodeId;
use crate::policy::{Method, Mistake, PolicySlot};
use crate::service::Service;
use crate::service::attempts::WaitingQueue;
use crate::service::event::Event;

impl Service {
    /// Shows the policy the queue and puts its items into the plan, in their order.
    pub(crate) fn plan_batch(&mut self, plan: &mut Plan, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let (entries, requests) = self.queue_views();
        let items = self.ask_for_plan(&requests, kernel)?;
        let mut placed = vec![false; entries.len()];
        for item in items {
            match item {
                PlanItem::Run { request, node } => {
                    let (Some(&entry), Some(view)) = (entries.get(request as usize), requests.get(request as usize))
                    else {
                        return Err(self.wrong_item(format!("names request {request} of {}", entries.len())));
                    };
                    if std::mem::replace(&mut placed[request as usize], true) {
                        return Err(self.wrong_item(format!("places request {request} twice")));
                    }
                    let node = self.check_up(node)?;
                    self.decide(entry, node, view, plan);
                }
                PlanItem::Load { image, node } => {
                    let (image, node) = (self.check_image(image)?, self.check_up(node)?);
                    self.plan_load(node, image, plan);
                }
                PlanItem::Copy { image, node } => {
                    let (image, node) = (self.check_image(image)?, self.check_up(node)?);
                    self.plan_copy(node, image, plan);
                }
            }
        }
        Ok(())
    }

    fn queue_views(&self) -> (Vec<Entry>, Vec<RequestView>) {
        let WaitingQueue::Ordered(queue) = self.attempts.queue() else {
            return (Vec::new(), Vec::new());
        };
        let waiting = (0..queue.end()).filter_map(|position| queue.get(position).map(|entry| (position, entry)));
        waiting
            .map(|(position, entry)| (Entry { key: entry.key, function: entry.function, position }, entry.request))
            .unzip()
    }

    fn ask_for_plan(&mut self, requests: &[RequestView], kernel: &Kernel<Event>) -> Result<RVec<PlanItem>, Box<Error>> {
        let mut numbers: Vec<u32> = requests.iter().map(|request| request.function).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let idle: Vec<Vec<u32>> = numbers
            .iter()
            .map(|function| {
                self.cluster.nodes().names().map(|node| self.cluster.idle_count(node, FunctionId(*function))).collect()
            })
            .collect();
        let cluster = &self.cluster;
        let functions: Vec<FunctionView<'_>> = numbers
            .iter()
            .zip(&idle)
            .map(|(&number, idle)| {
                let function = self.registry.function(FunctionId(number));
                let sites = function.image.map(|image| cluster.sites(image));
                FunctionView {
                    function: number,
                    image: function.image.map_or(NONE, |image| image.0),
                    time_limit: function.limits.time.as_nanos(),
                    ram_limit: function.limits.ram,
                    disk_limit: function.limits.disk,
                    idle_containers: idle.as_slice().into(),
                    image_in_ram: sites.map_or(cluster.up().view(), |sites| sites.in_ram().view()),
                    image_loading: sites.map_or(NodeSet::empty(), |sites| sites.loading().view()),
                    image_on_disk: sites.map_or(cluster.up().view(), |sites| sites.on_disk().view()),
                    image_copying: sites.map_or(NodeSet::empty(), |sites| sites.copying().view()),
                }
            })
            .collect();
        let view = cluster.batch_view(requests, &functions, kernel.now());
        self.policies.plan(&view)
    }

    fn check_image(&self, image: u32) -> Result<ImageId, Box<Error>> {
        if self.registry.images().find(ImageId(image)).is_none() {
            return Err(self.wrong_item(format!("names image {image} of {}", self.registry.images().len())));
        }
        Ok(ImageId(image))
    }

    fn check_up(&self, node: u32) -> Result<NodeId, Box<Error>> {
        if self.cluster.up().contains(NodeId(node)) {
            Ok(NodeId(node))
        } else {
            Err(self.wrong_node(node, Method::Plan))
        }
    }

    fn wrong_item(&self, cause: String) -> Box<Error> {
        self.policies.error(Mistake::new(PolicySlot::NodeAllocation, Method::Plan, cause))
    }
}
