use abi_stable::StableAbi;
use abi_stable::std_types::RSlice;

const WORD: usize = u64::BITS as usize;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeBits {
    words: Vec<u64>,
    summary: Vec<u64>,
}

impl NodeBits {
    pub fn new(nodes: usize) -> Self {
        let words = nodes.div_ceil(WORD);
        Self { words: vec![0; words], summary: vec![0; words.div_ceil(WORD)] }
    }

    pub fn full(nodes: usize) -> Self {
        let mut all = Self::new(nodes);
        (0..nodes).for_each(|node| all.insert(node as u32));
        all
    }

    pub fn insert(&mut self, node: u32) {
        let word = node as usize / WORD;
        if let Some(bits) = self.words.get_mut(word) {
            *bits |= 1 << (node as usize % WORD);
            self.summary[word / WORD] |= 1 << (word % WORD);
        }
    }

    pub fn remove(&mut self, node: u32) {
        let word = node as usize / WORD;
        if let Some(bits) = self.words.get_mut(word) {
            *bits &= !(1 << (node as usize % WORD));
            if *bits == 0 {
                self.summary[word / WORD] &= !(1 << (word % WORD));
            }
        }
    }

    pub fn set(&mut self, node: u32, present: bool) {
        if present { self.insert(node) } else { self.remove(node) }
    }

    pub fn copy_from(&mut self, other: &NodeBits) {
        self.words.clone_from(&other.words);
        self.summary.clone_from(&other.summary);
    }

    pub fn contains(&self, node: u32) -> bool {
        self.view().contains(node)
    }

    #[inline]
    pub fn view(&self) -> NodeSet<'_> {
        NodeSet { words: RSlice::from_slice(&self.words), summary: RSlice::from_slice(&self.summary) }
    }
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct NodeSet<'a> {
    words: RSlice<'a, u64>,
    summary: RSlice<'a, u64>,
}

impl<'a> NodeSet<'a> {
    pub fn empty() -> Self {
        Self { words: RSlice::from_slice(&[]), summary: RSlice::from_slice(&[]) }
    }

    #[inline]
    pub fn contains(&self, node: u32) -> bool {
        let word = self.words.as_slice().get(node as usize / WORD).copied().unwrap_or(0);
        word & (1 << (node as usize % WORD)) != 0
    }

    pub fn first(&self) -> Option<u32> {
        self.first_also_in(self)
    }

    #[inline]
    pub fn first_also_in(&self, other: &NodeSet<'_>) -> Option<u32> {
        let (words, others) = (self.words.as_slice(), other.words.as_slice());
        let summaries = self.summary.as_slice().iter().zip(other.summary.as_slice());
        for (block, (mine, theirs)) in summaries.enumerate() {
            let mut candidates = mine & theirs;
            while candidates != 0 {
                let word = block * WORD + candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                if let (Some(mine), Some(theirs)) = (words.get(word), others.get(word))
                    && mine & theirs != 0
                {
                    return Some((word * WORD) as u32 + (mine & theirs).trailing_zeros());
                }
            }
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.iter_also_in(self)
    }

    pub fn iter_also_in<'b>(&self, other: &NodeSet<'b>) -> impl Iterator<Item = u32> + use<'a, 'b> {
        let (words, others) = (self.words.as_slice(), other.words.as_slice());
        let summaries = self.summary.as_slice().iter().zip(other.summary.as_slice());
        summaries.enumerate().flat_map(move |(block, (mine, theirs))| {
            set_bits(mine & theirs).flat_map(move |offset| {
                let word = block * WORD + offset as usize;
                let both = words.get(word).copied().unwrap_or(0) & others.get(word).copied().unwrap_or(0);
                set_bits(both).map(move |bit| (word * WORD) as u32 + bit)
            })
        })
    }

    pub fn count(&self) -> usize {
        self.words.as_slice().iter().map(|word| word.count_ones() as usize).sum()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.summary.as_slice().iter().all(|block| *block == 0)
    }
}

fn set_bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros();
        word &= word - 1;
        Some(bit)
    })
}

