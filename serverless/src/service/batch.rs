//! Rounds in which the policy plans for the whole queue at once.

use hearth_policy_api::{BatchView, FunctionView, NONE, NodeSet, PlanItem, RVec, RequestView};
use hearth_simcore::kernel::Kernel;

use super::Service;
use super::event::Event;
use super::scheduling::{Entry, Plan, WaitingQueue};
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::policy::{Call, PolicyFault, PolicySlot};

impl Service {
    /// Shows the policy the queue and puts its items into the plan, in their order.
    pub(crate) fn plan_batch(&mut self, plan: &mut Plan, kernel: &mut Kernel<Event>) -> Result<(), Error> {
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
                    if !self.cluster.up.contains(node) {
                        return Err(self.wrong_node(node, Call::Plan));
                    }
                    self.decide(entry, node, view, plan);
                }
                PlanItem::Load { image, node } => {
                    let image = self.check_image(image, node)?;
                    self.plan_load(node, image, plan);
                }
                PlanItem::Copy { image, node } => {
                    let image = self.check_image(image, node)?;
                    self.plan_copy(node, image, plan);
                }
            }
        }
        Ok(())
    }

    fn queue_views(&self) -> (Vec<Entry>, Vec<RequestView>) {
        let WaitingQueue::Ordered(queue) = &self.queue else {
            return (Vec::new(), Vec::new());
        };
        let waiting = (0..queue.end()).filter_map(|position| queue.get(position).map(|entry| (position, entry)));
        waiting.map(|(position, entry)| (Entry { key: entry.key, position }, entry.request)).unzip()
    }

    fn ask_for_plan(&mut self, requests: &[RequestView], kernel: &Kernel<Event>) -> Result<RVec<PlanItem>, Error> {
        let mut numbers: Vec<u32> = requests.iter().map(|request| request.function).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let nodes = 0..self.cluster.nodes.len() as u32;
        let idle: Vec<Vec<u32>> = numbers
            .iter()
            .map(|function| nodes.clone().map(|node| self.cluster.idle_count(node, FunctionId(*function))).collect())
            .collect();
        let cluster = &self.cluster;
        let functions: Vec<FunctionView<'_>> = numbers
            .iter()
            .zip(&idle)
            .map(|(&number, idle)| {
                let function = &self.functions[number as usize];
                let sites = function.image.map(|image| &cluster.images[image.0 as usize]);
                FunctionView {
                    function: number,
                    image: function.image.map_or(NONE, |image| image.0),
                    time_limit: function.limits.time.as_nanos(),
                    ram_limit: function.limits.ram,
                    disk_limit: function.limits.disk,
                    idle_containers: idle.as_slice().into(),
                    image_in_ram: sites.map_or(cluster.up.view(), |sites| sites.in_ram.view()),
                    image_loading: sites.map_or(NodeSet::empty(), |sites| sites.loading.view()),
                    image_on_disk: sites.map_or(cluster.up.view(), |sites| sites.on_disk.view()),
                    image_copying: sites.map_or(NodeSet::empty(), |sites| sites.copying.view()),
                }
            })
            .collect();
        let view = BatchView {
            now: kernel.now().as_nanos(),
            nodes: cluster.views.as_slice().into(),
            up: cluster.up.view(),
            queue: requests.into(),
            functions: functions.as_slice().into(),
        };
        let mut items = RVec::new();
        let planned = self.node_allocation.plan(&view, &mut items);
        planned.map_err(|fault| self.fault(PolicySlot::NodeAllocation, fault))?;
        Ok(items)
    }

    fn check_image(&self, image: u32, node: u32) -> Result<ImageId, Error> {
        if image as usize >= self.images.len() {
            return Err(self.wrong_item(format!("names image {image} of {}", self.images.len())));
        }
        if !self.cluster.up.contains(node) {
            return Err(self.wrong_node(node, Call::Plan));
        }
        Ok(ImageId(image))
    }

    fn wrong_item(&self, cause: String) -> Error {
        self.fault(PolicySlot::NodeAllocation, PolicyFault::new(Call::Plan, cause))
    }
}
