//! One process at a time writes into a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use fs4::TryLockError;

use crate::error::CommandError;

/// The file whose lock is the folder's.
const NAME: &str = ".hearth.lock";

/// A folder that no other process writes into. The system's lock of a file: it ends with the process, however that ends.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    /// Open as long as the lock is held.
    _file: File,
}

impl FolderLock {
    /// Locks a folder, which must be there.
    ///
    /// # Errors
    /// When another process has locked it, or nothing can be written there.
    pub fn take(folder: &Path) -> Result<Self, CommandError> {
        let unusable = |problem: String| CommandError::OutputFolder { folder: folder.to_owned(), problem };
        let path = folder.join(NAME);
        loop {
            let unwritable = |error: io::Error| unusable(format!("nothing can be written there: {error}"));
            let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
            let mut file = open.map_err(unwritable)?;
            match fs4::FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(unusable(busy(&mut file))),
                // A file system without locks is no reason not to write there.
                Err(TryLockError::Error(error)) => eprintln!(
                    "warning: {} cannot be locked ({error}): let no other hearth write there meanwhile",
                    folder.display()
                ),
            }
            if is_still(&file, &path) {
                // Who holds the lock is for messages alone.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", this_process()));
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Where a file that is open cannot be removed, it stays, which does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the file has not been removed between opening and locking, by whom held the lock before.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |one: fs::Metadata, other: fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    // A file that cannot be asked about is taken for the one that was opened.
    file.metadata().map_or(true, |opened| fs::metadata(path).is_ok_and(|there| same(opened, there)))
}

/// Here a file that is open is not removed.
#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

/// The name of this machine, if it tells.
pub fn host() -> Option<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    host.map(|name| name.trim().to_owned())
}

/// Who this is, for messages.
pub fn this_process() -> String {
    let host = host().map(|name| format!(" on {name}")).unwrap_or_default();
    format!("process {}{host}", std::process::id())
}

fn busy(file: &mut File) -> String {
    let mut holder = String::new();
    // A lock of the mandatory kind cannot be read.
    let known = file.rewind().and_then(|()| file.read_to_string(&mut holder)).is_ok() && !holder.is_empty();
    let holder = if known { format!(" ({holder})") } else { String::new() };
    format!("another hearth{holder} is writing there: wait until it has ended, or name another folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        let refused = FolderLock::take(folder.path()).unwrap_err().to_string();
        let expected = format!("another hearth (process {}", std::process::id());
        assert!(refused.contains(&expected) && refused.ends_with("or name another folder"), "{refused}");
        drop(lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(FolderLock::take(folder.path()).unwrap());
    }

    #[test]
    fn a_lock_that_was_left_behind_holds_nobody() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "process 1 on nowhere").unwrap();
        drop(FolderLock::take(folder.path()).unwrap());
    }

    #[test]
    fn of_many_at_once_one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let taken = std::thread::scope(|scope| {
            let work = || {
                let mut taken = 0;
                for _ in 0..300 {
                    if let Ok(_lock) = FolderLock::take(folder.path()) {
                        taken += 1;
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    }
                }
                taken
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
        });
        assert!(taken > 4, "{taken}");
    }
}
