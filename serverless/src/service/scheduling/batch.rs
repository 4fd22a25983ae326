//! Rounds in which the policy plans for the whole queue at once.

use hearth_policy_api::boundary::ContainersOf;
use hearth_policy_api::{FunctionView, NONE, NodeSet, PlanItem};
use hearth_simcore::kernel::Kernel;

use super::plan::{Choice, Manner, Wanted};
use super::{Entry, Plan};
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, NodeId};
use crate::policy::{Method, Mistake, PolicySlot};
use crate::service::Service;
use crate::service::attempts::WaitingQueue;
use crate::service::containers::ShownContainers;
use crate::service::event::Event;

/// What the policy has planned. The buffers are kept from round to round.
#[derive(Debug, Default)]
pub(crate) struct BatchPlan {
    items: Vec<PlanItem>,
    /// Whether an item has placed the request, by position.
    placed: Vec<bool>,
}

impl Service {
    /// Shows the policy the queue and puts its items into the plan, in their order.
    pub(crate) fn plan_batch(&mut self, plan: &mut Plan, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        // From here to the end of the round positions in the queue are those that the policy is shown.
        self.attempts.straighten();
        let mut batch = std::mem::take(&mut self.rounds.batch);
        batch.items.clear();
        self.ask_for_plan(&mut batch.items, kernel)?;
        batch.placed.clear();
        batch.placed.resize(self.attempts.queue().len(), false);
        let manner = self.manner();
        for item in &batch.items {
            match *item {
                PlanItem::Run { request, node } => {
                    self.plan_run((request, node, Choice::Any), &mut batch.placed, plan, manner)?;
                }
                PlanItem::RunWarm { request, node, container } => {
                    let choice = Choice::Warm(ContainerId(container));
                    self.plan_run((request, node, choice), &mut batch.placed, plan, manner)?;
                }
                PlanItem::RunCold { request, node } => {
                    self.plan_run((request, node, Choice::Cold), &mut batch.placed, plan, manner)?;
                }
                PlanItem::Load { image, node } => {
                    let (image, node) = (self.check_image(image)?, self.check_up(node)?);
                    plan.load(node, image, &mut self.cluster);
                }
                PlanItem::Copy { image, node } => {
                    let (image, node) = (self.check_image(image)?, self.check_up(node)?);
                    plan.copy(node, image, &mut self.cluster);
                }
            }
        }
        self.rounds.batch = batch;
        Ok(())
    }

    fn plan_run(
        &mut self,
        (request, node, choice): (u32, u32, Choice),
        placed: &mut [bool],
        plan: &mut Plan,
        manner: Manner,
    ) -> Result<(), Box<Error>> {
        let position = request as usize;
        let waiting = match self.attempts.queue() {
            WaitingQueue::Ordered(queue) => queue.at(position),
            WaitingQueue::ByFunction(_) => None,
        };
        let (Some((key, view)), Some(is_placed)) = (waiting, placed.get_mut(position)) else {
            return Err(self.wrong_item(format!("names request {request} of {}", placed.len())));
        };
        if std::mem::replace(is_placed, true) {
            return Err(self.wrong_item(format!("places request {request} twice")));
        }
        let wanted = Wanted::by(Entry { key, function: FunctionId(view.function), position }, view);
        let (function, node) = (FunctionId(view.function), self.check_up(node)?);
        if !self.cluster.can_take(node, function, choice) {
            return Err(self.wrong_choice(node, function, choice, Method::Plan));
        }
        plan.decide(&wanted, (node, choice), &mut self.cluster, manner);
        Ok(())
    }

    fn ask_for_plan(&mut self, items: &mut Vec<PlanItem>, kernel: &Kernel<Event>) -> Result<(), Box<Error>> {
        let Self { attempts, cluster, registry, policies, container_lists, .. } = self;
        let WaitingQueue::Ordered(queue) = attempts.queue() else { return Ok(()) };
        queue.functions().iter().for_each(|function| cluster.count_idle(*function));
        let cluster = &*cluster;
        let view = |id: &FunctionId| {
            let function = registry.function(*id);
            let sites = function.image.map(|image| cluster.sites(image));
            FunctionView {
                function: id.0,
                image: function.image.map_or(NONE, |image| image.0),
                time_limit: function.limits.time.as_nanos(),
                ram_limit: function.limits.ram,
                disk_limit: function.limits.disk,
                idle_containers: cluster.idle_counts(*id).into(),
                image_in_ram: sites.map_or(cluster.up().view(), |sites| sites.in_ram().view()),
                image_loading: sites.map_or(NodeSet::empty(), |sites| sites.loading().view()),
                image_on_disk: sites.map_or(cluster.up().view(), |sites| sites.on_disk().view()),
                image_copying: sites.map_or(NodeSet::empty(), |sites| sites.copying().view()),
                ..FunctionView::default()
            }
        };
        let functions: Vec<FunctionView<'_>> = queue.functions().iter().map(view).collect();
        let sees_history = policies.rules().sees_history;
        let shown = ShownContainers::new(cluster, attempts, container_lists, kernel.now());
        let containers = ContainersOf::new(&shown);
        let view = cluster.batch_view(queue.requests(), &functions, kernel.now(), sees_history, containers);
        policies.plan(&view, items)
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
