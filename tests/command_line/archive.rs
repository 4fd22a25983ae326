//! Bundles as archives, to be changed for the worse.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

/// Entries by name, in their order.
pub type Entries = Vec<(String, Vec<u8>)>;

/// The entries of a bundle.
pub fn entries(bundle: &Path) -> Entries {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(bundle).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, GzDecoder<fs::File>> = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

/// The header of a plain file, whatever it is called.
pub fn header(name: &str, size: usize) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// Writes entries as they are, whatever they are called.
pub fn write_entries(bundle: &Path, entries: &[(String, Vec<u8>)]) {
    let mut archive = tar::Builder::new(GzEncoder::new(fs::File::create(bundle).unwrap(), Compression::fast()));
    for (name, bytes) in entries {
        archive.append(&header(name, bytes.len()), bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

/// Changes the contents of a bundle.
pub fn change(bundle: &Path, change: impl FnOnce(&mut Value)) {
    let mut entries = entries(bundle);
    let mut contents = serde_json::from_slice(&entries[0].1).unwrap();
    change(&mut contents);
    entries[0].1 = contents.to_string().into_bytes();
    write_entries(bundle, &entries);
}
