//! Eviction by an object of Python.

use hearth_policy_api::{Creation, Eviction, EvictionItem, EvictionRules, Need, Offer, Removal, Touch, Victims};
use pyo3::intern;
use pyo3::prelude::*;

use super::answers::unfit;
use super::instance::{Instance, Method};
use super::records::{Item, Needed, seconds};

/// Eviction by an object of Python.
pub struct Policy {
    instance: Instance,
    insert: Method,
    touch: Method,
    remove: Method,
    choose: Py<PyAny>,
    created: Method,
    ended: Method,
    on_timer: Method,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let (choose, [insert, touch, remove, created, ended, on_timer]) = instance.with(|py| {
            let method = |name| instance.method(py, name);
            let methods = [
                method("insert")?,
                method("touch")?,
                method("remove")?,
                method("created")?,
                method("ended")?,
                method("on_timer")?,
            ];
            Ok((instance.object.getattr(py, "choose")?, methods))
        });
        Self { instance, insert, touch, remove, choose, created, ended, on_timer }
    }
}

impl Eviction for Policy {
    fn rules(&self) -> EvictionRules {
        let observes_containers = self.created.is_some() || self.ended.is_some();
        self.instance
            .with(|py| Ok(EvictionRules { observes_containers, hears_late: self.instance.rule(py, "hears_late")? }))
    }

    fn insert(&mut self, item: &EvictionItem) {
        if let Some(method) = &self.insert {
            self.instance.with(|py| method.call1(py, (Item(*item),)).map(drop));
        }
    }

    fn touch(&mut self, id: u32, touch: Touch, now: u64) {
        if let Some(method) = &self.touch {
            self.instance.with(|py| {
                let why = match touch {
                    Touch::Use => intern!(py, "use"),
                    Touch::Load => intern!(py, "load"),
                };
                method.call1(py, (id, why, seconds(now))).map(drop)
            });
        }
    }

    fn remove(&mut self, id: u32, removal: Removal, now: u64) {
        if let Some(method) = &self.remove {
            self.instance.with(|py| {
                let why = match removal {
                    Removal::Evicted => intern!(py, "evicted"),
                    Removal::Taken => intern!(py, "taken"),
                    Removal::Ended => intern!(py, "ended"),
                };
                method.call1(py, (id, why, seconds(now))).map(drop)
            });
        }
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        self.instance.with(|py| {
            let answer = self.choose.call1(py, (Needed(*need),))?.into_bound(py);
            let expected = "the ids of items, those that go first before others";
            let chosen = answer.try_iter().map_err(|_| unfit(&answer, "choose", expected))?;
            for victim in chosen {
                let victim = victim?;
                let id: u32 = victim.extract().map_err(|_| unfit(&victim, "choose", expected))?;
                if victims.offer(id) == Offer::Enough {
                    break;
                }
            }
            Ok(())
        });
    }

    fn created(&mut self, container: &EvictionItem, creation: Creation) {
        if let Some(method) = &self.created {
            self.instance.with(|py| {
                let why = match creation {
                    Creation::Invocation => intern!(py, "invocation"),
                    Creation::Prewarming => intern!(py, "prewarming"),
                };
                method.call1(py, (Item(*container), why)).map(drop)
            });
        }
    }

    fn ended(&mut self, id: u32, now: u64) {
        if let Some(method) = &self.ended {
            self.instance.with(|py| method.call1(py, (id, seconds(now))).map(drop));
        }
    }

    fn on_timer(&mut self, timer: u64, now: u64) {
        if let Some(method) = &self.on_timer {
            self.instance.with(|py| method.call1(py, (timer, seconds(now))).map(drop));
        }
    }
}
