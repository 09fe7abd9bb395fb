//! Markov chains of symbols with Witten-Bell smoothing: a model that only counts. What it is compared with is in [`crate::text::floors`].
//!
//! Every sequence of up to `order + 1` symbols that the text contains is a node of a trie; the node of `w c` hangs below
//! the node of `w`. A dense table would need `V^order` rows; the trie has one node per sequence that occurs, at most
//! [`MAX_NODES`]. Counting finds nodes by hashing (parent, symbol); afterwards the nodes are renumbered so that the
//! children of a node stand side by side in order of symbol, and the hash table is dropped.

use ahash::AHashMap; // counting is mostly hashing of eight bytes, which the standard table does at half the speed

/// The most sequences a chain remembers, about 0.7 GB while counting. A sequence that first occurs when the table is full is
/// ignored, with the same care for sums: what was not counted counts neither above nor below the fraction bar.
pub const MAX_NODES: usize = 1 << 24;

/// The order of the chain that proposes to a model and judges what it writes: of a text of a million characters the best
/// (`docs/benchmarks.md`, the floors of tiny-shakespeare).
pub const BEST_ORDER: usize = 4;

/// Stands for a context that the training text does not contain.
const UNSEEN: u32 = u32::MAX;

/// The chains of order 0 (unigram) to `order`, interpolated recursively after Witten and Bell.
///
/// With `h` the last k symbols, `h'` the last k − 1, `n(h c)` how often `c` followed `h` in the training text, `n(h) = Σ_c n(h c)`
/// and `t(h)` the number of distinct symbols that followed `h`:
///
/// `p_k(c | h) = (n(h c) + t(h) · p_{k−1}(c | h')) / (n(h) + t(h))`, `p_{−1} = 1/V`; where `n(h) = 0`, `p_k = p_{k−1}`.
///
/// At the start of a text fewer than k symbols are known: then the longest chain that they allow predicts.
///
/// Source: Witten and Bell 1991, method C; interpolated as in Chen and Goodman 1999, section 2.4.
#[derive(Clone, Debug)]
pub struct MarkovChain {
    size: usize,
    order: usize,
    nodes: Nodes,
}

/// The trie, one entry per node in each column; node 0 is the empty sequence. The children of node `i` are the nodes
/// `first_child[i]..first_child[i + 1]`, sorted by symbol.
#[derive(Clone, Debug)]
struct Nodes {
    symbol: Vec<u32>,
    count: Vec<u32>,
    /// `n(h)`: the sum of the children's counts (one less than the node's own count where the text ended with it).
    followed: Vec<u32>,
    first_child: Vec<u32>,
}

/// The last symbols of a text as the chain sees them: for each length 0..=order, the node of that suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(Vec<u32>);

impl MarkovChain {
    /// Counts `symbols`, codes below `size` (V), for the chains of order 0 to `order`.
    ///
    /// # Panics
    /// If a code is not below `size`, or the text has 2³² symbols or more.
    pub fn fit(symbols: &[u32], size: usize, order: usize) -> Self {
        Self::fit_within(symbols, size, order, MAX_NODES)
    }

    /// [`MarkovChain::fit`] with room for `max_nodes` sequences.
    fn fit_within(symbols: &[u32], size: usize, order: usize, max_nodes: usize) -> Self {
        assert!(u32::try_from(symbols.len()).is_ok(), "a Markov chain counts fewer than 2^32 symbols");
        let mut found: AHashMap<u64, u32> = AHashMap::new();
        let mut keys = vec![0u64]; // of each node: parent in the high half, symbol in the low half
        let mut counts = vec![0u32];
        let mut suffixes = vec![UNSEEN; order + 2]; // the node of the last m symbols, m = 0..=order + 1
        suffixes[0] = 0;
        for &symbol in symbols {
            assert!((symbol as usize) < size, "symbol {symbol} is outside a vocabulary of {size}");
            // From the longest, so that each length reads the shorter one as it was before this symbol.
            for length in (1..=order + 1).rev() {
                let parent = suffixes[length - 1];
                suffixes[length] = if parent == UNSEEN {
                    UNSEEN
                } else {
                    let key = u64::from(parent) << 32 | u64::from(symbol);
                    let full = keys.len() >= max_nodes;
                    match found.get(&key) {
                        Some(&node) => {
                            counts[node as usize] += 1;
                            node
                        }
                        None if full => UNSEEN,
                        None => {
                            let node = keys.len() as u32;
                            found.insert(key, node);
                            keys.push(key);
                            counts.push(1);
                            node
                        }
                    }
                };
            }
        }
        drop(found);
        MarkovChain { size, order, nodes: Nodes::sorted(&keys, &counts, order + 1) }
    }

    /// The order of the longest chain.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of symbols V that the chain distributes over.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The context at the start of a text: nothing is known.
    pub fn start(&self) -> Context {
        let mut suffixes = vec![UNSEEN; self.order + 1];
        suffixes[0] = 0;
        Context(suffixes)
    }

