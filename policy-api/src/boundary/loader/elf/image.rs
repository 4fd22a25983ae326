//! An ELF file as it will lie in memory once it is loaded.

use object::read::elf::{FileHeader, ProgramHeader};
use object::{NativeEndian, elf, pod};

#[cfg(target_pointer_width = "64")]
pub(super) type Header = elf::FileHeader64<NativeEndian>;
#[cfg(target_pointer_width = "32")]
pub(super) type Header = elf::FileHeader32<NativeEndian>;
pub(super) type Segment = <Header as FileHeader>::ProgramHeader;
pub(super) type Word = <Header as FileHeader>::Word;

/// The size of an address.
pub(super) const ADDRESS: u64 = size_of::<Word>() as u64;

/// What is wrong with a file, as a message goes on after "is damaged: ".
pub(super) type Checked<T> = Result<T, String>;

pub(super) fn beyond(what: &str, bytes: &[u8]) -> String {
    format!("{what} lies beyond its end, at byte {}", bytes.len())
}

pub(super) fn wrong<T>(what: impl Into<String>) -> Checked<T> {
    Err(what.into())
}

/// A file as it will lie in memory.
pub(super) struct Image<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) segments: &'a [Segment],
}

impl<'a> Image<'a> {
    /// Segments that are loaded.
    fn loaded(&self) -> impl Iterator<Item = &'a Segment> + use<'a> {
        self.segments.iter().filter(|segment| segment.p_type(NativeEndian::default()) == elf::PT_LOAD)
    }

    pub(super) fn check_segments(&self) -> Checked<()> {
        let endian = NativeEndian::default();
        let mut end = 0;
        for segment in self.segments {
            if segment.p_type(endian) != elf::PT_NULL && segment.data(endian, self.bytes).is_err() {
                let (begin, length) = segment.file_range(endian);
                let last = u128::from(begin) + u128::from(length);
                return wrong(format!(
                    "a segment of it ends at byte {last}, and the file at byte {}",
                    self.bytes.len()
                ));
            }
        }
        for segment in self.loaded() {
            let (begin, size) = (segment.p_vaddr(endian), segment.p_memsz(endian));
            let next = begin.checked_add(size).filter(|_| begin >= end && segment.p_filesz(endian) <= size);
            end = next.ok_or("its segments are not in order")?;
        }
        if end == 0 { wrong("it has no segment to be loaded") } else { Ok(()) }
    }

    /// What will lie at an address and is in the file.
    pub(super) fn at(&self, address: u64, size: u64) -> Option<&'a [u8]> {
        self.loaded()
            .find_map(|segment| segment.data_range(NativeEndian::default(), self.bytes, address, size).ok().flatten())
    }

    /// Records that will lie at an address.
    pub(super) fn records<T: pod::Pod>(&self, address: u64, size: u64) -> Option<&'a [T]> {
        let bytes = self.at(address, size)?;
        pod::slice_from_all_bytes(bytes).ok()
    }

    /// Whether all of a range will be in memory, in a segment with these permissions.
    pub(super) fn holds(&self, address: u64, size: u64, flags: elf::ProgramFlags) -> bool {
        let endian = NativeEndian::default();
        self.loaded().any(|segment| {
            let (begin, length) = (segment.p_vaddr(endian), segment.p_memsz(endian));
            let inside = address.checked_sub(begin).and_then(|offset| length.checked_sub(offset));
            inside.is_some_and(|room| room >= size) && segment.p_flags(endian).contains(flags)
        })
    }
}

impl Image<'_> {
    /// The word that the file has for an address.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        self.at(address, ADDRESS).map(word_of)
    }
}

fn word_of(bytes: &[u8]) -> u64 {
    let word: Option<Word> = bytes.try_into().ok().map(Word::from_ne_bytes);
    word.map_or(0, u64::from)
}
