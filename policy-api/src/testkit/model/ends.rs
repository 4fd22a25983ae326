//! How attempts end on the kit's cluster, and what follows: the other attempt is stopped, or another one is made.

use super::{Model, Node};
use crate::testkit::census::{Containers, Inside};
use crate::{End, Ending, RequestView, Start};

/// An attempt in a container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub request: RequestView,
    pub container: u32,
    pub start: Start,
    pub since: u64,
    /// When the container was made.
    pub created: u64,
}

/// An idle container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    pub function: usize,
    pub container: u32,
    pub since: u64,
    /// When it was made.
    pub created: u64,
}

impl Running {
    /// Its body has not begun yet: its container takes longer than others.
    pub fn is_starting(&self) -> bool {
        self.start == Start::Cold && self.request.invocation.is_multiple_of(3)
    }

    /// How it ends on a node, with so many idle containers beside its own.
    pub fn end(&self, node: u32, ending: Ending, now: u64, beside: u32) -> End {
        let is_cut_off = !End { ending, ..End::default() }.is_of_whole_run();
        let never_began = is_cut_off && self.is_starting();
        End {
            now,
            node,
            container: self.container,
            start: self.start,
            started_at: if never_began { u64::MAX } else { self.since },
            run_time: if never_began { 0 } else { now - self.since },
            ram: self.request.ram_limit,
            idle_of_function: if is_cut_off { 0 } else { beside + 1 },
            ..end_of(&self.request, ending, now)
        }
    }
}

/// The end of an attempt that has no place.
pub(in crate::testkit) fn end_of(request: &RequestView, ending: Ending, now: u64) -> End {
    let RequestView { invocation, attempt, function, key, .. } = *request;
    End { now, invocation, attempt, function, ending, key, ..End::default() }
}

impl Model {
    /// Where the attempt of this number runs, counted over all nodes and round.
    fn running(&self, which: usize) -> Option<(usize, usize)> {
        let mut left = which.checked_rem(self.nodes.iter().map(|node| node.running.len()).sum())?;
        for (number, node) in self.nodes.iter().enumerate() {
            if left < node.running.len() {
                return Some((number, left));
            }
            left -= node.running.len();
        }
        None
    }

    /// Which containers there are.
    pub fn containers(&self) -> Containers {
        let of = |(number, node): (usize, &Node)| {
            let number = number as u32;
            let running = node.running.iter().map(move |one| {
                let RequestView { invocation, attempt, function, .. } = one.request;
                ((number, one.container), (function, Inside::Attempt(invocation, attempt)))
            });
            let idle = node.idle.iter();
            let idle = idle.map(move |idle| ((number, idle.container), (idle.function as u32, Inside::Nobody)));
            running.chain(idle).collect::<Vec<_>>()
        };
        self.nodes.iter().enumerate().flat_map(of).collect()
    }

    /// Ends the attempt of this number; its container becomes idle if its body has come to an end.
    pub fn finish(&mut self, which: usize, ending: Ending) -> Option<End> {
        let (number, position) = self.running(which)?;
        Some(self.end_running(number, position, ending))
    }

    fn end_running(&mut self, number: usize, position: usize, ending: Ending) -> End {
        let node = &mut self.nodes[number];
        let ended = node.running.remove(position);
        let function = ended.request.function as usize;
        let beside = node.idle.iter().filter(|idle| idle.function == function).count() as u32;
        let end = ended.end(number as u32, ending, self.now, beside);
        if end.is_of_whole_run() {
            let Running { container, created, .. } = ended;
            node.idle.push(Idle { function, container, since: self.now, created });
        }
        self.changed.insert(number as u32);
        end
    }

    /// Asks a second time for the invocation of an attempt that runs.
    pub fn hedge(&mut self, which: usize) -> Option<RequestView> {
        let (number, position) = self.running(which)?;
        self.hedge_of(self.nodes[number].running[position].request.key)
    }

    /// Asks a second time for the invocation of the attempt that a key names, wherever that is.
    pub fn hedge_of(&mut self, key: u64) -> Option<RequestView> {
        let running = self.nodes.iter().flat_map(|node| node.running.iter().map(|one| &one.request).chain(&node.bound));
        let waiting = self.queue.iter().chain(self.awaiting.iter().map(|wait| &wait.request));
        let RequestView { invocation, attempt, function, .. } = *running.chain(waiting).find(|of| of.key == key)?;
        let is_first = attempt == 1 && self.hedged.insert(invocation);
        is_first.then(|| self.enter(invocation, 2, function as usize))
    }

    /// An attempt has ended: stops the other one if it has completed, and gives the end of that. Of those that have not
    /// ended well, some are tried again.
    pub fn after(&mut self, end: &End) -> (Option<End>, Option<RequestView>) {
        let twin = if end.ending == Ending::Completed { self.stop(end.invocation) } else { None };
        [Some(end), twin.as_ref()].into_iter().flatten().for_each(|end| self.forget_rank(end.key));
        if self.is_under_way(end.invocation) {
            return (twin, None);
        }
        let attempt = 2 + u32::from(self.hedged.remove(&end.invocation));
        let is_over = matches!(end.ending, Ending::Completed | Ending::Stopped | Ending::Rejected);
        let is_retried = !is_over && attempt > end.attempt && end.invocation.is_multiple_of(2);
        (twin, is_retried.then(|| self.enter(end.invocation, attempt, end.function as usize)))
    }

    fn is_under_way(&self, invocation: u64) -> bool {
        let is_of = |request: &RequestView| request.invocation == invocation;
        let is_on = |node: &Node| node.bound.iter().any(is_of) || node.running.iter().any(|one| is_of(&one.request));
        let awaits = self.awaiting.iter().any(|wait| is_of(&wait.request));
        let stands = self.standing.iter().any(|stand| is_of(&stand.request));
        awaits || stands || self.queue.iter().any(is_of) || self.nodes.iter().any(is_on)
    }

    /// Stops an attempt at an invocation, wherever it is.
    fn stop(&mut self, invocation: u64) -> Option<End> {
        let now = self.now;
        for number in 0..self.nodes.len() {
            let node = &mut self.nodes[number];
            if let Some(position) = node.running.iter().position(|one| one.request.invocation == invocation) {
                return Some(self.end_running(number, position, Ending::Stopped));
            }
            if let Some(position) = node.bound.iter().position(|request| request.invocation == invocation) {
                let request = node.bound.remove(position);
                self.changed.insert(number as u32);
                return Some(End { node: number as u32, ..end_of(&request, Ending::Stopped, now) });
            }
        }
        if let Some(position) = self.awaiting.iter().position(|wait| wait.request.invocation == invocation) {
            return Some(end_of(&self.awaiting.remove(position).request, Ending::Stopped, now));
        }
        if let Some(position) = self.standing.iter().position(|stand| stand.request.invocation == invocation) {
            let stand = self.standing.remove(position);
            self.note_queues(&stand.nodes);
            return Some(end_of(&stand.request, Ending::Stopped, now));
        }
        let position = self.queue.iter().position(|request| request.invocation == invocation)?;
        Some(end_of(&self.queue.remove(position), Ending::Stopped, now))
    }
}
