//! SHA-256 of files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::CommandError;

/// The hash of a file, in hexadecimal digits.
pub fn of_file(path: &Path) -> io::Result<String> {
    of_bytes(File::open(path)?)
}

/// The hash of all that can be read, in hexadecimal digits.
pub fn of_bytes(source: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut source = BufReader::with_capacity(1 << 16, source);
    loop {
        let chunk = source.fill_buf()?;
        if chunk.is_empty() {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(chunk);
        let length = chunk.len();
        source.consume(length);
    }
}

/// The hash of a file that a result depends on, or is.
pub fn hash_of(path: &Path) -> Result<String, CommandError> {
    let unreadable = |error: io::Error| CommandError::Usage(format!("{} cannot be read: {error}", path.display()));
    of_file(path).map_err(unreadable)
}

/// The hash of texts, each with its length, in hexadecimal digits.
pub fn of_parts(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep parts apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let hash = |parts: &[&str]| of_parts(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab"]).len(), 64);
    }

    #[test]
    fn a_file_has_the_hash_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        // From FIPS 180-2.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_file(file.path()).unwrap(), expected);
    }
}
