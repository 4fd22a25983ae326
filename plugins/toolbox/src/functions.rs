//! What a policy keeps of each function.

/// A value for each function, the default until it is changed. Functions are numbered from 0.
///
/// ```
/// use hearth_policy_toolbox::ByFunction;
/// let mut counts = ByFunction::<u64>::default();
/// *counts.get_mut(3) += 2;
/// assert_eq!((counts.get(3), counts.get(100)), (Some(&2), None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ByFunction<T> {
    values: Vec<T>,
}

impl<T: Default> ByFunction<T> {
    /// The value of a function; `None` if nobody has changed it or that of a function with a higher number.
    pub fn get(&self, function: u32) -> Option<&T> {
        self.values.get(function as usize)
    }

    /// The value of a function, to be changed.
    pub fn get_mut(&mut self, function: u32) -> &mut T {
        let position = function as usize;
        if self.values.len() <= position {
            self.values.resize_with(position + 1, T::default);
        }
        &mut self.values[position]
    }
}

/// How long functions are idle: from the last end of an execution to the first request after it.
///
/// ```
/// use hearth_policy_toolbox::IdleTimes;
/// let mut idle_times = IdleTimes::default();
/// idle_times.ended(7, 100);
/// idle_times.ended(7, 110);
/// assert_eq!(idle_times.arrived(7, 150), Some(40));
/// assert_eq!(idle_times.arrived(7, 160), None, "nothing has ended since");
/// ```
#[derive(Clone, Debug, Default)]
pub struct IdleTimes {
    ended_at: ByFunction<Option<u64>>,
}

impl IdleTimes {
    /// An execution of a function has ended; the date in ns.
    pub fn ended(&mut self, function: u32, now: u64) {
        *self.ended_at.get_mut(function) = Some(now);
    }

    /// A request of a function has come: how long the function was idle, in ns, if this is the first after an end.
    pub fn arrived(&mut self, function: u32, now: u64) -> Option<u64> {
        self.ended_at.get_mut(function).take().map(|ended_at| now.saturating_sub(ended_at))
    }
}
