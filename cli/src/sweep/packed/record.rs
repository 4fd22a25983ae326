//! How a run stands in a file of runs, so that it is there as a whole or not at all.
//!
//! A record is two members of gzip (RFC 1952), which hold entries of a `tar` archive: the first has what tables are made of,
//! `run.json` and `summary.json`, the second all other files. An extra field in the header of the first tells how long both
//! are and the check sum of the second, so who makes tables need not unpack the rest, and a record that was cut off, or of
//! which only parts have reached the disk, is known by its lengths and sums. Records follow one another without more; that
//! is a `.tar.gz` for every program that reads such files.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, CrcWriter, GzBuilder};
use tempfile::SpooledTempFile;

use crate::result_folder::manifest;
use crate::result_place::HeldFile;

/// What a run failed with, in the place of its results.
pub const FAILURE: &str = "failure.json";

/// What stands in the first member.
const FIRST: [&str; 3] = [manifest::NAME, "summary.json", FAILURE];

/// Members beyond this are kept in temporary files until they are appended.
const MOST_IN_MEMORY: usize = 1 << 20;

/// The header of the first member: that of gzip with an extra field, in which one subfield is ours.
const HEADER: usize = 12 + EXTRA;
const EXTRA: usize = 4 + FIELDS;
/// The lengths of both members, how much of the file was safe before, and the check sum of the second member.
const FIELDS: usize = 8 + 8 + 8 + 4;
/// How the header begins: gzip, deflate, an extra field.
const BEGINNING: [u8; 4] = [0x1f, 0x8b, 8, 4];
const SUBFIELD: [u8; 4] = [b'H', b'e', FIELDS as u8, 0];

/// First members beyond this are not Hearth's.
const LONGEST_FIRST: u64 = 1 << 28;

/// How far a record is known from its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The length of the first member.
    first: u64,
    /// The length of the second member.
    second: u64,
    /// So much of the file had been synchronised when the record was appended.
    pub safe: u64,
    /// The check sum of the second member as it stands in the file.
    sum: u32,
}

impl Head {
    /// How long the record is.
    pub fn length(self) -> u64 {
        self.first.saturating_add(self.second)
    }

    fn read(header: &[u8; HEADER]) -> Option<Self> {
        let is_ours = header.starts_with(&BEGINNING)
            && header[10..12] == (EXTRA as u16).to_le_bytes()
            && header[12..16] == SUBFIELD;
        let number = |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
        let sum = u32::from_le_bytes(header.get(40..44)?.try_into().ok()?);
        let head = Self { first: number(16)?, second: number(24)?, safe: number(32)?, sum };
        (is_ours && head.first > HEADER as u64 && head.first <= LONGEST_FIRST).then_some(head)
    }

    fn fields(self) -> Vec<u8> {
        let lengths = [self.first, self.second, self.safe];
        lengths.iter().flat_map(|number| number.to_le_bytes()).chain(self.sum.to_le_bytes()).collect()
    }
}

/// A run that is ready to be appended.
#[derive(Debug)]
pub struct Record {
    head: Head,
    first: Vec<u8>,
    second: SpooledTempFile,
}

/// Writes a file of a run into an archive, whose end is not marked: more may follow.
fn write_entry(target: &mut impl Write, path: &str, file: &HeldFile) -> io::Result<()> {
    file.read(|length, reader| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut header = tar::Header::new_gnu();
        header.set_path(path)?;
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(now);
        header.set_cksum();
        target.write_all(header.as_bytes())?;
        io::copy(reader, target)?;
        // Entries fill whole blocks.
        let filling = usize::try_from(length.next_multiple_of(512) - length).unwrap_or(0);
        target.write_all(&[0; 512][..filling])
    })
}

