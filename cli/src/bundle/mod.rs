//! A study as one file that runs again anywhere: `hearth pack` writes it, `hearth run FILE --verify` reads it.
//!
//! A bundle is a compressed `tar` archive. Its first entry is [`contents`]: which version wrote it, every other entry with its length
//! and SHA-256, and of each run the scenario, the choices that are not in it and the hashes of what came of it. [`collect`] finds
//! all of that in a folder of results, [`write`] writes the same bytes whenever it is the same, and [`unpack`] takes nothing that
//! is not as it was told at the beginning.

pub mod collect;
pub mod contents;
pub mod unpack;
pub mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How every file of gzip begins, and no scenario.
const BEGINNING: [u8; 2] = [0x1f, 0x8b];

/// Whether a file may be a bundle.
pub fn is_one(file: &Path) -> bool {
    let mut beginning = [0; 2];
    // A pipe is read once, by somebody else.
    file.is_file()
        && File::open(file).and_then(|mut file| file.read_exact(&mut beginning)).is_ok()
        && beginning == BEGINNING
}

/// What a library is made for here, as in `linux-x86_64`.
pub fn this_platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}
