//! Borrowed text and arrays.

#![allow(unsafe_code)]

use std::ffi::c_char;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Index};

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

/// Text in UTF-8, not ended by a zero. In Rust it is made of text that lasts.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy)]
pub struct Text {
    /// The first byte; may be null where the length is 0.
    pub(crate) data: *const c_char,
    /// How many bytes there are.
    pub(crate) length: usize,
}

// SAFETY: the bytes are shared and nobody changes them.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

impl Text {
    /// No text.
    pub const EMPTY: Self = Self::new("");

    /// Text that lasts.
    pub const fn new(text: &'static str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }

    /// Text that lasts as long as the call that it is passed in, or for which it is answered.
    pub(crate) fn lent(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    /// They must be there for as long as the answer is used.
    pub(crate) unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the caller vouches for the bytes.
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) }
    }

    /// The text; what is no UTF-8 in it is replaced.
    ///
    /// # Safety
    /// As for [`Text::bytes`], during the call.
    pub(crate) unsafe fn copied(&self) -> String {
        // SAFETY: as this function's.
        String::from_utf8_lossy(unsafe { self.bytes() }).into_owned()
    }
}

impl fmt::Debug for Text {
    /// How long it is: who has it from another library does not know whether it is still there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of text", self.length)
    }
}

/// Values next to one another that are lent.
///
/// ```
/// use hearth_policy_api::Slice;
/// let counts = [1_u32, 2];
/// let lent = Slice::new(&counts);
/// assert_eq!(lent[1], 2);
/// assert_eq!(lent.iter().sum::<u32>(), 3);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
pub struct Slice<'a, T> {
    pub(crate) data: *const T,
    pub(crate) length: usize,
    pub(crate) lent: PhantomData<&'a T>,
}

impl<T> Clone for Slice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slice<'_, T> {}

// SAFETY: as `&[T]`.
unsafe impl<T: Sync> Send for Slice<'_, T> {}
// SAFETY: as `&[T]`.
unsafe impl<T: Sync> Sync for Slice<'_, T> {}

impl<'a, T> Slice<'a, T> {
    /// Lends values.
    pub const fn new(values: &'a [T]) -> Self {
        Self { data: values.as_ptr(), length: values.len(), lent: PhantomData }
    }

    /// The values.
    #[inline]
    pub fn as_slice(&self) -> &'a [T] {
        // Of no values the address may be null.
        if self.length == 0 {
            return &[];
        }
        // SAFETY: made by `new`, here or on the other side of the boundary, of values that outlive `'a`.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

impl<T: Clone> Slice<'static, T> {
    /// Values that last as long as what is answered with them, which need not be for ever.
    pub(crate) fn answered(values: &[T]) -> Self {
        Self { data: values.as_ptr(), length: values.len(), lent: PhantomData }
    }
}

impl<'a, T> From<&'a [T]> for Slice<'a, T> {
    fn from(values: &'a [T]) -> Self {
        Self::new(values)
    }
}

impl<T> Deref for Slice<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T: fmt::Debug> fmt::Debug for Slice<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// Records next to one another that are lent. Whoever has made them may know a later version of the record, with more fields at
/// its end, so that they lie further apart.
///
/// ```
/// use hearth_policy_api::{NodeView, Records};
/// let nodes = [NodeView { cores: 4, ..NodeView::default() }, NodeView { cores: 8, ..NodeView::default() }];
/// let lent = Records::new(&nodes);
/// assert_eq!((lent.len(), lent[1].cores), (2, 8));
/// assert_eq!(lent.iter().map(|node| node.cores).sum::<u32>(), 12);
/// assert!(lent.get(2).is_none());
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
pub struct Records<'a, T> {
    pub(crate) data: *const T,
    pub(crate) length: usize,
    /// From the beginning of one record to that of the next, in bytes; at least the size of `T`.
    pub(crate) stride: usize,
    pub(crate) lent: PhantomData<&'a T>,
}

impl<T> Clone for Records<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Records<'_, T> {}

// SAFETY: as `&[T]`.
unsafe impl<T: Sync> Send for Records<'_, T> {}
// SAFETY: as `&[T]`.
unsafe impl<T: Sync> Sync for Records<'_, T> {}

impl<'a, T> Records<'a, T> {
    /// Lends records.
    pub const fn new(records: &'a [T]) -> Self {
        Self { data: records.as_ptr(), length: records.len(), stride: size_of::<T>(), lent: PhantomData }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The record of this number, if there is one.
    #[inline]
    pub fn get(&self, number: usize) -> Option<&'a T> {
        // SAFETY: records lie a stride apart, each is at least as long as `T`, and they outlive `'a`.
        (number < self.length).then(|| unsafe { &*self.data.byte_add(number * self.stride) })
    }

    /// All records, in order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a T> + DoubleEndedIterator + use<'a, T> {
        let this = *self;
        // SAFETY: as in `get`.
        (0..self.length).map(move |number| unsafe { &*this.data.byte_add(number * this.stride) })
    }
}

impl<'a, T> From<&'a [T]> for Records<'a, T> {
    fn from(records: &'a [T]) -> Self {
        Self::new(records)
    }
}

impl<T> Index<usize> for Records<'_, T> {
    type Output = T;

    #[inline]
    fn index(&self, number: usize) -> &T {
        match self.get(number) {
            Some(record) => record,
            None => panic!("record {number} of {}", self.length),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Records<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
