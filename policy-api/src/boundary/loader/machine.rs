//! Whether a file is a library for this machine, and whole.

use object::{Architecture, BinaryFormat, FileKind, Object};

use super::LoadError;
use super::elf::{self, Needs};

/// The format of libraries here.
const OURS: BinaryFormat = if cfg!(windows) {
    BinaryFormat::Pe
} else if cfg!(target_vendor = "apple") {
    BinaryFormat::MachO
} else {
    BinaryFormat::Elf
};

/// Checks a file as far as that is possible without running code of it.
pub(super) fn check(bytes: &[u8]) -> Result<Needs, LoadError> {
    let kind = FileKind::parse(bytes).map_err(|_| LoadError::NotALibrary)?;
    let format = match kind {
        FileKind::Elf32 | FileKind::Elf64 => BinaryFormat::Elf,
        FileKind::MachO32 | FileKind::MachO64 | FileKind::MachOFat32 | FileKind::MachOFat64 => BinaryFormat::MachO,
        FileKind::Pe32 | FileKind::Pe64 => BinaryFormat::Pe,
        _ => return Err(LoadError::NotALibrary),
    };
    if format != OURS {
        let found = match format {
            BinaryFormat::Elf => "Linux (ELF)",
            BinaryFormat::MachO => "macOS (Mach-O)",
            _ => "Windows (PE)",
        };
        return Err(LoadError::OtherSystem { found, ours: std::env::consts::OS });
    }
    if matches!(kind, FileKind::MachOFat32 | FileKind::MachOFat64) {
        return Err(other_machine("several processors in one file".to_owned()));
    }
    check_processor(bytes)?;
    match format {
        BinaryFormat::Elf => elf::check(bytes).map_err(LoadError::Damaged),
        BinaryFormat::MachO => {
            let word = b"@loader_path";
            Ok(Needs { neighbours: bytes.windows(word.len()).any(|window| window == word) })
        }
        _ => Ok(Needs::default()),
    }
}

fn other_machine(found: String) -> LoadError {
    LoadError::OtherMachine { found, ours: std::env::consts::ARCH.to_owned() }
}

/// A file that cannot be read so far is damaged, which is found afterwards.
fn check_processor(bytes: &[u8]) -> Result<(), LoadError> {
    let Ok(file) = object::File::parse(bytes) else {
        return Ok(());
    };
    let found = match (file.architecture(), bytes) {
        (Architecture::I386, _) => "x86".to_owned(),
        // Which processor it is stands in two bytes of an ELF file, behind those which say what it is.
        (Architecture::Unknown, [0x7f, b'E', b'L', b'F', _, order, ..]) => {
            let number = [bytes[18], bytes[19]];
            let number = if *order == 2 { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) };
            format!("a processor that ELF calls {number}")
        }
        // Of another machine that is not known here the system's loader has the word.
        (Architecture::Unknown, _) => return Ok(()),
        (other, _) => format!("{other:?}").to_lowercase(),
    };
    let order = if file.is_little_endian() { "little" } else { "big" };
    if found != std::env::consts::ARCH {
        return Err(other_machine(found));
    }
    match file.is_little_endian() == cfg!(target_endian = "little") {
        true => Ok(()),
        false => Err(other_machine(format!("{found} with the {order} end first"))),
    }
}
