//! Learning byte pairs: the most frequent pair of neighbours becomes a symbol, again and again.
//!
//! Counts are kept up to date where a merge changes neighbours, instead of made anew; a heap finds the most frequent pair.
//! Source: Sennrich, Haddow and Birch 2016, algorithm 1.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ahash::{AHashMap, AHashSet};

use super::words::{Cut, words};
use super::{MAX_SYMBOL_BYTES, Pair};

/// The merges of a text, until there are `size` symbols (at least 256) or nothing is left to merge.
///
/// Learned symbols are shorter than [`MAX_SYMBOL_BYTES`]. Of equally frequent pairs, the one whose left symbol is older comes first,
/// then the one whose right symbol is. So the text alone decides.
pub(super) fn learn(text: &str, size: usize) -> Vec<Pair> {
    let mut occurrences: AHashMap<&str, i64> = AHashMap::new();
    for word in words(text, Cut::Lines) {
        *occurrences.entry(word).or_default() += 1;
    }
    let coded = |(word, count): (&str, i64)| (word.bytes().map(u32::from).collect(), count);
    let mut words: Vec<(Vec<u32>, i64)> = occurrences.into_iter().map(coded).collect();

    let mut symbols: Vec<Box<[u8]>> = (0..=255u8).map(|byte| Box::from([byte])).collect();
    let mut code_of: AHashMap<Box<[u8]>, u32> = symbols.iter().cloned().zip(0..).collect();
    let mut neighbours = Neighbours::default();
    for (index, (codes, count)) in words.iter().enumerate() {
        codes.windows(2).for_each(|pair| neighbours.add((pair[0], pair[1]), *count, index));
    }
    neighbours.queue_changed(|_| true);

    let mut merges = Vec::new();
    let mut merged = AHashSet::new();
    while symbols.len() < size {
        let Some((pair, places)) = neighbours.most_frequent() else { break };
        let bytes = [&*symbols[pair.0 as usize], &*symbols[pair.1 as usize]].concat().into_boxed_slice();
        let next = symbols.len() as u32;
        let code = *code_of.entry(bytes.clone()).or_insert(next);
        if code == next {
            symbols.push(bytes);
        }
        // A pair can come back when one of its symbols is made in a second way; it stands in the list already.
        if merged.insert(pair) {
            merges.push(pair);
        }
        for index in places {
            let (codes, count) = &mut words[index];
            merge(codes, pair, code, |neighbour, change| neighbours.add(neighbour, change * *count, index));
        }
        let length = |code: u32| symbols[code as usize].len();
        neighbours.queue_changed(|(left, right)| length(left) + length(right) < MAX_SYMBOL_BYTES);
    }
    merges
}

/// Puts `code` in the place of every `pair`, from the left, and tells how often each pair of neighbours comes (+1) and goes (−1).
fn merge(codes: &mut Vec<u32>, pair: Pair, code: u32, mut change: impl FnMut(Pair, i64)) {
    let (mut read, mut kept) = (0, 0);
    while read < codes.len() {
        if codes[read] != pair.0 || codes.get(read + 1) != Some(&pair.1) {
            codes[kept] = codes[read];
            (read, kept) = (read + 1, kept + 1);
            continue;
        }
        change(pair, -1);
        if kept > 0 {
            let before = codes[kept - 1];
            change((before, pair.0), -1);
            change((before, code), 1);
        }
        if let Some(&after) = codes.get(read + 2) {
            change((pair.1, after), -1);
            change((code, after), 1);
        }
        codes[kept] = code;
        (read, kept) = (read + 2, kept + 1);
    }
    codes.truncate(kept);
}

/// How often two symbols stand side by side, and in which words.
#[derive(Default)]
struct Neighbours {
    counts: AHashMap<Pair, i64>,
    /// The words that got the pair since it was last merged; some may have lost it again.
    places: AHashMap<Pair, Vec<usize>>,
    /// Pairs whose count is not in the queue yet.
    changed: AHashSet<Pair>,
    /// Counts, most frequent first. An entry that is no longer true is skipped.
    queue: BinaryHeap<(i64, Reverse<[u32; 2]>, Pair)>,
}

impl Neighbours {
    fn add(&mut self, pair: Pair, change: i64, word: usize) {
        *self.counts.entry(pair).or_default() += change;
        self.changed.insert(pair);
        if change > 0 {
            let places = self.places.entry(pair).or_default();
            if places.last() != Some(&word) {
                places.push(word);
            }
        }
    }

    fn queue_changed(&mut self, may_merge: impl Fn(Pair) -> bool) {
        for pair in self.changed.drain() {
            let count = self.counts[&pair];
            if count > 0 && may_merge(pair) {
                self.queue.push((count, Reverse([age(pair.0), age(pair.1)]), pair));
            }
        }
    }

    /// The pair to merge next, and the words to look for it in.
    fn most_frequent(&mut self) -> Option<(Pair, Vec<usize>)> {
        loop {
            let (count, _, pair) = self.queue.pop()?;
            if self.counts[&pair] == count {
                return Some((pair, self.places.remove(&pair).unwrap_or_default()));
            }
        }
    }
}

/// A symbol's place in the order of equally frequent pairs: of bytes, those come first whose character prints in Latin-1.
///
/// (GPT-2 writes a byte as a character that prints, its own if that does, and libraries order pairs by what they write.)
fn age(code: u32) -> u32 {
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0..=0xff => code + 0x100,
        _ => code + 0x200,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Pair {
        let bytes = text.as_bytes();
        (u32::from(bytes[0]), u32::from(bytes[1]))
    }

    #[test]
    fn the_first_merge_joins_the_most_frequent_pair_and_the_next_counts_what_is_left() {
        assert_eq!(learn("abab abab xy", 257), [pair("ab")]);
        assert_eq!(learn("aaaa", 300), [pair("aa"), (256, 256)]);
        assert_eq!(learn("a,b ", 300), []); // no word of two bytes
    }

    #[test]
    fn of_equally_frequent_pairs_the_one_of_older_symbols_comes_first() {
        assert_eq!(learn("zy zx", 300), [pair("zx"), pair("zy"), (32, 256)]);
    }
}