    /// Appends `symbol` to the context. It allocates nothing.
    pub fn advance(&self, context: &mut Context, symbol: u32) {
        for length in (1..=self.order).rev() {
            context.0[length] = self.nodes.child(context.0[length - 1], symbol);
        }
    }

    /// `p_k(symbol | context)` for every order k = 0..=order, into `probabilities`.
    ///
    /// # Panics
    /// If `probabilities` has not order + 1 places.
    pub fn probability_by_order(&self, context: &Context, symbol: u32, probabilities: &mut [f64]) {
        assert_eq!(probabilities.len(), self.order + 1, "one probability per order");
        let mut p = 1.0 / self.size as f64;
        for (&node, probability) in context.0.iter().zip(probabilities) {
            if let Some((n, t)) = self.nodes.followers(node) {
                let child = self.nodes.child(node, symbol);
                let count = if child == UNSEEN { 0.0 } else { f64::from(self.nodes.count[child as usize]) };
                p = (count + t * p) / (n + t);
            }
            *probability = p;
        }
    }

    /// The distribution of the next symbol under the chain of order `order`, into `probabilities` (V).
    ///
    /// # Panics
    /// If `order` is beyond the longest chain or `probabilities` has not V places.
    pub fn probabilities(&self, context: &Context, order: usize, probabilities: &mut [f64]) {
        assert!(order <= self.order, "order {order} of a chain of order {}", self.order);
        assert_eq!(probabilities.len(), self.size, "one probability per symbol");
        probabilities.fill(1.0 / self.size as f64);
        for &node in &context.0[..=order] {
            let Some((n, t)) = self.nodes.followers(node) else { continue };
            probabilities.iter_mut().for_each(|p| *p *= t / (n + t));
            for child in self.nodes.children(node) {
                probabilities[self.nodes.symbol[child] as usize] += f64::from(self.nodes.count[child]) / (n + t);
            }
        }
    }

    /// The mean of `−ln p_k(x_i | x_<i)` over `symbols`, for each order k = 0..=order, in nats. NaN if there are none.
    pub fn nats_per_symbol(&self, symbols: &[u32]) -> Vec<f64> {
        let mut context = self.start();
        let mut probabilities = vec![0.0; self.order + 1];
        let mut nats = vec![0.0; self.order + 1];
        for &symbol in symbols {
            self.probability_by_order(&context, symbol, &mut probabilities);
            nats.iter_mut().zip(&probabilities).for_each(|(sum, p)| *sum -= p.ln());
            self.advance(&mut context, symbol);
        }
        nats.iter().map(|sum| sum / symbols.len() as f64).collect()
    }
}

impl Nodes {
    /// Renumbers nodes by (length, parent, symbol). `keys` come in order of discovery, so a parent stands before its children.
    fn sorted(keys: &[u64], counts: &[u32], max_length: usize) -> Self {
        let split = |node: u32| ((keys[node as usize] >> 32) as usize, keys[node as usize] as u32);
        let mut length = vec![0u8; keys.len()];
        let mut of_length: Vec<Vec<u32>> = vec![Vec::new(); max_length + 1];
        for node in 1..keys.len() as u32 {
            length[node as usize] = length[split(node).0] + 1;
            of_length[length[node as usize] as usize].push(node);
        }
        let mut renumbered = vec![0u32; keys.len()];
        let (mut symbol, mut count) = (vec![0], vec![0]);
        let (mut followed, mut first_child) = (vec![0; keys.len()], vec![0u32; keys.len() + 1]);
        for mut nodes in of_length {
            // The parents, one shorter, already have their new numbers.
            nodes.sort_unstable_by_key(|&node| (renumbered[split(node).0], split(node).1));
            for node in nodes {
                let parent = renumbered[split(node).0] as usize;
                renumbered[node as usize] = symbol.len() as u32;
                symbol.push(split(node).1);
                count.push(counts[node as usize]);
                followed[parent] += counts[node as usize];
                first_child[parent + 1] += 1; // first a number of children, below summed to positions
            }
        }
        first_child[0] = 1; // node 0 is nobody's child
        for node in 0..keys.len() {
            first_child[node + 1] += first_child[node];
        }
        Nodes { symbol, count, followed, first_child }
    }

    fn children(&self, node: u32) -> std::ops::Range<usize> {
        self.first_child[node as usize] as usize..self.first_child[node as usize + 1] as usize
    }

    /// The node of `node`'s sequence with `symbol` appended, [`UNSEEN`] where the text has none.
    fn child(&self, node: u32, symbol: u32) -> u32 {
        if node == UNSEEN {
            return UNSEEN;
        }
        let children = self.children(node);
        match self.symbol[children.clone()].binary_search(&symbol) {
            Ok(offset) => (children.start + offset) as u32,
            Err(_) => UNSEEN,
        }
    }

    /// `n(h)` and `t(h)`, or nothing where the context never had a successor.
    fn followers(&self, node: u32) -> Option<(f64, f64)> {
        let known = node != UNSEEN && self.followed[node as usize] > 0;
        known.then(|| (f64::from(self.followed[node as usize]), self.children(node).len() as f64))
    }
}

#[cfg(test)]
#[path = "markov_tests.rs"]
mod tests;
