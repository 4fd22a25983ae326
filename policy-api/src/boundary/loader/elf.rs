//! What the system's loader trusts in an ELF file, and does not look at before it follows it: of a file that is cut short or
//! overwritten, that would be a crash without a word.

use std::collections::BTreeMap;

use object::read::StringTable;
use object::read::elf::{
    Dyn, FileHeader, ProgramHeader, Rel, Rela, RelrIterator, SectionHeader, SectionTable, Sym, SymbolTable,
};
use object::{NativeEndian, SymbolIndex, elf, pod};

mod image;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use image::{ADDRESS, Checked, Header, Image, beyond, wrong};

type Section = <Header as FileHeader>::SectionHeader;

/// What a library asks of its surroundings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// It looks for other libraries in the folder that it lies in.
    pub neighbours: bool,
}

/// Checks a library for this machine.
pub(super) fn check(bytes: &[u8]) -> Checked<Needs> {
    let header = Header::parse(bytes).map_err(|_| "its header cannot be read".to_owned())?;
    let segments = header.program_headers(NativeEndian::default(), bytes);
    let image = Image { bytes, segments: segments.map_err(|_| beyond("its table of segments", bytes))? };
    image.check_segments()?;
    let sections = header.sections(NativeEndian::default(), bytes);
    let sections = sections.map_err(|_| beyond("its table of sections", bytes))?;
    if sections.is_empty() {
        return wrong("it has no table of sections, by which symbols are found here: do not strip that off");
    }
    let dynamic = Dynamic::read(&image)?;
    dynamic.check_forms(&image)?;
    let symbols = dynamic.check_symbols(&image, &sections, bytes)?;
    dynamic.check_hash_table(&image, symbols)?;
    let lists = dynamic.lists_of_code();
    let in_a_list = |place| lists.iter().any(|(begin, end)| (*begin..*end).contains(&place));
    let pointers = dynamic.check_relocations(&image, symbols, &in_a_list)?;
    dynamic.check_code_that_is_called(&image, &pointers)?;
    dynamic.check_versions(&image, &sections, bytes, symbols)?;
    dynamic.needs(&image)
}

/// A library as it will lie in memory once it is loaded, for who looks something up in it before.
pub(super) struct Loaded<'a> {
    image: Image<'a>,
    pointers: Pointers,
}

impl<'a> Loaded<'a> {
    /// A library that has been checked.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::parse(bytes).ok()?;
        let segments = header.program_headers(NativeEndian::default(), bytes).ok()?;
        let image = Image { bytes, segments };
        let dynamic = Dynamic::read(&image).ok()?;
        let pointers = dynamic.check_relocations(&image, u64::MAX, &|_| true).ok()?;
        Some(Self { image, pointers })
    }

    /// The address that stands at a place; none where it is null, or found by the name of a symbol.
    pub(super) fn pointer(&self, place: u64) -> Option<u64> {
        self.pointers.get(&place).copied().flatten()
    }

    /// The number that stands at a place.
    pub(super) fn word(&self, place: u64) -> Option<u64> {
        self.image.word(place)
    }

    /// The bytes at an address.
    pub(super) fn at(&self, address: u64, size: u64) -> Option<&'a [u8]> {
        self.image.at(address, size)
    }
}

/// What will stand at a place in memory that the loader writes to: an address, or none that the file tells.
type Pointers = BTreeMap<u64, Option<u64>>;

/// The entries of the dynamic section, as the system's loader takes them: of several the last counts.
struct Dynamic {
    entries: Vec<(elf::DynamicTag, u64)>,
}

