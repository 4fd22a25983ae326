//! What is read of a library before any of its code runs: which policies it leads to, for which interface, and where it takes all fields
//! of all records to lie.

use std::mem::offset_of;

use object::{Object, ObjectSegment, ObjectSymbol};

use super::super::said::shown;
use super::LoadError;
use crate::abi::{ENTRY_SYMBOL, FIELDS, INTERFACE_MAJOR, INTERFACE_MINOR, LAYOUT, LibraryHeader};

pub(super) fn ours() -> String {
    format!("{INTERFACE_MAJOR}.{INTERFACE_MINOR}")
}

/// The symbols that lead to policies of this major version of the interface, with the addresses of their headers, which have been
/// checked.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<(String, u64)>, LoadError> {
    let file = object::File::parse(bytes).map_err(|_| LoadError::NotALibrary)?;
    if file.kind() != object::ObjectKind::Dynamic {
        return Err(LoadError::NotALibrary);
    }
    let symbols = symbols(&file)?;
    let (prefix, _) = ENTRY_SYMBOL.split_at(ENTRY_SYMBOL.len() - INTERFACE_MAJOR.to_string().len());
    let versions = symbols.iter().filter_map(|(name, address)| {
        let rest = name.strip_prefix(prefix)?;
        Some((name, rest.split_once("__").map_or(rest, |(version, _)| version), *address))
    });
    let (mut of_ours, other): (Vec<_>, Vec<_>) =
        versions.partition(|(_, version, _)| *version == INTERFACE_MAJOR.to_string());
    of_ours.sort_unstable();
    of_ours.dedup();
    match (of_ours.is_empty(), other.first()) {
        (true, Some((_, version, _))) => {
            return Err(LoadError::OtherInterface { found: shown(format!("{version}.x").as_bytes()), ours: ours() });
        }
        (true, None) => return Err(LoadError::NoPolicies),
        (false, _) => {}
    }
    for (_, _, address) in &of_ours {
        check_header(&file, *address)?;
    }
    Ok(of_ours.into_iter().map(|(name, _, address)| (name.clone(), address)).collect())
}

/// Names and addresses of what a library exports: dynamic symbols on ELF; Mach-O and PE list exports.
fn symbols(file: &object::File<'_>) -> Result<Vec<(String, u64)>, LoadError> {
    let dynamic = file.dynamic_symbols().filter(|symbol| symbol.is_definition());
    let mut found: Vec<(String, u64)> =
        dynamic.filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address()))).collect();
    for export in file.exports().map_err(|_| LoadError::NotALibrary)?.flatten() {
        if let (object::NameOrOrdinal::Name(name), object::ExportTarget::Address { address, .. }) =
            (export.name(), export.target())
        {
            found.push((String::from_utf8_lossy(name).into_owned(), address));
        }
    }
    // Mach-O puts an underscore before every name.
    let without = |name: String| match name.strip_prefix('_') {
        Some(rest) if rest.starts_with("hearth_policies_") => rest.to_owned(),
        _ => name,
    };
    Ok(found.into_iter().map(|(name, address)| (without(name), address)).collect())
}

/// Reads the numbers of a header from the file, as no relocation touches them, and checks them.
fn check_header(file: &object::File<'_>, address: u64) -> Result<(), LoadError> {
    let read = |offset: usize, length: usize| {
        let at = address.wrapping_add(offset as u64);
        file.segments().find_map(|segment| segment.data_range(at, length as u64).ok().flatten())
    };
    let number = |offset: usize| -> Result<u32, LoadError> {
        let bytes = read(offset, size_of::<u32>()).and_then(|bytes| bytes.try_into().ok());
        Ok(u32::from_ne_bytes(bytes.ok_or(LoadError::NoPolicies)?))
    };
    let size = number(offset_of!(LibraryHeader, size))?;
    let (major, minor) = (number(offset_of!(LibraryHeader, major))?, number(offset_of!(LibraryHeader, minor))?);
    let needs_minor = number(offset_of!(LibraryHeader, needs_minor))?;
    if major != INTERFACE_MAJOR || needs_minor > INTERFACE_MINOR {
        let found = if major == INTERFACE_MAJOR { needs_minor } else { minor };
        return Err(LoadError::OtherInterface { found: format!("{major}.{found}"), ours: ours() });
    }
    let length = number(offset_of!(LibraryHeader, layout_length))? as usize;
    let layout = read(size as usize, length.min(1 << 16) * size_of::<u16>()).ok_or(LoadError::NoPolicies)?;
    let layout: Vec<u16> =
        layout.chunks_exact(size_of::<u16>()).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).collect();
    if let Some((place, difference)) = layout_difference(&layout) {
        return Err(LoadError::OtherLayout { place, difference, ours: ours() });
    }
    if number(offset_of!(LibraryHeader, aborts))? != 0 {
        return Err(LoadError::AbortsOnPanic);
    }
    Ok(())
}

/// The first number that differs from ours. A record that has more fields on one side is of a later version there; fields that
/// both have must lie at the same place.
fn layout_difference(theirs: &[u16]) -> Option<(String, String)> {
    let (mut ours, mut theirs, mut fields) = (&LAYOUT[..], theirs, &FIELDS[..]);
    while let [size, count, rest @ ..] = ours {
        let [their_size, their_count, their_rest @ ..] = theirs else {
            return None;
        };
        let (count, their_count) = (usize::from(*count), usize::from(*their_count));
        let (offsets, next) = rest.split_at_checked(count)?;
        let Some((their_offsets, their_next)) = their_rest.split_at_checked(their_count) else {
            return Some(("the interface".to_owned(), "the numbers of the library end too early".to_owned()));
        };
        let (of_record, next_fields) = fields.split_at_checked(1 + count)?;
        let pairs = of_record[1..].iter().zip(offsets.iter().zip(their_offsets));
        let record = of_record[0].record;
        for (field, (here, there)) in pairs {
            if here != there {
                let place = format!("{} in {record}", field.name.unwrap_or_default());
                return Some((place, format!("it begins at byte {here} here, at byte {there} there")));
            }
        }
        if count == their_count && size != their_size {
            return Some((record.to_owned(), format!("{size} bytes here, {their_size} there")));
        }
        (ours, theirs, fields) = (next, their_next, next_fields);
    }
    None
}