impl Record {
    /// The files of a run, which would be in `folder` if each had a place of its own.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn pack(folder: &str, files: &BTreeMap<String, HeldFile>) -> io::Result<Self> {
        let extra = SUBFIELD.into_iter().chain([0; FIELDS]).collect::<Vec<u8>>();
        let mut first = GzBuilder::new().extra(extra).write(Vec::new(), Compression::fast());
        for name in FIRST {
            if let Some(file) = files.get(name) {
                write_entry(&mut first, &format!("{folder}/{name}"), file)?;
            }
        }
        let first = first.finish()?;
        let others = || files.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
        let target = CrcWriter::new(SpooledTempFile::new(MOST_IN_MEMORY));
        let (sum, mut second) = if others().next().is_none() {
            (0, target.into_inner())
        } else {
            let mut packed = GzEncoder::new(target, Compression::fast());
            others().try_for_each(|(name, file)| write_entry(&mut packed, &format!("{folder}/{name}"), file))?;
            let target = packed.finish()?;
            (target.crc().sum(), target.into_inner())
        };
        let head = Head { first: first.len() as u64, second: second.seek(SeekFrom::End(0))?, safe: 0, sum };
        Ok(Self { head, first, second })
    }

    /// One that stands alone in a file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no whole one.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        let (header, head) = header(file, 0, bytes)?.ok_or(io::ErrorKind::InvalidData)?;
        let mut first = header.to_vec();
        file.by_ref().take(head.first - HEADER as u64).read_to_end(&mut first)?;
        let mut second = SpooledTempFile::new(MOST_IN_MEMORY);
        io::copy(file, &mut second)?;
        Ok(Self { head, first, second })
    }

    /// How long it is.
    pub fn length(&self) -> u64 {
        self.head.length()
    }

    /// Writes it after what is there, of which so much is safe.
    ///
    /// # Errors
    /// When it cannot be written; then part of it may be.
    pub fn append_to(&mut self, target: &mut impl Write, safe: u64) -> io::Result<()> {
        self.head.safe = safe;
        self.first.splice(16..HEADER, self.head.fields());
        target.write_all(&self.first)?;
        self.second.rewind()?;
        io::copy(&mut self.second, target).map(drop)
    }
}

/// The files of an archive, by what they are called in their folder, and the name of the folder.
fn unpack(member: impl Read) -> io::Result<(String, BTreeMap<String, Vec<u8>>)> {
    let mut archive = tar::Archive::new(member);
    let (mut folder, mut files) = (String::new(), BTreeMap::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (of, name) = path.rsplit_once('/').ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        of.rsplit('/').next().unwrap_or_default().clone_into(&mut folder);
        files.insert(name.to_owned(), bytes);
    }
    // What follows the archive is read, too, so that its check sum is compared.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok((folder, files))
}

