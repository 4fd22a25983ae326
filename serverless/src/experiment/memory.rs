//! What a simulation needs before anything has happened, so that counts which no machine holds are refused at once.

use crate::scenario::ScenarioError;

/// More is a slip of the pen; a machine may have less.
const LIMIT: u64 = 32_000_000_000;
/// Bytes for each node and for each function, as measured.
const OF_NODE: u64 = 1_400;
const OF_FUNCTION: u64 = 820;
/// Bits for each node: where a function has idle containers, and where an image is on disk, in RAM or on its way to one.
const OF_FUNCTION_ON_NODE: u64 = 1;
const OF_IMAGE_ON_NODE: u64 = 4;

/// Refuses functions and images on so many nodes that they would need more memory than simulations get; `place` is
/// where those stand that were counted last.
pub(super) fn check(place: &str, nodes: usize, functions: usize, images: usize) -> Result<(), ScenarioError> {
    let [nodes, functions, images] = [nodes as u64, functions as u64, images as u64];
    let bits = functions.saturating_mul(OF_FUNCTION_ON_NODE).saturating_add(images.saturating_mul(OF_IMAGE_ON_NODE));
    let sets = nodes.saturating_mul(bits) / 8;
    let bytes =
        sets.saturating_add(nodes.saturating_mul(OF_NODE)).saturating_add(functions.saturating_mul(OF_FUNCTION));
    if bytes <= LIMIT {
        return Ok(());
    }
    let gigabytes = bytes / 1_000_000_000;
    let problem = format!(
        "{functions} functions and {images} images on {nodes} nodes would need {gigabytes} GB of memory or more, \
         expected at most {} GB: take fewer nodes, or fewer functions",
        LIMIT / 1_000_000_000
    );
    Err(ScenarioError::invalid(place, problem))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn each_may_be_many_but_not_their_product() {
        assert!(check("", 2_000_000, 1_000, 10).is_ok());
        assert!(check("", 1_000, 10_000_000, 0).is_ok());
        let refused = check("functions", 1_000_000, 1_000_000, 0).unwrap_err().to_string();
        let expected = "functions: 1000000 functions and 0 images on 1000000 nodes would need 127 GB of memory or more, \
                        expected at most 32 GB: take fewer nodes, or fewer functions";
        assert_eq!(refused, expected);
        assert!(check("images", 1_000_000, 1, 100_000).is_err());
        assert!(check("", usize::MAX, usize::MAX, usize::MAX).is_err());
    }
}
