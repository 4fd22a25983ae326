//! Who is at which run: a file for each, which its worker writes again and again as long as it lives.
//!
//! Claims save work, and guard nothing: a run that two workers did all the same counts once, since a finished folder is
//! renamed into place (see [`super::store`]). Relied upon is no more than what NFS 3 and 4 promise: `open` with `O_CREAT` and
//! `O_EXCL` makes a file for one of all who try, what is written and synchronised has the date of the server's clock, and a
//! file that is opened has the attributes of then (close to open). Dates are compared with that of a file of one's own that was
//! written just before, so machines whose clocks differ agree.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::CommandError;
use crate::result_folder::lock::this_process;

/// The folder of the claims in that of a plan.
const CLAIMS: &str = "claims";

/// So many signs of life are given before a worker is taken for dead.
const SIGNS_OF_LIFE: u32 = 8;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that somebody else makes under the same name is another one.
fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Writes what changes nothing but the date.
fn touch(mut file: &File) -> io::Result<()> {
    file.rewind()?;
    file.write_all(this_process().as_bytes())?;
    // Only what has reached the server has its date.
    file.sync_all()
}

/// The claims in the folder of a plan, as one process sees them.
#[derive(Debug)]
pub struct Claims {
    folder: PathBuf,
    stale_after: Duration,
    /// A file that is nobody else's: its date, once written, is now.
    clock: PathBuf,
    /// The claims of this process.
    mine: Arc<Mutex<Vec<(PathBuf, File)>>>,
    /// Dropping it ends the thread that writes them.
    _end: mpsc::Sender<()>,
}

/// A run that this process is at; until it is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    mine: Arc<Mutex<Vec<(PathBuf, File)>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.mine).retain(|(path, _)| *path != self.path);
        // One that stays is taken for that of a dead worker, of a run that has ended.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // Nothing looks at it any more.
        let _ = fs::remove_file(&self.clock);
    }
}

