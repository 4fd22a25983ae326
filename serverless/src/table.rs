//! Tables of what has a number of its own, indexed by nothing but that number.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Index, IndexMut};

/// What names a row of a [`Table`].
pub(crate) trait Identifier: Copy {
    /// The name of the row at a position.
    fn at(position: usize) -> Self;

    /// The position of the row.
    fn position(self) -> usize;
}

/// Makes identifiers of types that hold a `u32`.
macro_rules! identifiers {
    ($($name:ty),+) => {
        $(impl $crate::table::Identifier for $name {
            #[inline]
            fn at(position: usize) -> Self {
                Self(position as u32)
            }

            #[inline]
            fn position(self) -> usize {
                self.0 as usize
            }
        })+
    };
}
pub(crate) use identifiers;

/// Rows that are named by the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Table<I, T> {
    rows: Vec<T>,
    names: PhantomData<I>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, names: PhantomData }
    }
}

impl<I: Identifier, T> Table<I, T> {
    /// Adds a row; gives its name.
    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::at(self.rows.len() - 1)
    }

    /// The row of a name that may be of another table.
    pub fn find(&self, name: I) -> Option<&T> {
        self.rows.get(name.position())
    }

    /// All names.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.rows.len()).map(I::at)
    }

    /// All rows with their names.
    pub fn named(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(position, row)| (I::at(position), row))
    }
}

impl<I, T> Deref for Table<I, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<I, T> DerefMut for Table<I, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }
}

impl<I: Identifier, T> Index<I> for Table<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, name: I) -> &T {
        &self.rows[name.position()]
    }
}

impl<I: Identifier, T> IndexMut<I> for Table<I, T> {
    #[inline]
    fn index_mut(&mut self, name: I) -> &mut T {
        &mut self.rows[name.position()]
    }
}
