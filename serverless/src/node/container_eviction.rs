//! What the eviction policy of a node hears of its containers, and which it chooses.

use hearth_policy_api::boundary::EvictionObject;
use hearth_policy_api::{Creation, EvictionItem, EvictionRules, Need, Removal};
use slab::Slab;

use super::victims::{Candidate, VictimList};
use super::{Container, ContainerId, Spell};
use hearth_simcore::time::SimTime;

use crate::function::FunctionId;
use crate::policy::{Hosted, Method, Mistake};
use crate::table::Identifier;

/// What is kept of containers that have been taken before the policy heard of them, at the least.
const FEW: usize = 64;

/// An eviction policy, and what it has not heard yet.
#[derive(Debug)]
pub(crate) struct ContainerEviction {
    policy: Hosted<EvictionObject>,
    /// It hears of containers in use.
    observes: bool,
    /// It hears of idle containers when it is asked to choose.
    hears_late: bool,
    /// Those that have become idle since, in that order, and in which spell; many have been taken by now.
    untold: Vec<(ContainerId, Spell)>,
}

impl ContainerEviction {
    /// Asks a policy what it wants to hear.
    pub fn new(mut policy: Hosted<EvictionObject>) -> Result<Self, Mistake> {
        let EvictionRules { observes_containers: observes, hears_late } = policy.rules()?;
        Ok(Self { policy, observes, hears_late: hears_late && !observes, untold: Vec::new() })
    }

    /// Tells a policy that comes late of the containers that there are: of all that were made, in that order, if it wants to know of
    /// containers in use, and of those that are idle in the order in which they became so.
    pub fn take_over(
        &mut self,
        containers: &mut Slab<Container>,
        item: impl Fn(FunctionId, ContainerId, SimTime, SimTime) -> EvictionItem,
    ) {
        if self.observes {
            let mut all: Vec<_> = containers.iter().map(|(position, held)| (held.created, position)).collect();
            all.sort_unstable();
            for (created, position) in all {
                if let Some(held) = containers.get(position) {
                    let container = item(held.function, ContainerId::at(position), created, SimTime::MAX);
                    let is_ahead = held.holder.is_none() && held.idle.is_none();
                    let creation = if is_ahead { Creation::Prewarming } else { Creation::Invocation };
                    self.policy.created(&container, creation);
                }
            }
        }
        let spell = |(position, held): (usize, &Container)| Some((held.idle.as_ref()?.spell, position));
        let mut idle: Vec<_> = containers.iter().filter_map(spell).collect();
        idle.sort_unstable();
        for (spell, position) in idle {
            let (id, hears_late) = (ContainerId::at(position), self.hears_late);
            let Some(held) = containers.get_mut(position) else { continue };
            let function = held.function;
            let Some(idle) = held.idle.as_mut() else { continue };
            idle.is_told = !hears_late;
            if hears_late {
                self.untold.push((id, spell));
            } else {
                let item = item(function, id, idle.since, idle.expires);
                self.policy.insert(&item);
            }
        }
    }

    /// Whether it wants to know of containers in use.
    #[inline]
    pub fn observes(&self) -> bool {
        self.observes
    }

    /// A timer of the policy has gone off.
    pub fn on_timer(&mut self, timer: u64, now: SimTime) {
        self.policy.on_timer(timer, now.as_nanos());
    }

    /// Tells a policy that wants to know of a container that was made and is in use.
    pub fn enter_use(&mut self, creation: Creation, container: &EvictionItem) {
        self.policy.created(container, creation);
    }

    /// Tells a policy that wants to know of a container that has ended while it was in use.
    pub fn end_use(&mut self, container: ContainerId) {
        if self.observes {
            self.policy.ended(container.0);
        }
    }

    /// Tells of a container that becomes idle in a spell, now or when the policy is asked; gives whether it has.
    #[inline]
    pub fn enter_idle(
        &mut self,
        (container, spell): (ContainerId, Spell),
        item: impl FnOnce() -> EvictionItem,
        containers: &Slab<Container>,
    ) -> bool {
        if !self.hears_late {
            self.policy.insert(&item());
            return true;
        }
        if self.untold.len() >= FEW + 2 * containers.len() {
            self.untold.retain(|(container, spell)| is_untold(containers, *container, *spell));
        }
        self.untold.push((container, spell));
        false
    }

    /// Tells of a container that is no longer idle, if the policy has heard of it.
    #[inline]
    pub fn leave_idle(&mut self, container: ContainerId, is_told: bool, removal: Removal) {
        if is_told {
            self.policy.remove(container.0, removal);
        }
    }

    /// Has the policy choose idle containers that meet a need together, into `victims`.
    pub fn choose(
        &mut self,
        need: &Need,
        containers: &mut Slab<Container>,
        victims: &mut Vec<u32>,
        spared: Option<ContainerId>,
        item_of: impl Fn(ContainerId, &Container) -> Option<EvictionItem>,
    ) -> Result<(), Mistake> {
        for (id, spell) in self.untold.drain(..) {
            if is_untold(containers, id, spell)
                && let Some(container) = containers.get_mut(id.position())
                && let Some(item) = item_of(id, container)
            {
                self.policy.insert(&item);
                container.idle.as_mut().into_iter().for_each(|idle| idle.is_told = true);
            }
        }
        let mut victims = VictimList::new(need, victims, |id| {
            let item = containers.get(id as usize).and_then(|container| item_of(ContainerId(id), container));
            match item {
                None => Candidate::Unknown,
                Some(_) if spared == Some(ContainerId(id)) => Candidate::Pinned,
                Some(EvictionItem { ram, disk, .. }) => Candidate::Evictable { ram, disk },
            }
        });
        self.policy.choose(need, &mut victims)?;
        victims.finish().map_err(|cause| self.policy.mistake(Method::Choose, cause))
    }
}

/// Whether a container is idle in this spell, and the policy has not heard of it.
fn is_untold(containers: &Slab<Container>, container: ContainerId, spell: Spell) -> bool {
    let idle = containers.get(container.position()).and_then(|container| container.idle.as_ref());
    idle.is_some_and(|idle| idle.spell == spell && !idle.is_told)
}