impl Claims {
    /// The claims in the folder of a plan. Who gives no sign of life for `stale_after` is dead.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(plan: &Path, stale_after: Duration) -> Result<Self, CommandError> {
        let folder = plan.join(CLAIMS);
        let unwritable = |error: io::Error| CommandError::Result { file: folder.clone(), problem: error.to_string() };
        fs::create_dir_all(&folder).map_err(unwritable)?;
        let clock = make_numbered(&folder, ".clock").map_err(unwritable)?;
        let mine: Arc<Mutex<Vec<(PathBuf, File)>>> = Arc::default();
        let (end, ended) = mpsc::channel();
        let beaten = Arc::clone(&mine);
        thread::spawn(move || {
            while ended.recv_timeout(stale_after / SIGNS_OF_LIFE) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Who cannot write is taken for dead, and its run is done by another one, too.
                lock(&beaten).iter().for_each(|(_, file)| drop(touch(file)));
            }
        });
        Ok(Self { folder, stale_after, clock, mine, _end: end })
    }

    /// How long one who waits for others may look away.
    pub fn pause(&self) -> Duration {
        self.stale_after / 4
    }

    fn path(&self, run: &str, generation: u64) -> PathBuf {
        self.folder.join(format!("{run}.{generation}"))
    }

    /// What the server's clock says now.
    fn now(&self) -> io::Result<SystemTime> {
        touch(&OpenOptions::new().write(true).create(true).truncate(false).open(&self.clock)?)?;
        File::open(&self.clock)?.metadata()?.modified()
    }

    /// Whether whoever has this claim lives; `None` if it is gone.
    fn is_alive(&self, claim: &Path, now: SystemTime) -> io::Result<Option<bool>> {
        // Opening a file has its attributes fetched anew, where asking for them alone has not.
        match File::open(claim).and_then(|file| file.metadata()).and_then(|about| about.modified()) {
            Ok(then) => Ok(Some(now.duration_since(then).is_ok_and(|age| age <= self.stale_after) || then >= now)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a run that nobody is at, or whose worker is dead; also one that another is at, if `even_if_taken`. `None` if it
    /// is another's.
    ///
    /// A claim is never taken away from anybody: a dead worker's stays, and the next generation is made, for one of all who
    /// try. So there is no moment in which two could each remove what the other one has just made.
    ///
    /// # Errors
    /// When claims cannot be written or read.
    pub fn take(&self, run: &str, even_if_taken: bool) -> Result<Option<Claim>, CommandError> {
        let unusable = |error: io::Error| CommandError::Result {
            file: self.folder.clone(),
            problem: format!("{run} cannot be claimed: {error}"),
        };
        for generation in 1.. {
            let path = self.path(run, generation);
            match make(&path) {
                Ok(file) => {
                    touch(&file).map_err(unusable)?;
                    lock(&self.mine).push((path.clone(), file));
                    return Ok(Some(Claim { path, mine: Arc::clone(&self.mine) }));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let now = self.now().map_err(unusable)?;
                    let is_dead = self.is_alive(&path, now).map_err(unusable)? == Some(false);
                    if !(is_dead || even_if_taken) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(unusable(error)),
            }
        }
        Ok(None)
    }

    /// The claims on a plan, on which nobody need have worked yet.
    ///
    /// # Errors
    /// When claims cannot be read, or nothing can be written beside them.
    pub fn on(plan: &Path, stale_after: Duration) -> Result<ClaimedRuns, CommandError> {
        // Who looks leaves no trace.
        if plan.join(CLAIMS).exists() { Self::open(plan, stale_after)?.all() } else { Ok(ClaimedRuns::default()) }
    }

    /// The names of runs that somebody is at, and of those whose workers are all dead.
    fn all(&self) -> Result<ClaimedRuns, CommandError> {
        let unreadable =
            |error: io::Error| CommandError::Result { file: self.folder.clone(), problem: error.to_string() };
        let now = self.now().map_err(unreadable)?;
        let mut found = ClaimedRuns::default();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let Some((run, _)) =
                name.to_str().and_then(|name| name.rsplit_once('.')).filter(|(run, _)| !run.is_empty())
            else {
                continue;
            };
            match self.is_alive(&self.folder.join(&name), now).map_err(unreadable)? {
                Some(true) => found.alive.insert(run.to_owned()),
                Some(false) => found.dead.insert(run.to_owned()),
                None => false,
            };
        }
        found.dead.retain(|run| !found.alive.contains(run));
        Ok(found)
    }

    /// Removes all claims on a plan of which nothing is left to do.
    pub fn remove_all(plan: &Path) {
        // A worker that is still at a run which others have done meanwhile does without.
        let _ = fs::remove_dir_all(plan.join(CLAIMS));
    }
}

/// Which runs are claimed, by name.
#[derive(Debug, Default)]
pub struct ClaimedRuns {
    /// Somebody is at them.
    pub alive: std::collections::BTreeSet<String>,
    /// Whoever was at them is dead.
    pub dead: std::collections::BTreeSet<String>,
}

/// Makes a file whose name nobody has taken.
fn make_numbered(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1_u64.. {
        let path = folder.join(format!("{name}-{number}"));
        match make(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|_| path),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const STALE: Duration = Duration::from_secs(2);

    fn at_age(path: &Path, age: Duration) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn of_all_who_try_one_gets_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<Claims> = (0..8).map(|_| Claims::open(folder.path(), STALE).unwrap()).collect();
        // Also one that a dead worker had.
        fs::write(folder.path().join("claims/b.1"), "process 1").unwrap();
        at_age(&folder.path().join("claims/b.1"), 10 * STALE);
        for run in ["a", "b"] {
            let got = AtomicUsize::new(0);
            let (tried, begin) = (std::sync::Barrier::new(all.len()), std::sync::Barrier::new(all.len()));
            thread::scope(|scope| {
                for claims in &all {
                    scope.spawn(|| {
                        begin.wait();
                        let claim = claims.take(run, false).unwrap();
                        got.fetch_add(usize::from(claim.is_some()), Ordering::SeqCst);
                        tried.wait();
                    });
                }
            });
            assert_eq!(got.into_inner(), 1, "{run}");
        }
    }

    #[test]
    fn who_gives_no_sign_of_life_loses_its_run_and_who_does_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Claims::open(folder.path(), STALE).unwrap());
        let claim = one.take("a", false).unwrap().unwrap();
        let begin = std::time::Instant::now();
        while begin.elapsed() < 2 * STALE {
            assert!(other.take("a", false).unwrap().is_none(), "it lives");
            thread::sleep(STALE / 10);
        }
        assert!(other.all().unwrap().alive.contains("a"));
        let second = other.take("a", true).unwrap().unwrap();
        drop((claim, second));
        assert!(one.take("a", false).unwrap().is_some(), "it is free again");
        fs::write(folder.path().join("claims/b.1"), "process 1").unwrap();
        at_age(&folder.path().join("claims/b.1"), STALE / 2);
        assert!(one.take("b", false).unwrap().is_none());
        at_age(&folder.path().join("claims/b.1"), 2 * STALE);
        assert!(one.all().unwrap().dead.contains("b"));
        let taken = one.take("b", false).unwrap().unwrap();
        assert!(other.take("b", false).unwrap().is_none());
        drop((taken, one, other));
        let left: Vec<_> =
            fs::read_dir(folder.path().join("claims")).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["b.1"], "what is left is the dead worker's");
    }
}
