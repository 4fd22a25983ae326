//! Opens a library where it lies. For Windows, where nobody can write a file that is loaded.

// Opening a library runs code that nobody here can check.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use super::super::said::shown;
use super::LoadError;

/// Opens a file so that nobody can write it, from before it is read until it has been loaded.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    const FILE_SHARE_READ: u32 = 1;
    OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(path)
}

pub(super) fn open(path: &Path) -> Result<libloading::Library, LoadError> {
    let absolute = path.canonicalize().map_err(super::unreadable)?;
    // SAFETY: the file exports the symbol of a library of policies, so its author wants it to be loaded; what its initialisers do is
    // theirs.
    let opened = unsafe { libloading::Library::new(absolute) };
    opened.map_err(|error| LoadError::System(shown(error.to_string().as_bytes())))
}