impl Dynamic {
    fn read(image: &Image<'_>) -> Checked<Self> {
        let endian = NativeEndian::default();
        let mut all = image.segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_DYNAMIC);
        let segment = all.next().ok_or("it has no dynamic section")?;
        let (address, size) = (segment.p_vaddr(endian), segment.p_filesz(endian));
        let table: Option<&[<Header as FileHeader>::Dyn]> = image.records(address, size);
        let entries = table.ok_or("its dynamic section is not in what is loaded")?.iter();
        let entries: Vec<_> = entries.map(|entry| (entry.tag(endian), entry.val(endian))).collect();
        match entries.iter().position(|(tag, _)| *tag == elf::DT_NULL) {
            Some(end) if end > 0 => Ok(Self { entries: entries[..end].to_vec() }),
            Some(_) => wrong("its dynamic section is empty"),
            None => wrong("its dynamic section has no end"),
        }
    }

    fn get(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.entries.iter().rev().find(|(other, _)| *other == tag).map(|(_, value)| *value)
    }

    fn needed(&self, tag: elf::DynamicTag, what: &str) -> Checked<u64> {
        self.get(tag).ok_or_else(|| format!("its dynamic section says nothing of {what}"))
    }

    /// Checks what the system's loader takes for granted, and ends the process over.
    fn check_forms(&self, image: &Image<'_>) -> Checked<()> {
        let sizes = [
            (elf::DT_SYMENT, SYMBOL),
            (elf::DT_RELAENT, size_of::<<Header as FileHeader>::Rela>() as u64),
            (elf::DT_RELENT, size_of::<<Header as FileHeader>::Rel>() as u64),
            (elf::DT_RELRENT, ADDRESS),
        ];
        let is_other = |(tag, size): (elf::DynamicTag, u64)| self.get(tag).is_some_and(|other| other != size);
        let tables = [
            (elf::DT_RELA, elf::DT_RELAENT),
            (elf::DT_RELA, elf::DT_RELASZ),
            (elf::DT_REL, elf::DT_RELENT),
            (elf::DT_REL, elf::DT_RELSZ),
            (elf::DT_RELR, elf::DT_RELRENT),
            (elf::DT_RELR, elf::DT_RELRSZ),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ),
            (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ),
            (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ),
        ];
        let lacks =
            |(table, size): (elf::DynamicTag, elf::DynamicTag)| self.get(table).is_some() && self.get(size).is_none();
        let of_calls = self.get(elf::DT_PLTREL);
        let no_calls = self.get(elf::DT_JMPREL).is_some() && of_calls.is_none()
            || of_calls.is_some_and(|kind| ![elf::DT_RELA, elf::DT_REL].iter().any(|tag| tag.0 as u64 == kind));
        let calls_through = self.get(elf::DT_PLTGOT);
        let nowhere = calls_through.is_some_and(|table| !image.holds(table, ADDRESS, elf::ProgramFlags(0)));
        match sizes.into_iter().any(is_other) || tables.into_iter().any(lacks) || no_calls || nowhere {
            true => wrong("its dynamic section makes no sense"),
            false => Ok(()),
        }
    }

    fn strings<'a>(&self, image: &Image<'a>) -> Checked<&'a [u8]> {
        let (address, size) = (self.needed(elf::DT_STRTAB, "names")?, self.needed(elf::DT_STRSZ, "names")?);
        let strings = image.at(address, size).ok_or("its table of names is not in what is loaded")?;
        // Without an end of the last one, a name goes on into whatever follows.
        if strings.last() == Some(&0) { Ok(strings) } else { wrong("its table of names has no end") }
    }

    /// How many symbols there are.
    fn check_symbols(&self, image: &Image<'_>, sections: &SectionTable<'_, Header>, bytes: &[u8]) -> Checked<u64> {
        let endian = NativeEndian::default();
        let address = self.needed(elf::DT_SYMTAB, "symbols")?;
        let names = self.strings(image)?.len() as u64;
        let table: SymbolTable<'_, Header> =
            sections.symbols(endian, bytes, elf::SHT_DYNSYM).map_err(|_| "its table of symbols cannot be read")?;
        let is_it = |section: &&Section| section.sh_type(endian) == elf::SHT_DYNSYM;
        let section = sections.iter().find(is_it).ok_or("its table of sections has no symbols")?;
        let size = section.sh_size(endian);
        let symbols: Option<&[<Header as FileHeader>::Sym]> = image.records(address, size);
        let symbols = symbols.filter(|_| section.sh_addr(endian) == address && table.len() as u64 * SYMBOL == size);
        let symbols = symbols.ok_or("its sections and its dynamic section have other symbols")?;
        for (position, symbol) in symbols.iter().enumerate() {
            // The first is none; no linker writes another of zeros.
            if position > 0 && pod::bytes_of(symbol).iter().all(|byte| *byte == 0) {
                return wrong("symbols of it are zeros");
            }
            let (kind, place, of) = (symbol.st_type(), symbol.st_value(endian), symbol.st_shndx(endian));
            let has_place = kind != elf::STT_TLS && of != elf::SHN_UNDEF && of != elf::SHN_ABS;
            if u64::from(symbol.st_name(endian)) >= names || has_place && !image.holds(place, 0, elf::ProgramFlags(0)) {
                return wrong("a symbol of it is nowhere");
            }
        }
        Ok(table.len() as u64)
    }

    /// The table by which symbols are found. Its numbers are divided by, and followed, as they are.
    fn check_hash_table(&self, image: &Image<'_>, symbols: u64) -> Checked<()> {
        let numbers = |address: u64, count: u64| {
            let bytes = image.at(address, count.checked_mul(4)?)?;
            let number = |bytes: &[u8]| Some(u64::from(u32::from_ne_bytes(bytes.try_into().ok()?)));
            bytes.chunks_exact(4).map(number).collect::<Option<Vec<u64>>>()
        };
        let gnu = |address: u64| {
            let [buckets, first, bloom, _] = numbers(address, 4)?[..] else { return None };
            let of_buckets = 16 + bloom.checked_mul(ADDRESS)?;
            let buckets = numbers(address.checked_add(of_buckets)?, buckets)?;
            let of_chains = address + of_buckets + 4 * buckets.len() as u64;
            let chains = numbers(of_chains, symbols.checked_sub(first)?)?;
            // Each bucket leads to a chain, which ends with an odd number.
            let leads = |begin: &u64| {
                *begin == 0
                    || begin
                        .checked_sub(first)
                        .and_then(|begin| chains.get(begin as usize..))
                        .is_some_and(|chain| chain.iter().any(|hash| hash % 2 == 1))
            };
            (!buckets.is_empty() && bloom.is_power_of_two() && buckets.iter().all(leads)).then_some(())
        };
        let old = |address: u64| {
            let [buckets, chains] = numbers(address, 2)?[..] else { return None };
            let all = numbers(address.checked_add(8)?, buckets.checked_add(chains)?)?;
            (buckets > 0 && chains == symbols && all.iter().all(|number| *number < chains)).then_some(())
        };
        let checked = match (self.get(elf::DT_GNU_HASH), self.get(elf::DT_HASH)) {
            (Some(address), _) => gnu(address),
            (None, Some(address)) => old(address),
            (None, None) => None,
        };
        checked.ok_or_else(|| "its table of where symbols are found makes no sense".to_owned())
    }

    /// Checks what is written where when it is loaded. Gives what is written into places that are watched.
    fn check_relocations(&self, image: &Image<'_>, symbols: u64, watched: &dyn Fn(u64) -> bool) -> Checked<Pointers> {
        let endian = NativeEndian::default();
        let mut pointers = Pointers::new();
        let writable = if self.get(elf::DT_TEXTREL).is_some() { elf::ProgramFlags(0) } else { elf::PF_W };
        let mut check = |place: u64, symbol: u64, target: Option<u64>| {
            if watched(place) {
                // Of several the last counts.
                pointers.insert(place, target);
            }
            match image.holds(place, 1, writable) && symbol < symbols {
                true => Ok(()),
                false => wrong("a relocation of it leads out of it"),
            }
        };
        let table = |address: elf::DynamicTag, size: elf::DynamicTag| Some((self.get(address)?, self.get(size)?));
        let unreadable = || "its table of relocations is not in what is loaded".to_owned();
        let (plain, of_calls) = (elf::DT_RELA.0 as u64, self.get(elf::DT_PLTREL));
        let calls = table(elf::DT_JMPREL, elf::DT_PLTRELSZ);
        let with_addend = [table(elf::DT_RELA, elf::DT_RELASZ), calls.filter(|_| of_calls == Some(plain))];
        for (address, size) in with_addend.into_iter().flatten().filter(|(_, size)| *size > 0) {
            let all: &[<Header as FileHeader>::Rela] = image.records(address, size).ok_or_else(unreadable)?;
            for (position, relocation) in all.iter().enumerate() {
                let (kind, symbol) = (relocation.r_type(endian, false), relocation.r_sym(endian, false));
                let is_relative = RELATIVE == Some(kind);
                let counted = self.get(elf::DT_RELACOUNT).filter(|_| Some((address, size)) == with_addend[0]);
                if RELATIVE.is_some() && !is_relative && (position as u64) < counted.unwrap_or(0) {
                    return wrong("its table of relocations is not what its dynamic section says");
                }
                #[allow(clippy::useless_conversion, reason = "where addresses have 32 bits, these have, too")]
                let target = is_relative.then(|| i64::from(relocation.r_addend(endian)) as u64);
                check(relocation.r_offset(endian), u64::from(symbol), target)?;
            }
        }
        let in_place = [table(elf::DT_REL, elf::DT_RELSZ), calls.filter(|_| of_calls != Some(plain))];
        for (address, size) in in_place.into_iter().flatten().filter(|(_, size)| *size > 0) {
            let all: &[<Header as FileHeader>::Rel] = image.records(address, size).ok_or_else(unreadable)?;
            for relocation in all {
                let (place, symbol) = (relocation.r_offset(endian), relocation.r_sym(endian));
                let target = image.word(place).filter(|_| RELATIVE == Some(relocation.r_type(endian)));
                check(place, u64::from(symbol), target)?;
            }
        }
        if let Some((address, size)) = table(elf::DT_RELR, elf::DT_RELRSZ) {
            let all: &[<Header as FileHeader>::Relr] = image.records(address, size).ok_or_else(unreadable)?;
            #[allow(clippy::useless_conversion, reason = "where addresses have 32 bits, these have, too")]
            for place in RelrIterator::<Header>::new(endian, all).map(u64::from) {
                check(place, 0, image.word(place))?;
            }
        }
        Ok(pointers)
    }

    /// The lists of functions that are called when a library is loaded, and when the process ends.
    fn lists_of_code(&self) -> Vec<(u64, u64)> {
        let lists = [(elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ), (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ)];
        let range = |(begin, size)| {
            let begin = self.get(begin)?;
            Some((begin, begin.saturating_add(self.get(size)?)))
        };
        lists.into_iter().filter_map(range).collect()
    }

    fn check_code_that_is_called(&self, image: &Image<'_>, pointers: &Pointers) -> Checked<()> {
        let functions = [elf::DT_INIT, elf::DT_FINI].into_iter().filter_map(|tag| self.get(tag));
        let mut leads = functions.map(|address| image.holds(address, 1, elf::PF_X));
        let is_code = |place: u64| match pointers.get(&place) {
            Some(Some(target)) => image.holds(*target, 1, elf::PF_X),
            // By a symbol, which is somewhere.
            Some(None) => true,
            None => RELATIVE.is_none(),
        };
        // They are in the file, so that there are no more than it is long.
        let is_list = |(begin, end): (u64, u64)| {
            image.at(begin, end - begin).is_some() && (begin..end).step_by(ADDRESS as usize).all(is_code)
        };
        match leads.all(|leads| leads) && self.lists_of_code().into_iter().all(is_list) {
            true => Ok(()),
            false => wrong("what is called when it is loaded is no code"),
        }
    }

    /// Versions of symbols, which are looked up by numbers that nobody checks.
    fn check_versions(
        &self,
        image: &Image<'_>,
        sections: &SectionTable<'_, Header>,
        bytes: &[u8],
        symbols: u64,
    ) -> Checked<()> {
        let endian = NativeEndian::default();
        let tags = [
            (elf::DT_VERSYM, elf::SHT_GNU_VERSYM),
            (elf::DT_VERNEED, elf::SHT_GNU_VERNEED),
            (elf::DT_VERDEF, elf::SHT_GNU_VERDEF),
        ];
        for (tag, kind) in tags {
            let section = sections.iter().find(|section| section.sh_type(endian) == kind);
            if self.get(tag) != section.map(|section| section.sh_addr(endian)) {
                return wrong("its sections and its dynamic section have other versions of symbols");
            }
        }
        let Some(address) = self.get(elf::DT_VERSYM) else {
            return Ok(());
        };
        let versions = sections.versions(endian, bytes).ok().flatten();
        let known = |number| {
            let versions = versions.as_ref()?;
            versions.version(versions.version_index(endian, SymbolIndex(number)).index()).ok()
        };
        let all =
            image.at(address, 2 * symbols).is_some() && (0..symbols as usize).all(|number| known(number).is_some());
        if all { Ok(()) } else { wrong("the versions of its symbols make no sense") }
    }

    fn needs(&self, image: &Image<'_>) -> Checked<Needs> {
        let strings = self.strings(image)?;
        let table = StringTable::new(strings, 0, strings.len() as u64);
        let mut needs = Needs { neighbours: false };
        for (tag, value) in &self.entries {
            let is_name =
                [elf::DT_NEEDED, elf::DT_SONAME, elf::DT_RPATH, elf::DT_RUNPATH].iter().any(|other| other == tag);
            if !is_name {
                continue;
            }
            let name = u32::try_from(*value).ok().and_then(|at| table.get(at).ok());
            let name = name.ok_or("a name of it is nowhere")?;
            let has = |word: &[u8]| name.windows(word.len()).any(|window| window == word);
            needs.neighbours |= *tag != elf::DT_SONAME && (has(b"$ORIGIN") || has(b"${ORIGIN}"));
        }
        Ok(needs)
    }
}

/// The size of a symbol.
const SYMBOL: u64 = size_of::<<Header as FileHeader>::Sym>() as u64;

/// The kind of relocation that adds the address at which the library lies, where it is known here.
const RELATIVE: Option<elf::RelocationType> = if cfg!(target_arch = "x86_64") {
    Some(elf::R_X86_64_RELATIVE)
} else if cfg!(target_arch = "aarch64") {
    Some(elf::R_AARCH64_RELATIVE)
} else if cfg!(any(target_arch = "riscv64", target_arch = "riscv32")) {
    Some(elf::R_RISCV_RELATIVE)
} else {
    None
};
