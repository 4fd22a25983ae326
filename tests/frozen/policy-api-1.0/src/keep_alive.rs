use abi_stable::StableAbi;

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub now: u64,
    pub function: u32,
    pub node: u32,
    pub run_time: u64,
    pub ram: u64,
    pub idle_of_function: u32,
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub keep_for: u64,
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAliveRules {
    pub observes_arrivals: bool,
}

pub trait KeepAlive {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules::default()
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention;

    fn on_arrival(&mut self, _function: u32, _now: u64) {}
}
