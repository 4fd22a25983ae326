//! What containers keep for themselves of the processors of a node, where these are shared.

use crate::function::MILLIONTHS;

/// Cores in millionths, so that sums are exact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedProcessors {
    all: u64,
    /// Kept for the containers that there are.
    reserved: u64,
    /// Of these, for idle ones.
    idle: u64,
    /// For those that will be made for who is bound to the node.
    promised: u64,
    /// For those that a round of scheduling has decided on.
    planned: u64,
}

impl SharedProcessors {
    /// Those of a node of so many cores.
    pub fn of(cores: u32) -> Self {
        Self { all: (f64::from(cores) * MILLIONTHS) as u64, reserved: 0, idle: 0, promised: 0, planned: 0 }
    }

    /// What is kept for nobody.
    fn left(&self) -> u64 {
        self.all.saturating_sub(self.reserved + self.promised + self.planned)
    }

    /// How many cores a policy is shown as free: those that are kept for nobody, rounded down; but one where it is less and yet
    /// something can start, because a container has room that needs the `least`, or because containers are idle.
    pub fn shown_free(&self, least: u64, idle_containers: u32) -> u32 {
        let left = self.left();
        match u32::try_from(left / MILLIONTHS as u64).unwrap_or(u32::MAX) {
            0 => u32::from(left >= least || idle_containers > 0),
            whole => whole,
        }
    }

    /// Whether there is room for a container, beside what is promised, if idle ones may be ended for it.
    pub fn can_hold(&self, wanted: u64) -> bool {
        wanted <= self.left().saturating_add(self.idle)
    }

    /// Whether room can be promised for one more container, beside what is promised, if idle ones may be ended for all of them.
    pub fn can_promise(&self, wanted: u64) -> bool {
        self.reserved + self.promised + self.planned + wanted <= self.all + self.idle
    }

    /// Whether there is room beside what is promised.
    pub fn has_room_beside_promised(&self, wanted: u64) -> bool {
        self.reserved + self.promised + wanted <= self.all
    }

    /// What is short for a container, whatever is promised.
    pub fn short_by(&self, wanted: u64) -> u64 {
        (self.reserved + wanted).saturating_sub(self.all)
    }

    /// Whether a container has room once idle ones have ended, whatever is promised.
    pub fn may_hold(&self, wanted: u64) -> bool {
        self.short_by(wanted) <= self.idle
    }

    /// What a container that is to start may have, and what idle ones hold beside that.
    pub fn free_and_idle(&self) -> (u64, u64) {
        (self.left(), self.idle)
    }

    /// What is kept for containers, or promised to some.
    pub fn taken(&self) -> u64 {
        self.reserved + self.promised
    }

    pub fn reserve(&mut self, cores: u64) {
        self.reserved += cores;
    }

    pub fn release(&mut self, cores: u64) {
        self.reserved -= cores;
    }

    pub fn enter_idle(&mut self, cores: u64) {
        self.idle += cores;
    }

    pub fn leave_idle(&mut self, cores: u64) {
        self.idle -= cores;
    }

    pub fn promise(&mut self, cores: u64) {
        self.promised += cores;
    }

    pub fn redeem(&mut self, cores: u64) {
        self.promised -= cores;
    }

    pub fn plan(&mut self, cores: u64) {
        self.planned += cores;
    }

    pub fn unplan(&mut self) {
        self.planned = 0;
    }

    /// What containers keep, and the idle ones of them.
    #[cfg(test)]
    pub fn kept(&self) -> (u64, u64) {
        (self.reserved, self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: u64 = 1_000_000;

    #[test]
    fn what_is_free_is_shown_in_whole_cores_and_as_one_as_long_as_something_can_start() {
        let mut two = SharedProcessors::of(2);
        assert_eq!(two.shown_free(0, 0), 2);
        two.reserve(CORE / 2);
        assert_eq!(two.shown_free(CORE / 2, 0), 1, "one and a half");
        two.promise(CORE);
        assert_eq!((two.shown_free(CORE / 2, 0), two.shown_free(CORE / 2 + 1, 0)), (1, 0), "a half");
        two.plan(CORE / 2);
        assert_eq!((two.shown_free(1, 0), two.shown_free(1, 1), two.shown_free(0, 0)), (0, 1, 1), "nothing");
        two.unplan();
        two.redeem(CORE);
        assert_eq!(two.shown_free(CORE, 0), 1);
    }

    #[test]
    fn room_may_be_made_of_idle_containers() {
        let mut two = SharedProcessors::of(2);
        two.reserve(CORE + CORE / 2);
        assert!(two.can_hold(CORE / 2) && !two.can_hold(CORE / 2 + 1) && !two.may_hold(CORE));
        two.enter_idle(CORE);
        assert!(two.can_hold(CORE) && two.may_hold(CORE) && !two.has_room_beside_promised(CORE));
        assert_eq!((two.short_by(CORE), two.short_by(CORE / 2)), (CORE / 2, 0));
    }

    #[test]
    fn what_idle_containers_leave_is_promised_once() {
        let mut two = SharedProcessors::of(2);
        two.reserve(2 * CORE);
        two.enter_idle(CORE);
        assert!(two.can_promise(CORE) && !two.can_promise(CORE + 1));
        two.promise(CORE);
        assert!(two.may_hold(CORE) && !two.can_promise(1), "the idle one is to end for whom it is promised to");
        two.redeem(CORE);
        assert!(two.can_promise(CORE));
    }
}
