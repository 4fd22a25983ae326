//! Files that are cut, zeroed and full of noise, against what the system's loader reads of them.

use std::fs;
use std::ops::Range;

use object::{Object, ObjectSection};

use super::check;

/// Libraries as linkers make them: the program of these tests, and one in C where it is of this machine.
fn whole() -> Vec<Vec<u8>> {
    let frozen = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/frozen/interface-2.0/policies-x86_64-linux.so");
    let program = std::env::current_exe().map(fs::read).unwrap().unwrap();
    let frozen = if cfg!(target_arch = "x86_64") { fs::read(frozen).ok() } else { None };
    [program].into_iter().chain(frozen).collect()
}

#[test]
fn what_a_linker_makes_is_whole() {
    for bytes in whole() {
        assert!(check(&bytes).is_ok_and(|needs| !needs.neighbours), "{:?}", check(&bytes));
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_found_out() {
    for bytes in whole() {
        // The table of sections is the last in a file.
        let step = 1 + bytes.len() / 3_000;
        for end in (0..bytes.len()).step_by(step) {
            assert!(check(&bytes[..end]).is_err(), "cut at {end} of {}", bytes.len());
        }
        let said = check(&bytes[..bytes.len() / 2]).unwrap_err();
        assert!(said.contains("byte "), "{said}");
    }
}

/// Where a file has what the system's loader follows.
fn followed(bytes: &[u8]) -> Vec<(String, Range<usize>)> {
    let file = object::File::parse(bytes).unwrap();
    // Symbols without versions (.gnu.version) would do no harm.
    let tables = [".dynamic", ".dynsym", ".gnu.hash", ".hash", ".gnu.version_r"];
    let sections = file.sections().filter(|section| tables.contains(&section.name().unwrap()));
    let range = |section: object::Section<'_, '_>| {
        let (begin, length) = section.file_range()?;
        Some((section.name().ok()?.to_owned(), begin as usize..(begin + length) as usize))
    };
    sections.filter_map(range).collect()
}

#[test]
fn tables_that_are_zeroed_are_found_out() {
    for bytes in whole() {
        for (name, range) in followed(&bytes) {
            let mut zeroed = bytes.clone();
            zeroed[range].fill(0);
            assert!(check(&zeroed).is_err(), "{name} is zeroed");
        }
        // A page, wherever it lies: what is not found is code and data of the library itself.
        for begin in (0..bytes.len()).step_by(4096) {
            let end = bytes.len().min(begin + 4096);
            let mut zeroed = bytes.clone();
            zeroed[begin..end].fill(0);
            if check(&zeroed).is_ok() {
                let hit = |(_, range): &(String, Range<usize>)| range.start >= begin && range.end <= end;
                assert!(followed(&bytes).iter().all(|table| !hit(table)), "{begin} to {end}");
            }
        }
    }
}

/// The list of initialisers is called without a look: here one leads to where no code is.
#[test]
fn initialisers_that_are_no_code_are_found_out() {
    let mut found = 0;
    for bytes in whole() {
        let file = object::File::parse(&*bytes).unwrap();
        let range = |name: &str| {
            let section = file.section_by_name(name)?;
            Some((section.address(), section.size(), section.file_range()?.0 as usize))
        };
        let (Some((list, size, _)), Some((_, length, begin)), Some((data, ..))) =
            (range(".init_array"), range(".rela.dyn"), range(".dynamic"))
        else {
            continue;
        };
        // Place, kind and addend, eight bytes each.
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let of_list =
            (begin..begin + length as usize).step_by(24).find(|at| (list..list + size).contains(&number(*at)));
        let mut other = bytes.clone();
        let at = of_list.unwrap() + 16;
        other[at..at + 8].copy_from_slice(&data.to_le_bytes());
        assert!(check(&other).unwrap_err().contains("is no code"), "{:?}", check(&other));
        found += 1;
    }
    assert!(found > 0 || !cfg!(target_arch = "x86_64"));
}

/// Whatever stands in a file, looking at it comes to an end.
#[test]
fn noise_is_looked_at_without_harm() {
    for bytes in whole() {
        // What is not followed is left out, since a file of a debug build is long.
        let tables = followed(&bytes);
        let mut state = 1_u64;
        let mut draw = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % most
        };
        let mut found = 0;
        let rounds = if bytes.len() > 1 << 20 { 60 } else { 3000 };
        let mut noisy = bytes.clone();
        for _ in 0..rounds {
            let (_, range) = match draw(8) {
                0 => (String::new(), 0..1024),
                _ => tables[draw(tables.len())].clone(),
            };
            let begin = range.start + draw(range.len());
            let end = range.end.min(begin + 1 + draw(64));
            noisy[begin..end].fill_with(|| draw(256) as u8);
            found += u32::from(check(&noisy).is_err());
            noisy[begin..end].copy_from_slice(&bytes[begin..end]);
        }
        assert!(found > rounds / 2, "{found} of {rounds}");
    }
}
