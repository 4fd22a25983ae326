use abi_stable::StableAbi;

use crate::boundary::Victims;

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionItem {
    pub id: u32,
    pub function: u32,
    pub ram: u64,
    pub disk: u64,
    pub cost: u64,
    pub since: u64,
    pub expires: u64,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    Use,
    Load,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Evicted,
    Taken,
    Ended,
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub now: u64,
    pub ram: u64,
    pub disk: u64,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    Accepted,
    Pinned,
    Enough,
}

pub trait Eviction {
    fn insert(&mut self, item: &EvictionItem);

    fn touch(&mut self, id: u32, touch: Touch);

    fn remove(&mut self, id: u32, removal: Removal);

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>);
}
