//! Who has room where: by RAM and cores.

use hearth_policy_api::{PendingView, PoolNodeView};

/// RAM in bytes and cores in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub ram: u64,
    pub processors: u64,
}

impl Room {
    /// All of a node.
    pub fn of_all(node: &PoolNodeView) -> Self {
        Self { ram: node.ram, processors: node.processors }
    }

    /// What is in use on a node: all but idle containers.
    pub fn in_use(node: &PoolNodeView) -> Self {
        Self { ram: node.used_ram.saturating_sub(node.idle_ram), processors: node.used_processors }
    }

    /// What is left of a node beside that.
    pub fn beside_those_in_use(node: &PoolNodeView) -> Self {
        let (all, used) = (Self::of_all(node), Self::in_use(node));
        Self { ram: all.ram.saturating_sub(used.ram), processors: all.processors.saturating_sub(used.processors) }
    }

    /// Whether that is nothing.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// How many of a size have room here.
    fn fits(self, size: Self) -> u64 {
        let times = |room: u64, size: u64| room.checked_div(size).unwrap_or(u64::MAX);
        times(self.ram, size.ram).min(times(self.processors, size.processors))
    }

    fn take(&mut self, size: Self, count: u64) {
        self.ram = self.ram.saturating_sub(size.ram.saturating_mul(count));
        self.processors = self.processors.saturating_sub(size.processors.saturating_mul(count));
    }
}

/// Puts those who wait where there is room, and then on nodes that are off, each on the first that has room, the greatest first. Gives how
/// many of the latter that takes, from the first to the last that is needed.
pub fn pack<'a>(pending: impl Iterator<Item = &'a PendingView>, there: &mut [Room], off: &mut [Room]) -> usize {
    let mut waiting: Vec<(Room, u64)> =
        pending.map(|of| (Room { ram: of.ram, processors: of.processors }, of.count)).collect();
    waiting.sort_by_key(|(size, _)| std::cmp::Reverse((size.ram, size.processors)));
    let mut needed = 0;
    for (size, mut count) in waiting {
        let known = there.len();
        for (position, room) in there.iter_mut().chain(off.iter_mut()).enumerate() {
            let taken = room.fits(size).min(count);
            if taken > 0 {
                room.take(size, taken);
                count -= taken;
                needed = needed.max((position + 1).saturating_sub(known));
            }
            if count == 0 {
                break;
            }
        }
    }
    needed
}

/// Whether others have room for all that is in use on a node, in pieces of any size.
pub fn takes(there: &[Room], used: Room) -> bool {
    let sum = |of: fn(&Room) -> u64| there.iter().fold(0_u64, |sum, room| sum.saturating_add(of(room)));
    used.ram <= sum(|room| room.ram) && used.processors <= sum(|room| room.processors)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: u64 = 1_000_000;

    fn room(ram: u64, cores: u64) -> Room {
        Room { ram, processors: cores * CORE }
    }

    fn pending(ram: u64, cores: u64, count: u64) -> PendingView {
        PendingView { ram, processors: cores * CORE, count, ..PendingView::default() }
    }

    fn needed(pending: &[PendingView], there: &[Room], off: &[Room]) -> usize {
        pack(pending.iter(), &mut there.to_vec(), &mut off.to_vec())
    }

    #[test]
    fn the_greatest_come_first_and_fill_what_is_there() {
        let four = [room(8, 4); 4];
        assert_eq!(needed(&[pending(4, 1, 3)], &[], &four), 2, "two fill a node");
        assert_eq!(needed(&[pending(4, 1, 3)], &[room(4, 4)], &four), 1);
        assert_eq!(needed(&[pending(1, 1, 4), pending(8, 1, 1)], &[], &four), 2, "the great one has a node of its own");
        assert_eq!(needed(&[pending(1, 3, 2)], &[], &four), 2, "by cores");
        assert_eq!(needed(&[pending(0, 0, 1_000_000)], &[], &four), 1, "who needs nothing needs a node");
    }

    #[test]
    fn who_fits_nowhere_has_no_node_booted() {
        assert_eq!(needed(&[pending(9, 1, 5)], &[], &[room(8, 4); 4]), 0);
        assert_eq!(needed(&[pending(8, 1, 5)], &[], &[room(8, 4); 4]), 4, "and beyond all there are none");
        assert_eq!(
            needed(&[pending(9, 1, 1), pending(2, 1, 1)], &[], &[room(8, 4), room(16, 4)]),
            2,
            "nodes may differ"
        );
    }

    #[test]
    fn what_is_in_use_has_room_elsewhere_or_has_not() {
        assert!(takes(&[room(2, 1), room(2, 1)], room(4, 2)));
        assert!(!takes(&[room(2, 1), room(2, 1)], room(4, 3)));
        assert!(takes(&[], Room::default()));
    }
}
