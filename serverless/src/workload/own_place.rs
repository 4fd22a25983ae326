//! A file that is read from a place of its own.

use std::fs::File;
use std::io::{self, Read};

/// A file whose place this process alone moves: where a process makes a copy of itself, both have the same file, and would read on where
/// the other has stopped. What is no file proper, as a pipe, has but one place.
pub(super) struct OwnPlace {
    file: File,
    /// The place, if it has one of its own.
    at: Option<u64>,
}

impl OwnPlace {
    /// From the begin of a file that has just been opened.
    pub fn new(file: File) -> Self {
        let has_places = cfg!(unix) && file.metadata().is_ok_and(|metadata| metadata.is_file());
        Self { file, at: has_places.then_some(0) }
    }
}

impl Read for OwnPlace {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        if let Some(at) = &mut self.at {
            let count = std::os::unix::fs::FileExt::read_at(&self.file, target, *at)?;
            *at += count as u64;
            return Ok(count);
        }
        self.file.read(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn who_has_the_same_file_does_not_move_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        let file = File::open(&path).unwrap();
        let mut others = file.try_clone().unwrap();
        let mut own = OwnPlace::new(file);
        let mut three = [0; 3];
        own.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"012");
        others.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"012", "nobody else's has moved");
        let mut rest = String::new();
        own.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "3456789");
    }
}
