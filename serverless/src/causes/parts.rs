//! A time, split by cause.

use hearth_simcore::time::SimDuration;

use super::Cause;

/// A time as the sum of parts that have a cause each.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts {
    /// By cause.
    nanos: [u64; Cause::COUNT],
    /// A bit for each cause of which there may be something.
    present: u64,
}

impl Default for Parts {
    fn default() -> Self {
        Self { nanos: [0; Cause::COUNT], present: 0 }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(cause, length)| (cause.name(), length))).finish()
    }
}

impl Parts {
    /// Adds a time with its cause.
    #[inline]
    pub fn add(&mut self, cause: Cause, length: SimDuration) {
        if length > SimDuration::ZERO {
            self.nanos[cause as usize] += length.as_nanos();
            self.present |= 1 << cause as u32;
        }
    }

    /// How much has a cause.
    #[inline]
    pub fn of(&self, cause: Cause) -> SimDuration {
        SimDuration::from_nanos(self.nanos[cause as usize])
    }

    /// All parts together.
    pub fn sum(&self) -> SimDuration {
        SimDuration::from_nanos(self.nanos.iter().sum())
    }

    /// The parts that are more than nothing, in the order of causes.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (Cause, SimDuration)> {
        let mut left = self.present;
        std::iter::from_fn(move || {
            let position = left.trailing_zeros() as usize;
            let cause = *Cause::ALL.get(position)?;
            left &= left - 1;
            Some((cause, self.of(cause)))
        })
    }

    /// Makes it nothing again.
    #[inline]
    pub(crate) fn clear(&mut self) {
        let mut left = std::mem::take(&mut self.present);
        while left != 0 {
            self.nanos[left.trailing_zeros() as usize] = 0;
            left &= left - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_what_was_added(added in proptest::collection::vec((0..Cause::COUNT, 0..1_000_000_u64), 0..40)) {
            let mut parts = Parts::default();
            for (cause, nanos) in &added {
                parts.add(Cause::ALL[*cause], SimDuration::from_nanos(*nanos));
            }
            let of = |cause: usize| added.iter().filter(|(of, _)| *of == cause).map(|(_, nanos)| nanos).sum::<u64>();
            let expected: Vec<(usize, u64)> =
                (0..Cause::COUNT).map(|cause| (cause, of(cause))).filter(|(_, nanos)| *nanos > 0).collect();
            let there: Vec<(usize, u64)> = parts.iter().map(|(cause, length)| (cause as usize, length.as_nanos())).collect();
            prop_assert_eq!(there, expected);
            prop_assert_eq!(parts.sum().as_nanos(), added.iter().map(|(_, nanos)| nanos).sum::<u64>());
            parts.clear();
            prop_assert_eq!(parts, Parts::default());
        }
    }
}
