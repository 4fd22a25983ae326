//! A page of memory that two processes see.

// See the safety comments: all of a page are atomics, for which any bytes are values.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use hearth_serverless::experiment::Board;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How much there is room for in words.
const LONGEST_NOTE: usize = 16 << 10;

/// What both processes see. All of it is written by the one inside, but for what it is told before it begins.
#[derive(Debug)]
#[repr(C)]
pub struct Page {
    /// Which call the simulation is in, and how far it is.
    pub board: Board,
    /// The exit code with which the process says it is done, and one more; 0 before.
    outcome: AtomicU64,
    /// Whether it waits to be ended.
    gives_up: AtomicU64,
    /// Whether all results are written.
    has_results: AtomicU64,
    /// What is going on, in words; before the process begins, what it is told.
    note: [AtomicU8; LONGEST_NOTE],
    note_length: AtomicU64,
}

impl Page {
    /// The process is done, and will exit with this code.
    pub fn tell_outcome(&self, code: u8) {
        self.outcome.store(u64::from(code) + 1, Ordering::Release);
    }

    /// The code that it has said it will exit with.
    pub fn outcome(&self) -> Option<u8> {
        let told = self.outcome.load(Ordering::Acquire).checked_sub(1)?;
        u8::try_from(told).ok()
    }

    /// The process cannot end by itself.
    pub fn give_up(&self) {
        self.gives_up.store(1, Ordering::Release);
    }

    /// Whether it is to be ended.
    pub fn gives_up(&self) -> bool {
        self.gives_up.load(Ordering::Acquire) != 0
    }

    /// All results are written.
    pub fn tell_of_results(&self) {
        self.has_results.store(1, Ordering::Release);
    }

    /// Whether they are.
    pub fn has_results(&self) -> bool {
        self.has_results.load(Ordering::Acquire) != 0
    }

    /// Says what is going on. What is too long for the page is left out.
    pub fn note(&self, what: &impl Serialize) {
        let text = serde_json::to_vec(what).unwrap_or_default();
        if text.len() <= LONGEST_NOTE {
            self.note_length.store(0, Ordering::Release);
            self.note.iter().zip(&text).for_each(|(place, byte)| place.store(*byte, Ordering::Relaxed));
            self.note_length.store(text.len() as u64, Ordering::Release);
        }
    }

    /// What was said to go on, if anything was.
    pub fn noted<T: DeserializeOwned>(&self) -> Option<T> {
        let length = usize::try_from(self.note_length.load(Ordering::Acquire)).ok()?;
        let text: Vec<u8> = self.note.iter().take(length).map(|byte| byte.load(Ordering::Relaxed)).collect();
        serde_json::from_slice(&text).ok()
    }
}

/// A page, as long as this lives.
#[derive(Debug)]
pub struct Shared(NonNull<Page>);

// SAFETY: a page is made of atomics alone, and stays where it is until this is dropped.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// A page in a new file.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.set_len(size_of::<Page>() as u64)?;
        let page = Self::map(&file)?;
        page.board.stop_before(u64::MAX);
        Ok(page)
    }

    /// The page in a file that another process has made.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() != size_of::<Page>() as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Self::map(&file)
    }

    fn map(file: &File) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses where, so that nothing else is there; the file is as long as a page.
        let address = unsafe { mmap(std::ptr::null_mut(), size_of::<Page>(), access, MapFlags::SHARED, file, 0) }?;
        NonNull::new(address.cast()).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }
}

impl Deref for Shared {
    type Target = Page;

    fn deref(&self) -> &Page {
        // SAFETY: it is there until this is dropped, aligned to the pages of the system, and any bytes are values of it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, and nobody has a reference any more. That it fails would be harmless.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), size_of::<Page>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_the_other_sees() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        let (one, other) = (Shared::create(&path).unwrap(), Shared::open(&path).unwrap());
        assert_eq!((other.outcome(), other.has_results(), other.noted::<String>()), (None, false, None));
        one.note(&"déjà vu");
        one.tell_of_results();
        one.tell_outcome(0);
        assert_eq!(other.noted::<String>().as_deref(), Some("déjà vu"));
        assert_eq!((other.outcome(), other.has_results(), other.gives_up()), (Some(0), true, false));
        one.note(&"x".repeat(LONGEST_NOTE));
        assert_eq!(other.noted::<String>().as_deref(), Some("déjà vu"), "there is no room for the other");
    }

    #[test]
    fn a_file_that_is_no_page_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        std::fs::write(&path, "short").unwrap();
        assert!(Shared::open(&path).is_err() && Shared::create(&path).is_err());
    }
}