/// What is known of a record without unpacking the whole.
#[derive(Debug)]
pub struct Found {
    /// Its lengths.
    pub head: Head,
    /// The name of the folder in which its files would be.
    pub name: String,
    /// `run.json` and `summary.json`, or [`FAILURE`].
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The head of the record that begins at a place of a file which has so many bytes; `None` if no whole one does.
///
/// # Errors
/// When the file cannot be read.
pub fn head(file: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<Option<Head>> {
    Ok(header(file, at, bytes)?.map(|(_, head)| head))
}

fn header(file: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<Option<([u8; HEADER], Head)>> {
    let fits = |length: u64| at.checked_add(length).is_some_and(|end| end <= bytes);
    if !fits(HEADER as u64) {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    Ok(Head::read(&header).filter(|head| fits(head.length())).map(|head| (header, head)))
}

/// The record that begins at a place of a file which has so many bytes; `None` if no whole one does.
///
/// # Errors
/// When the file cannot be read.
pub fn find(file: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<Option<Found>> {
    let Some((header, head)) = header(file, at, bytes)? else { return Ok(None) };
    let member = header.as_slice().chain(file.take(head.first - HEADER as u64));
    // What cannot be unpacked was not written to its end.
    Ok(unpack(GzDecoder::new(member)).ok().map(|(name, files)| Found { head, name, files }))
}

/// Whether the second member of a record is as it was written.
///
/// # Errors
/// When the file cannot be read.
pub fn is_whole(file: &mut (impl Read + Seek), at: u64, head: Head) -> io::Result<bool> {
    file.seek(SeekFrom::Start(at.saturating_add(head.first)))?;
    let mut sum = CrcWriter::new(io::sink());
    let copied = io::copy(&mut file.take(head.second), &mut sum)?;
    Ok(copied == head.second && (head.second == 0 || sum.crc().sum() == head.sum))
}

/// All files of the record that begins at this place, by name.
///
/// # Errors
/// When the file cannot be read, or no whole record begins there.
pub fn read_all(file: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let Found { head, mut files, .. } = find(file, at, bytes)?.ok_or(io::ErrorKind::InvalidData)?;
    if head.second > 0 {
        file.seek(SeekFrom::Start(at.saturating_add(head.first)))?;
        files.extend(unpack(GzDecoder::new(file.take(head.second)))?.1);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn files(names: &[(&str, &[u8])]) -> BTreeMap<String, HeldFile> {
        names.iter().map(|(name, bytes)| ((*name).to_owned(), HeldFile::of(bytes).unwrap())).collect()
    }

    /// Two runs and a failure, one after the other, and where each begins.
    fn three() -> (Vec<u8>, [u64; 3]) {
        let noise: Vec<u8> = (0..3_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let runs = [
            files(&[("run.json", b"{}\n"), ("summary.json", b"{\"a\": 1}"), ("functions.csv", &noise)]),
            files(&[("run.json", b"{}"), ("summary.json", b"{}"), ("scenario.json", b"{}"), ("empty.csv", b"")]),
            files(&[(FAILURE, b"{\"error\": \"broke\"}")]),
        ];
        let (mut bytes, mut starts) = (Vec::new(), [0; 3]);
        for ((files, name), start) in runs.iter().zip(["aa", "bb", "cc"]).zip(&mut starts) {
            *start = bytes.len() as u64;
            Record::pack(&format!("runs/{name}"), files).unwrap().append_to(&mut bytes, *start).unwrap();
        }
        (bytes, starts)
    }

    #[test]
    fn what_is_packed_is_found_and_read() {
        let (bytes, starts) = three();
        let length = bytes.len() as u64;
        let mut file = Cursor::new(bytes);
        let mut at = 0;
        for (start, name) in starts.into_iter().zip(["aa", "bb", "cc"]) {
            assert_eq!(start, at);
            let found = find(&mut file, at, length).unwrap().unwrap();
            assert_eq!((found.name.as_str(), found.head.safe), (name, at));
            assert!(is_whole(&mut file, at, found.head).unwrap());
            at += found.head.length();
        }
        assert_eq!(at, length);
        let second = read_all(&mut file, starts[1], length).unwrap();
        assert_eq!(second.keys().collect::<Vec<_>>(), ["empty.csv", "run.json", "scenario.json", "summary.json"]);
        assert_eq!(read_all(&mut file, 0, length).unwrap()["functions.csv"].len(), 3_000);
    }

    #[test]
    fn every_program_that_knows_tar_and_gzip_reads_it() {
        let (bytes, _) = three();
        let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes.as_slice()));
        let paths: Vec<String> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        let expected = [
            "runs/aa/run.json",
            "runs/aa/summary.json",
            "runs/aa/functions.csv",
            "runs/bb/run.json",
            "runs/bb/summary.json",
            "runs/bb/empty.csv",
            "runs/bb/scenario.json",
            "runs/cc/failure.json",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn wherever_a_record_is_cut_off_it_is_none() {
        let (bytes, starts) = three();
        let end = starts[1] as usize;
        for length in 0..end {
            assert!(find(&mut Cursor::new(&bytes[..length]), 0, length as u64).unwrap().is_none(), "{length}");
        }
        assert!(find(&mut Cursor::new(&bytes[..end]), 0, end as u64).unwrap().is_some());
    }

    #[test]
    fn parts_that_have_not_reached_the_disk_are_noticed() {
        let (bytes, starts) = three();
        let end = starts[1] as usize;
        let length = bytes.len() as u64;
        for hole in (0..end).step_by(64) {
            let mut holed = bytes.clone();
            let hole = hole..(hole + 64).min(end);
            holed[hole.clone()].fill(0);
            if holed == bytes {
                continue;
            }
            let mut file = Cursor::new(holed);
            let found = find(&mut file, 0, length).unwrap();
            let is_taken = found.is_some_and(|found| is_whole(&mut file, 0, found.head).unwrap());
            assert!(!is_taken, "{hole:?} of {end}");
        }
    }
}
