//! Random numbers of a policy's own.

use rand_pcg::Pcg64Mcg;

/// The stream of random numbers of a seed, such as [`PolicyContext::seed`](hearth_policy_api::PolicyContext::seed); the
/// same on every machine.
///
/// ```
/// use hearth_policy_toolbox::random_stream;
/// use rand::RngExt;
/// let mut stream = random_stream(7);
/// assert!(stream.random_range(0..10_u32) < 10);
/// assert_eq!(random_stream(7), random_stream(7));
/// assert_ne!(random_stream(7), random_stream(8));
/// ```
pub fn random_stream(seed: u64) -> Pcg64Mcg {
    // An odd multiplier spreads the seed over the state of 128 bits.
    Pcg64Mcg::new(u128::from(seed).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645))
}
