//! What the one symbol of a library stands for.

#![allow(unsafe_code)]

use super::{LAYOUT_LENGTH, LibraryHeader};

/// What the entry symbol stands for: the header, and `HEARTH_LAYOUT` as it was when the library was built.
#[repr(C)]
pub struct Library {
    /// What the library has.
    pub header: LibraryHeader,
    /// Where all fields of all records lie, as [`LAYOUT`](super::LAYOUT) has it.
    pub layout: [u16; LAYOUT_LENGTH],
}

// SAFETY: nothing in it changes.
unsafe impl Sync for Library {}
