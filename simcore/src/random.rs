//! Random numbers: one named stream per purpose, so that drawing more for one purpose does not shift another.

use rand_pcg::Pcg64Mcg;

/// A reproducible stream of random numbers: the same on every machine for the same seed and name.
///
/// ```
/// use hearth_simcore::random::stream;
/// use rand::Rng;
/// let mut arrivals = stream(42, "arrivals");
/// assert_eq!(arrivals.next_u64(), stream(42, "arrivals").next_u64());
/// assert_ne!(stream(42, "arrivals").next_u64(), stream(42, "faults").next_u64());
/// assert_ne!(stream(42, "arrivals").next_u64(), stream(43, "arrivals").next_u64());
/// ```
pub fn stream(seed: u64, name: &str) -> Pcg64Mcg {
    let low = u128::from(derive_seed(seed, name));
    let high = u128::from(derive_seed(low as u64, name));
    Pcg64Mcg::new(high << 64 | low)
}

/// A seed for a part of the simulation with a generator of its own, from the simulation's seed and the part's name.
pub fn derive_seed(seed: u64, name: &str) -> u64 {
    // FNV-1a over the name tells the streams apart; SplitMix64's finaliser spreads neighbouring seeds.
    let named = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut mixed = seed.wrapping_add(named).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_are_those_of_the_first_release() {
        // Results are published with their seed: these numbers must never change.
        assert_eq!(derive_seed(0, ""), 14_087_677_454_934_409_008);
    }
}
