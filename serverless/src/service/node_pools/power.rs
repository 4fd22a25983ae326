//! Nodes of pools are switched on and off.

use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::random::stream;
use hearth_simcore::simulation::UnknownHost;

use super::{Member, Pool, State};
use crate::distribution::Distribution;
use crate::error::Error;
use crate::metrics::PoolUse;
use crate::node::{NodeId, NodePool};
use crate::results::NodeRecord;
use crate::service::Service;
use crate::service::event::{Event, Happening, Message};

impl Service {
    /// Has nodes come and go in pools from now on. Before anybody asks for anything, and once.
    pub(crate) fn set_node_pools(&mut self, pools: &[NodePool], kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for pool in pools {
            self.add_node_pool(pool, kernel)?;
        }
        self.node_pools.ticks.set_period(self.policies.cluster_autoscaling_rules().period);
        self.announce_nodes();
        self.await_pool_tick(kernel);
        Ok(())
    }

    fn add_node_pool(&mut self, settings: &NodePool, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let name = &settings.name;
        let wrong = |problem: String| Box::new(Error::NodePool { pool: name.clone(), problem });
        let platform = Rc::clone(kernel.platform());
        let mut nodes = Vec::new();
        for pattern in &settings.nodes {
            let hosts = platform.hosts_matching(pattern);
            if hosts.is_empty() {
                return Err(Box::new(UnknownHost(pattern.clone()).into()));
            }
            for host in hosts {
                let host_name = &platform.host(host).name;
                let Some(node) = self.cluster.node_on(host) else {
                    return Err(wrong(format!("{host_name:?} is no node of the service: name it in service.nodes")));
                };
                if host == self.head.host() || host == self.registry.host() {
                    return Err(wrong(format!("{host_name:?} is the head or the registry, which stay")));
                }
                if self.node_pools.members.contains_key(&node) || nodes.contains(&node) {
                    return Err(wrong(format!("node {host_name:?} is named twice: a node is in one pool, once")));
                }
                nodes.push(node);
            }
        }
        nodes.sort_unstable();
        let count = nodes.len() as u32;
        let NodePool { min, initial, keeps_disk, price_per_hour, .. } = *settings;
        let max = settings.max.min(count);
        if min > max {
            let most = if min > count { format!("there are {count}") } else { format!("at most {max}") };
            return Err(wrong(format!("at least {min} nodes are to be on, and {most}")));
        }
        let (now, pool) = (kernel.now(), self.node_pools.pools.len());
        let mut used = PoolUse::new(price_per_hour);
        let on_at_begin = initial.clamp(min, max) as usize;
        for (position, node) in nodes.iter().enumerate() {
            let (state, up_at) = if position < on_at_begin { (State::Up, Some(now)) } else { (State::Off, None) };
            let member = Member { pool, state, since: now, asked_at: now, up_at, draining_at: None };
            self.node_pools.members.insert(*node, member);
            match up_at {
                Some(_) => used.node_on(now, self.books.metrics.window()),
                None => {
                    self.cluster.take_down(*node, now);
                    kernel.fail_host(self.cluster.node(*node).host);
                }
            }
        }
        self.node_pools.pools.push(Pool {
            min,
            max,
            nodes,
            boot: settings.boot.as_ref().map(Distribution::sampler),
            random: stream(kernel.seed(), &format!("boots of node pool {name}")),
            keeps_disk,
        });
        self.books.metrics.node_pools.push(used);
        Ok(())
    }

    /// A node that is off begins to boot.
    pub(super) fn boot_node(&mut self, node: NodeId, kernel: &mut Kernel<Event>) {
        let now = kernel.now();
        let Some(member) = self.node_pools.members.get_mut(&node) else { return };
        let Some(pool) = self.node_pools.pools.get_mut(member.pool) else { return };
        let booted = kernel.schedule_cancellable(pool.draw_boot(), Event(Happening::NodeBooted(node)));
        *member = Member {
            state: State::Booting(booted),
            since: now,
            asked_at: now,
            up_at: None,
            draining_at: None,
            ..*member
        };
        let (pool, window) = (member.pool, self.books.metrics.window());
        if let Some(used) = self.books.metrics.node_pools.get_mut(pool) {
            used.booted += 1;
            used.node_on(now, window);
        }
        self.cluster.switch_on(node, now, window);
    }

    /// A node has booted. If its host is down by a fault, it is there when that is over.
    pub(in crate::service) fn node_booted(&mut self, node: NodeId, kernel: &mut Kernel<Event>) {
        let Some(member) = self.node_pools.members.get_mut(&node) else { return };
        (member.state, member.since, member.up_at) = (State::Up, kernel.now(), Some(kernel.now()));
        let host = self.cluster.node(node).host;
        if !self.recovery.faults.is_host_out(host) {
            self.restore_host(host, kernel);
        }
        self.head.receive(Message::Changed);
    }

    /// A node on which nobody is goes off.
    pub(super) fn switch_off(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let now = kernel.now();
        let Some(member) = self.node_pools.members.get_mut(&node) else { return Ok(()) };
        let record = member.record(node);
        let before = std::mem::replace(&mut member.state, State::Off);
        member.since = now;
        let pool = member.pool;
        let keeps_disk = self.node_pools.pools.get(pool).is_some_and(|pool| pool.keeps_disk);
        let host = self.cluster.node(node).host;
        match before {
            State::Booting(booted) => {
                kernel.cancel(booted);
                self.cluster.switch_off(node, now);
            }
            State::Draining => {
                self.node_pools.draining.remove(&node);
                self.cluster.uncordon(node, false);
                if kernel.is_up(host) {
                    self.fail_host(host, !keeps_disk, kernel)?;
                } else if !keeps_disk {
                    self.lose_disk(host);
                }
            }
            State::Up | State::Off => {}
        }
        let window = self.books.metrics.window();
        if let Some(used) = self.books.metrics.node_pools.get_mut(pool) {
            used.node_off(now, window);
        }
        self.books.write_node(&NodeRecord { off_at: Some(now), ..record })?;
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// Writes of the nodes of pools that are on.
    pub(in crate::service) fn write_remaining_nodes(&mut self) -> Result<(), Error> {
        let on = self.node_pools.members.iter().filter(|(_, member)| !matches!(member.state, State::Off));
        let mut remaining: Vec<NodeRecord> = on.map(|(node, member)| member.record(*node)).collect();
        remaining.sort_by_key(|record| (record.asked_at, record.node));
        remaining.iter().try_for_each(|record| self.books.write_node(record))
    }
}

impl Member {
    fn record(&self, node: NodeId) -> NodeRecord {
        let Self { pool, asked_at, up_at, draining_at, .. } = *self;
        NodeRecord { node: node.0, pool: pool as u32, asked_at, up_at, draining_at, off_at: None }
    }
}
