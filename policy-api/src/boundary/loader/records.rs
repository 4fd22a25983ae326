//! The policies of a library that has been opened: each as long as this host knows it, once it makes sense.

// What a library leads to is read through addresses; each block says what is relied on.
#![allow(unsafe_code)]

use libloading::Library;

use super::super::said::{said, shown};
use super::entries::ours;
use super::{LoadError, sense};
use crate::PolicyDescriptor;
use crate::abi::{
    AdmissionTable, AutoscalingTable, EvictionTable, KeepAliveTable, LibraryHeader, NodeAllocationTable, Parameter,
    PolicyRecord, Records, Text,
};

/// The most policies that a library may export.
pub(super) const MOST_POLICIES: usize = 1_000;

/// The most parameters that a policy may have.
const MOST_PARAMETERS: usize = 1_000;

/// The policies behind these symbols, no two of one kind with the same name.
pub(super) fn policies(library: &Library, symbols: &[(String, u64)]) -> Result<Vec<PolicyDescriptor>, LoadError> {
    let mut policies = Vec::new();
    for (symbol, _) in symbols {
        policies.extend(policies_of(library, symbol)?);
    }
    sense::check_names(&policies)?;
    Ok(policies)
}

/// The policies behind a symbol.
fn policies_of(library: &Library, symbol: &str) -> Result<Vec<PolicyDescriptor>, LoadError> {
    let refused = |error: libloading::Error| LoadError::System(shown(error.to_string().as_bytes()));
    // SAFETY: the symbol is that of a library's header, which has been checked in the file.
    let header = unsafe { &**library.get::<*const LibraryHeader>(symbol.as_bytes()).map_err(refused)? };
    #[cfg(feature = "abi_stable")]
    check_types(header)?;
    if let Some(prepare) = header.prepare {
        // SAFETY: the library wants it to be called before anything else.
        unsafe { prepare() };
    }
    let (addresses, length) = (header.policies.data.cast::<*const PolicyRecord>(), header.policies.length);
    if length == 0 {
        return Err(LoadError::NoPolicies);
    }
    let is_nowhere = addresses.is_null() || !addresses.is_aligned();
    if is_nowhere || length > MOST_POLICIES {
        let problem = match is_nowhere {
            true => "is at no address: name each policy in HEARTH_EXPORT_POLICIES".to_owned(),
            false => format!("cannot be: a library has at most {MOST_POLICIES} policies"),
        };
        return Err(LoadError::Policy { policy: format!("number {length}"), problem });
    }
    // SAFETY: so many addresses lie there, for good.
    let addresses = unsafe { std::slice::from_raw_parts(addresses, length) };
    let policy = |(position, address): (usize, &*const PolicyRecord)| {
        // SAFETY: it is null, or the address of a record that lasts.
        let policy = if address.is_aligned() { unsafe { address.as_ref() } } else { None };
        whole_policy(position, policy, header.minor)
    };
    addresses.iter().enumerate().map(policy).collect()
}

/// Compares the types of all fields.
#[cfg(feature = "abi_stable")]
fn check_types(header: &LibraryHeader) -> Result<(), LoadError> {
    // SAFETY: null, or what `export_policies!` has put there.
    let compared = std::panic::catch_unwind(|| unsafe { super::super::described::difference(header.described) });
    match compared {
        Ok(None) => Ok(()),
        Ok(Some((place, difference))) => {
            let (place, difference) = (shown(place.as_bytes()), shown(difference.as_bytes()));
            Err(LoadError::OtherLayout { place, difference, ours: ours() })
        }
        // So `abi_stable` meets what it did not write.
        Err(_) => Err(LoadError::Damaged("what it says of the types of fields cannot be read".to_owned())),
    }
}

/// A record as long as ours: of a shorter one, of an earlier version, what it does not have is taken from `empty`.
///
/// # Safety
/// The address must be one of a record that begins with its size.
unsafe fn whole<T>(address: *const T, empty: T) -> &'static T {
    const { assert!(!std::mem::needs_drop::<T>(), "records are plain numbers and addresses") }
    let mut whole = empty;
    // SAFETY: the record has as many bytes as it says, and ours as many as are copied.
    unsafe {
        let size = (*address.cast::<u32>() as usize).min(size_of::<T>());
        std::ptr::copy_nonoverlapping(address.cast::<u8>(), (&raw mut whole).cast::<u8>(), size);
    }
    // Libraries are never closed.
    Box::leak(Box::new(whole))
}

