//! Which functions have which instances: most have theirs alone, those of an application have them together.

use super::fleet::Fleet;
use crate::function::FunctionId;

/// The fleets of all functions that are served by instances.
#[derive(Debug, Default)]
pub(super) struct Fleets {
    all: Vec<Fleet>,
    /// By function: where its fleet is.
    positions: Vec<Option<u32>>,
}

impl Fleets {
    /// Whether any function is served by instances.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes in a fleet, that of the functions it says, none of which has one.
    pub fn insert(&mut self, fleet: Fleet) {
        let position = self.all.len() as u32;
        for function in &fleet.functions {
            let place = function.number() as usize;
            if place >= self.positions.len() {
                self.positions.resize(place + 1, None);
            }
            if let Some(of_function) = self.positions.get_mut(place) {
                *of_function = Some(position);
            }
        }
        self.all.push(fleet);
    }

    #[inline]
    fn position(&self, function: FunctionId) -> Option<usize> {
        self.positions.get(function.number() as usize).copied().flatten().map(|position| position as usize)
    }

    /// Whether a function is served by instances.
    #[inline]
    pub fn contains(&self, function: FunctionId) -> bool {
        self.position(function).is_some()
    }

    /// The instances of a function, and of those that have them together with it.
    #[inline]
    pub fn get(&self, function: &FunctionId) -> Option<&Fleet> {
        self.all.get(self.position(*function)?)
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, function: &FunctionId) -> Option<&mut Fleet> {
        let position = self.position(*function)?;
        self.all.get_mut(position)
    }

    /// All of them.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = &Fleet> {
        self.all.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Fleet> {
        self.all.iter_mut()
    }
}
