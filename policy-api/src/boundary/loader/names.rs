//! What a library exports, read from its file: no code of it runs for that.

use std::mem::offset_of;
use std::path::Path;

use super::elf::Loaded;
use super::{entries, machine};
use crate::PolicyKind;
use crate::abi::{LibraryHeader, PolicyRecord};

/// Kinds and names of the policies of a library, as far as its file tells; nothing where it is no library of policies, or not in the
/// format of Linux.
///
/// ```
/// assert_eq!(hearth_policy_api::boundary::loader::names_in("Cargo.toml".as_ref()), []);
/// ```
pub fn names_in(path: &Path) -> Vec<(PolicyKind, String)> {
    let bytes = match path.is_file().then(|| std::fs::read(path)) {
        Some(Ok(bytes)) => bytes,
        _ => return Vec::new(),
    };
    let is_elf = bytes.starts_with(b"\x7fELF") && machine::check(&bytes).is_ok();
    let file = is_elf.then(|| Loaded::new(&bytes)).flatten();
    let entries = file.iter().zip(entries::entries(&bytes)).flat_map(|(file, entries)| {
        entries.into_iter().filter_map(|(_, header)| of_header(file, header)).flatten().collect::<Vec<_>>()
    });
    entries.collect()
}

/// So many bytes behind an address that a file gives, whatever that is: at one beyond all there is nothing.
fn behind(address: u64, bytes: usize) -> u64 {
    address.wrapping_add(bytes as u64)
}

fn of_header(file: &Loaded<'_>, header: u64) -> Option<Vec<(PolicyKind, String)>> {
    let list = file.pointer(behind(header, offset_of!(LibraryHeader, policies.data)))?;
    let length = file.word(behind(header, offset_of!(LibraryHeader, policies.length)))?;
    let address = |number: usize| file.pointer(behind(list, number * size_of::<*const PolicyRecord>()));
    let policies = (0..super::records::MOST_POLICIES.min(length as usize)).filter_map(address);
    Some(policies.flat_map(|policy| of_policy(file, policy)).collect())
}

fn of_policy(file: &Loaded<'_>, policy: u64) -> Vec<(PolicyKind, String)> {
    let name = || {
        let data = file.pointer(behind(policy, offset_of!(PolicyRecord, name.data)))?;
        let bytes = file.at(data, file.word(behind(policy, offset_of!(PolicyRecord, name.length)))?)?;
        std::str::from_utf8(bytes).ok()
    };
    let tables = [
        (PolicyKind::NodeAllocation, offset_of!(PolicyRecord, node_allocation)),
        (PolicyKind::Eviction, offset_of!(PolicyRecord, eviction)),
        (PolicyKind::Admission, offset_of!(PolicyRecord, admission)),
        (PolicyKind::KeepAlive, offset_of!(PolicyRecord, keep_alive)),
        (PolicyKind::Autoscaling, offset_of!(PolicyRecord, autoscaling)),
    ];
    // A record of an earlier version is shorter, and what lies behind it is not its own.
    let size = file.at(behind(policy, offset_of!(PolicyRecord, size)), size_of::<u32>() as u64);
    let size = size.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes) as usize;
    let is_there = |(_, offset): &(PolicyKind, usize)| {
        offset + size_of::<*const ()>() <= size && file.pointer(behind(policy, *offset)).is_some()
    };
    let kinds = tables.into_iter().filter(is_there).map(|(kind, _)| kind);
    name().map_or(Vec::new(), |name| kinds.map(|kind| (kind, name.to_owned())).collect())
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// A record of 2.0 ends before the table of autoscaling.
    #[test]
    fn a_library_of_an_earlier_version_has_the_kinds_that_it_knew() {
        let frozen = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/frozen/interface-2.0/policies-x86_64-linux.so");
        let named = |kind, name: &str| (kind, name.to_owned());
        let wanted = [
            named(PolicyKind::NodeAllocation, "first-fit"),
            named(PolicyKind::Eviction, "lru"),
            named(PolicyKind::Admission, "queue-limit"),
            named(PolicyKind::KeepAlive, "fixed"),
        ];
        assert_eq!(names_in(frozen.as_ref()), wanted);
    }
}
