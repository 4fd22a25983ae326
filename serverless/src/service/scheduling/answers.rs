//! Answers of a policy that hang on sets of nodes alone ([`AllocationRules::answers_hold`](hearth_policy_api::AllocationRules)),
//! kept until one of these changes: a policy that decides anew in every round is asked the same over and over.

use hearth_policy_api::{Placement, RequestView};
use rustc_hash::FxHashMap;

use crate::cluster::{Cluster, Content};
use crate::error::Error;

/// So many are kept at the most.
const MOST: usize = 1 << 16;

/// What was answered of a function when those nodes had a free core.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// With how often the other sets of nodes had changed by then.
    nodes: FxHashMap<(u32, Content), (u64, u32)>,
}

impl Answers {
    /// The answer that is known, or the one that `ask` gives, with what the policy itself had said where that is another one: it holds.
    #[inline]
    pub fn find_or(
        &mut self,
        request: &RequestView,
        cluster: &Cluster,
        ask: impl FnOnce() -> Result<(Placement, Option<Placement>), Box<Error>>,
    ) -> Result<Placement, Box<Error>> {
        let Some(content) = cluster.free_core_content() else { return ask().map(|(answer, _)| answer) };
        let (key, changes) = ((request.function, content), cluster.changes_for(request));
        if let Some((then, node)) = self.nodes.get(&key)
            && *then == changes
        {
            return Ok(Placement::Node(*node));
        }
        let (answer, own) = ask()?;
        if let Placement::Node(node) = *own.as_ref().unwrap_or(&answer) {
            if self.nodes.len() == MOST {
                self.nodes.clear();
            }
            self.nodes.insert(key, (changes, node));
        }
        Ok(answer)
    }
}
