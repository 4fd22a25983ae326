//! Plans for the whole queue, and whether they make sense.

use super::super::asked::answer;
use super::super::fault::Fault;
use super::super::model::Choice;
use super::Play;
use super::place::wrong_container;
use crate::{Commitment, PlanItem, RequestView};

/// What a policy was shown that plans, and what its plan has taken of it.
struct Shown {
    queue: Vec<RequestView>,
    /// Whether an item has placed the request, by position.
    placed: Vec<bool>,
    /// By node, function and number: the idle containers that no item has taken.
    idle: Vec<(u32, usize, u32)>,
}

impl Play<'_> {
    /// Has the policy plan for all that wait, and carries the plan out.
    pub(super) fn plan_all(&mut self) -> Result<(), Fault> {
        if self.model.queue.is_empty() {
            return Ok(());
        }
        self.plan.clear();
        let (policy, plan) = (&mut self.policy, &mut self.plan);
        answer("plan", || self.model.show_batch(|batch| policy.plan(batch, plan)))?;
        let items: Vec<PlanItem> = self.plan.to_vec();
        self.log.note(format!("plan({} waiting): {items:?}", self.model.queue.len()));
        let queue = self.model.queue.clone();
        let mut shown = Shown { placed: vec![false; queue.len()], queue, idle: self.model.idle_containers() };
        for item in items {
            match item {
                PlanItem::Run { request, node } => self.run(request, (node, Choice::Any), &mut shown)?,
                PlanItem::RunWarm { request, node, container } => {
                    self.run(request, (node, Choice::Warm(container)), &mut shown)?;
                }
                PlanItem::RunCold { request, node } => self.run(request, (node, Choice::Cold), &mut shown)?,
                PlanItem::Load { image, node } | PlanItem::Copy { image, node } => {
                    if shown.queue.iter().all(|request| request.image != image) {
                        return Err(format!("moves image {image}, which nobody waits for").into());
                    }
                    self.check_up(node)?;
                    self.model.copy(image as usize, node);
                }
            }
        }
        Ok(())
    }

    /// Places a request, by its position in the queue. A container that is named may have made room for a new one by then: nothing
    /// comes of it.
    fn run(&mut self, request: u32, (node, choice): (u32, Choice), shown: &mut Shown) -> Result<(), Fault> {
        let position = request as usize;
        let (Some(waiting), Some(is_placed)) = (shown.queue.get(position), shown.placed.get_mut(position)) else {
            return Err(format!("plans request {request} of {}", shown.queue.len()).into());
        };
        if std::mem::replace(is_placed, true) {
            return Err(format!("plans request {request} twice").into());
        }
        self.check_up(node)?;
        if let Choice::Warm(container) = choice {
            let named = (node, waiting.function as usize, container);
            let Some(idle) = shown.idle.iter().position(|idle| *idle == named) else {
                return Err(wrong_container((node, container), waiting).into());
            };
            if self.model.view(node).free_cores > 0 {
                shown.idle.swap_remove(idle);
            }
        }
        self.has_placed = true;
        if self.model.place(waiting, (node, choice), self.rules.commitment == Commitment::UntilStarted) {
            self.model.leave(waiting);
        }
        Ok(())
    }

    fn check_up(&self, node: u32) -> Result<(), Fault> {
        if self.model.is_up(node) {
            Ok(())
        } else {
            Err(format!("plans for node {node}, which is not there or down").into())
        }
    }
}