/// The parameters that a policy declares, each as long as ours; none if no such list can be.
fn whole_parameters(declared: &Records<'static, Parameter>) -> Option<Records<'static, Parameter>> {
    let Records { data, length, stride, .. } = *declared;
    if length == 0 {
        return Some(Records::new(&[]));
    }
    if data.is_null() || !data.is_aligned() || length > MOST_PARAMETERS {
        return None;
    }
    // SAFETY: a record begins with its size.
    let size = unsafe { *data.cast::<u32>() } as usize;
    if length > 1 && (stride < size.max(size_of::<u32>()) || !stride.is_multiple_of(align_of::<Parameter>())) {
        return None;
    }
    // SAFETY: so many records lie there for good, each so far from the one before; what is copied holds addresses that last as long.
    let whole = (0..length).map(|number| unsafe {
        let record = whole(data.byte_add(number * stride), Parameter::EMPTY);
        std::ptr::read(record)
    });
    Some(Records::new(Box::leak(whole.collect::<Box<[_]>>())))
}

/// A policy of this minor version with all its tables as long as ours, once it makes sense.
fn whole_policy(
    position: usize,
    policy: Option<&'static PolicyRecord>,
    minor: u32,
) -> Result<PolicyDescriptor, LoadError> {
    let numbered = || format!("number {}", position + 1);
    let policy = policy.ok_or_else(|| LoadError::Policy {
        policy: numbered(),
        problem: "is at no address: name each policy in HEARTH_EXPORT_POLICIES".to_owned(),
    })?;
    let none = PolicyRecord {
        size: 0,
        not_promised: 0,
        name: Text::EMPTY,
        version: Text::EMPTY,
        description: Text::EMPTY,
        parameters: Records::new(&[]),
        create: None,
        destroy: None,
        node_allocation: None,
        eviction: None,
        admission: None,
        keep_alive: None,
        autoscaling: None,
    };
    // SAFETY: what the header leads to begins with its size, as do the tables.
    let (whole, parameters) = unsafe {
        let mut policy = *whole(policy, none);
        let parameters = whole_parameters(&policy.parameters);
        policy.parameters = parameters.unwrap_or(Records::new(&[]));
        policy.node_allocation = policy.node_allocation.map(|table| whole(table, NodeAllocationTable::EMPTY));
        policy.eviction = policy.eviction.map(|table| whole(table, EvictionTable::EMPTY));
        policy.admission = policy.admission.map(|table| whole(table, AdmissionTable::EMPTY));
        policy.keep_alive = policy.keep_alive.map(|table| whole(table, KeepAliveTable::EMPTY));
        policy.autoscaling = policy.autoscaling.map(|table| whole(table, AutoscalingTable::EMPTY));
        (Box::leak(Box::new(policy)), parameters)
    };
    let no_list = || format!("has no list of parameters: there are at most {MOST_PARAMETERS}, one behind the other");
    sense::check_policy(whole, minor).and_then(|()| parameters.map(drop).ok_or_else(no_list)).map_err(|problem| {
        // SAFETY: what a policy is called lasts.
        let name = unsafe { said(whole.name) };
        let policy = if name.is_empty() { numbered() } else { format!("\"{name}\"") };
        LoadError::Policy { policy, problem }
    })?;
    Ok(PolicyDescriptor::of(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters as a library of another version has them: shorter than ours, or longer.
    #[repr(C, align(8))]
    struct Others<const SIZE: usize>([[u8; SIZE]; 3]);

    fn others<const SIZE: usize>() -> Records<'static, Parameter> {
        let mut records = [[0xA5; SIZE]; 3];
        for (number, record) in records.iter_mut().enumerate() {
            let name = ["one", "two", "three"][number];
            let ours = Parameter { size: SIZE as u32, name: Text::new(name), ..Parameter::EMPTY };
            // SAFETY: so many bytes of a record are its bytes.
            let bytes = unsafe { std::slice::from_raw_parts((&raw const ours).cast::<u8>(), size_of::<Parameter>()) };
            record.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        }
        let others: &'static Others<SIZE> = Box::leak(Box::new(Others(records)));
        Records { data: others.0.as_ptr().cast(), length: 3, stride: SIZE, ..Records::new(&[]) }
    }

    #[test]
    fn parameters_of_other_versions_are_as_long_as_ours() {
        const OURS: usize = size_of::<Parameter>();
        for declared in [others::<{ OURS - 16 }>(), others::<OURS>(), others::<{ OURS + 8 }>()] {
            let whole = whole_parameters(&declared).unwrap();
            // SAFETY: names that last.
            let names: Vec<String> = whole.iter().map(|parameter| unsafe { said(parameter.name) }).collect();
            assert_eq!(names, ["one", "two", "three"]);
            assert!(whole.iter().all(|parameter| parameter.words.is_empty()), "what is missing is empty");
        }
    }

    #[test]
    fn a_list_that_cannot_be_is_none() {
        let declared = others::<{ size_of::<Parameter>() }>();
        assert!(whole_parameters(&Records { stride: 8, ..declared }).is_none());
        assert!(whole_parameters(&Records { stride: declared.stride + 4, ..declared }).is_none());
        assert!(whole_parameters(&Records { data: declared.data.wrapping_byte_add(4), ..declared }).is_none());
        assert!(whole_parameters(&Records { length: MOST_PARAMETERS + 1, ..declared }).is_none());
        assert!(whole_parameters(&Records { data: std::ptr::null(), ..declared }).is_none());
        assert!(whole_parameters(&Records { data: std::ptr::null(), length: 0, ..declared }).unwrap().is_empty());
    }
}
