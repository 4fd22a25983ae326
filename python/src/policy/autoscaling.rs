//! Autoscaling by an object of Python.

use hearth_policy_api::{
    Autoscaling, AutoscalingRules, ClusterView, ContainerEvent, NodeList, NodePoolView, PoolScale, Scale, ScaleView,
};
use pyo3::prelude::*;

use super::answers::{length, unfit};
use super::instance::{Instance, Method};
use super::records::{Instances, Pending, PoolNode, seconds};

/// A pool of nodes that come and go: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all)]
pub struct Pool {
    pool: u32,
    now: f64,
    min: u32,
    max: u32,
    nodes: Vec<Py<PoolNode>>,
    pending: Vec<Py<Pending>>,
    /// How many nodes there are that do not go.
    scale: u32,
}

/// Autoscaling by an object of Python.
pub struct Policy {
    instance: Instance,
    scale: Method,
    scale_pool: Method,
    on_timer: Method,
    on_container: Method,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let [scale, scale_pool, on_timer, on_container] = instance.with(|py| {
            let method = |name| instance.method(py, name);
            Ok([method("scale")?, method("scale_pool")?, method("on_timer")?, method("on_container")?])
        });
        Self { instance, scale, scale_pool, on_timer, on_container }
    }
}

impl Autoscaling for Policy {
    fn rules(&self) -> AutoscalingRules {
        self.instance.with(|py| {
            let period = self.instance.object.getattr(py, "period")?;
            Ok(AutoscalingRules {
                period: length(period.bind(py), "period")?,
                asked_on_requests: self.instance.rule(py, "asked_on_requests")?,
                observes_containers: self.on_container.is_some(),
                scales_pools: self.scale_pool.is_some(),
            })
        })
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let Some(method) = &self.scale else { return Scale { wanted: view.wanted } };
        self.instance.with(|py| {
            let answer = method.call1(py, (Instances(*view),))?.into_bound(py);
            let wanted = answer.extract().map_err(|_| unfit(&answer, "scale", "how many instances there are to be"))?;
            Ok(Scale { wanted })
        })
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        let Some(method) = &self.scale_pool else { return PoolScale::default() };
        self.instance.with(|py| {
            let shown = Pool {
                pool: pool.pool,
                now: seconds(pool.now),
                min: pool.min,
                max: pool.max,
                nodes: pool.nodes.iter().map(|node| Py::new(py, PoolNode(*node))).collect::<PyResult<_>>()?,
                pending: pool.pending.iter().map(|who| Py::new(py, Pending(*who))).collect::<PyResult<_>>()?,
                scale: pool.scale(),
            };
            let answer = method.call1(py, (shown,))?.into_bound(py);
            if answer.is_none() {
                return Ok(PoolScale::default());
            }
            let expected = "how many nodes are to be booted, alone or with a list of those that are to go, or None";
            match (answer.extract::<u32>(), answer.extract::<(u32, Vec<u32>)>()) {
                (Ok(boot), _) => Ok(PoolScale { boot, remove: NodeList::EMPTY }),
                (_, Ok((boot, remove))) => Ok(PoolScale { boot, remove: remove.into() }),
                _ => Err(unfit(&answer, "scale_pool", expected)),
            }
        })
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.instance.on_timer(&self.on_timer, timer, cluster);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.instance.on_container(&self.on_container, event);
    }
}
