//! What claims are made of: files in a folder, or objects. Each has one maker, and a date by the clock of whoever keeps them.
//!
//! Of a folder relied upon is no more than what NFS 3 and 4 promise: `open` with `O_CREAT` and `O_EXCL` makes a file for one of all who try, what is written and
//! synchronised has the date of the server's clock, and a file that is opened has the attributes of then (close to open). Of
//! object storage: a conditional put makes an object for one of all who try, and objects have the date of their last put.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::objects::location::{LocalCopy, Location};
use crate::result_folder::lock::this_process;

/// The folder of the claims in that of a plan.
const CLAIMS: &str = "claims";

/// Where the claims on a plan are.
#[derive(Clone, Debug)]
pub enum Marks {
    /// Files in this folder.
    Folder(PathBuf),
    /// Objects beside a plan in object storage.
    Objects(Arc<LocalCopy>),
}

/// One that this process has made.
#[derive(Debug)]
pub struct Mark {
    name: String,
    /// Of a file, what it was when it was made: one that somebody else makes under the same name is another one.
    file: Option<File>,
}

/// Nobody else writes the same.
fn text() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{} {now} {}", this_process(), MADE.fetch_add(1, Ordering::Relaxed))
}

impl Marks {
    /// Those on the plan in a folder.
    pub fn in_folder(plan: &Path) -> Self {
        Self::Folder(plan.join(CLAIMS))
    }

    /// Those on the plan that lies there.
    pub fn of(location: &Location) -> Self {
        match location.copy() {
            Some(copy) => Self::Objects(Arc::clone(copy)),
            None => Self::in_folder(location.folder()),
        }
    }

    /// Where they are, for messages.
    pub fn place(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Objects(copy) => copy.objects().address().to_string().into(),
        }
    }

    /// Makes room for them.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn prepare(&self) -> io::Result<()> {
        match self {
            Self::Folder(folder) => fs::create_dir_all(folder),
            Self::Objects(_) => Ok(()),
        }
    }

    /// Whether there may be some.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn are_there(&self) -> io::Result<bool> {
        match self {
            Self::Folder(folder) => Ok(folder.exists()),
            Self::Objects(copy) => Ok(!copy.objects().list(CLAIMS)?.is_empty()),
        }
    }

    /// Makes one of a name; `None` if somebody has.
    ///
    /// # Errors
    /// When it cannot be made: [`ErrorKind::NotFound`] if all have been removed.
    pub fn make(&self, name: &str) -> io::Result<Option<Mark>> {
        match self {
            Self::Folder(folder) => {
                let made = OpenOptions::new().write(true).create_new(true).open(folder.join(name));
                match made {
                    Ok(file) => Ok(Some(Mark { name: name.to_owned(), file: Some(file) })),
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Self::Objects(copy) => {
                let made = copy.objects().create(&object(name), text().as_bytes());
                // Without a bucket nothing has been removed.
                let made = made.map_err(|error| io::Error::other(error.to_string()))?;
                Ok(made.then(|| Mark { name: name.to_owned(), file: None }))
            }
        }
    }

    /// Writes one again, which changes nothing but its date.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn touch(&self, mark: &Mark) -> io::Result<()> {
        match (self, &mark.file) {
            (Self::Objects(copy), _) => copy.objects().write(&object(&mark.name), text().into_bytes()),
            (Self::Folder(_), Some(file)) => {
                let mut file = file;
                file.rewind()?;
                file.write_all(this_process().as_bytes())?;
                // Only what has reached the server has its date.
                file.sync_all()
            }
            (Self::Folder(_), None) => Ok(()),
        }
    }

    /// Removes one.
    pub fn remove(&self, mark: &Mark) {
        // One that stays is taken for that of a dead worker, of a run that has ended.
        let _ = match self {
            Self::Folder(folder) => fs::remove_file(folder.join(&mark.name)),
            Self::Objects(copy) => copy.objects().remove(&object(&mark.name)),
        };
    }

    /// When one was last written; `None` if it is gone.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn modified(&self, name: &str) -> io::Result<Option<SystemTime>> {
        match self {
            // Opening a file has its attributes fetched anew, where asking for them alone has not.
            Self::Folder(folder) => {
                match File::open(folder.join(name)).and_then(|file| file.metadata()).and_then(|about| about.modified())
                {
                    Ok(modified) => Ok(Some(modified)),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Self::Objects(copy) => copy.objects().modified(&object(name)),
        }
    }

    /// The names of all, and when each was last written.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn all(&self) -> io::Result<Vec<(String, SystemTime)>> {
        match self {
            Self::Folder(folder) => {
                let mut found = Vec::new();
                for entry in fs::read_dir(folder)? {
                    let Ok(name) = entry?.file_name().into_string() else { continue };
                    found.extend(self.modified(&name)?.map(|modified| (name, modified)));
                }
                Ok(found)
            }
            Self::Objects(copy) => {
                let listed = copy.objects().list(CLAIMS)?.into_iter();
                let named =
                    listed.filter_map(|object| Some((object.name.rsplit('/').next()?.to_owned(), object.modified)));
                Ok(named.collect())
            }
        }
    }

    /// Removes all, of which nobody needs any more. A worker that is still at a run which others have done meanwhile does without.
    pub fn remove_all(&self) {
        match self {
            Self::Folder(folder) => drop(fs::remove_dir_all(folder)),
            Self::Objects(copy) => {
                for object in copy.objects().list(CLAIMS).unwrap_or_default() {
                    let _ = copy.objects().remove(&object.name);
                }
            }
        }
    }
}

fn object(name: &str) -> String {
    format!("{CLAIMS}/{name}")
}
