//! Byte-level byte-pair encoding: the merges of a vocabulary, learned from a text, and their application to others.
//!
//! Codes 0..=255 are the bytes. Each merge joins two earlier codes; its result is the next free code, unless the same bytes
//! already have one (`a·bc` and `ab·c`). The list of merges is therefore the whole vocabulary; a published one may have special symbols
//! beside it, and count its symbols in another order.
//!
//! `bpe/special.rs` finds special symbols, `bpe/words.rs` cuts a text before pairs are looked for, `bpe/learning.rs` learns,
//! `bpe/characters.rs` has GPT-2's characters for bytes.

pub(crate) mod characters;
mod learning;
mod special;
mod words;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ahash::AHashMap;

use special::{Special, Stretch};
pub(crate) use words::Cut;

/// The most bytes one symbol stands for: a hostile list of merges could otherwise double a symbol's length 100,000 times.
pub(crate) const MAX_SYMBOL_BYTES: usize = 256;

/// The largest vocabulary; the largest in public use has about 2¹⁸ symbols.
pub(crate) const MAX_SYMBOLS: usize = 1 << 18;

/// Two codes side by side.
type Pair = (u32, u32);

/// The merges of a vocabulary and their symbols.
#[derive(Clone, Debug)]
pub(crate) struct BytePairs {
    /// By place: that of a byte, or of the result of an earlier merge. Where there are no `codes`, a symbol's place is its code.
    pub(crate) merges: Vec<Pair>,
    /// The bytes of each symbol, by code.
    pub(crate) symbols: Vec<Box<[u8]>>,
    /// Where a text is cut before its words.
    pub(crate) cut: Cut,
    /// Their places come after those of bytes and merges.
    pub(crate) special: Special,
    /// The place of the first of them.
    first_special: usize,
    /// The code of the symbol at each place, where it is another.
    pub(crate) codes: Option<Vec<u32>>,
    /// The place of each pair in the list, and what it becomes.
    rules: AHashMap<Pair, (u32, u32)>,
}

impl BytePairs {
    /// Learns merges from `text` until there are `size` symbols (at least 256), or nothing is left to merge.
    pub(crate) fn learn(text: &str, size: usize) -> Result<Self, String> {
        Self::from_merges(learning::learn(text, size))
    }

    /// The vocabulary of a list of merges, which may come from a file that lies.
    pub(crate) fn from_merges(merges: Vec<Pair>) -> Result<Self, String> {
        Self::from_parts(merges, Cut::Lines, Vec::new(), None)
    }

    /// The vocabulary of a list of merges with special symbols and the codes of all, which may come from a file that lies.
    pub(crate) fn from_parts(
        merges: Vec<Pair>,
        cut: Cut,
        special: Vec<String>,
        codes: Option<Vec<u32>>,
    ) -> Result<Self, String> {
        let mut symbols: Vec<Box<[u8]>> = (0..=255u8).map(|byte| Box::from([byte])).collect();
        let mut code_of: AHashMap<Box<[u8]>, u32> = symbols.iter().cloned().zip(0..).collect();
        let mut rules = AHashMap::new();
        for (index, &(left, right)) in merges.iter().enumerate() {
            let known = symbols.len();
            let (first, second) = (left as usize, right as usize);
            if first >= known || second >= known {
                return Err(format!(
                    "merge {index} joins codes {left} and {right}, but only {known} symbols precede it"
                ));
            }
            let bytes = [&*symbols[first], &*symbols[second]].concat().into_boxed_slice();
            if bytes.len() > MAX_SYMBOL_BYTES {
                return Err(format!(
                    "merge {index} makes a symbol of {} bytes, more than {MAX_SYMBOL_BYTES}",
                    bytes.len()
                ));
            }
            let code = *code_of.entry(bytes.clone()).or_insert(known as u32);
            if code as usize == known {
                if known == MAX_SYMBOLS {
                    return Err(format!("there are more than {MAX_SYMBOLS} symbols"));
                }
                symbols.push(bytes);
            }
            rules.entry((left, right)).or_insert((index as u32, code));
        }
        let first_special = symbols.len();
        symbols.extend(special.iter().map(|text| Box::from(text.as_bytes())));
        if symbols.len() > MAX_SYMBOLS {
            return Err(format!("there are more than {MAX_SYMBOLS} symbols"));
        }
        let special = Special::new(special)?;
        let symbols = match &codes {
            Some(codes) => by_code(symbols, codes)?,
            None => symbols,
        };
        Ok(BytePairs { merges, symbols, cut, special, first_special, codes, rules })
    }

    /// The codes of a text. Every text has codes, since every byte has.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut codes = Vec::new();
        let mut seen: AHashMap<&str, std::ops::Range<usize>> = AHashMap::new(); // where the codes of a word stand already
        for stretch in self.special.stretches(text) {
            let plain = match stretch {
                Stretch::Plain(plain) => plain,
                Stretch::Special(i) => {
                    codes.push((self.first_special + i) as u32);
                    continue;
                }
            };
            for word in words::words(plain, self.cut) {
                if let Some(place) = seen.get(word) {
                    codes.extend_from_within(place.clone());
                } else {
                    let start = codes.len();
                    self.encode_word(word, &mut codes);
                    seen.insert(word, start..codes.len());
                }
            }
        }
        if let Some(of_place) = &self.codes {
            codes.iter_mut().for_each(|code| *code = of_place[*code as usize]);
        }
        codes
    }

    /// Applies to the bytes of a word the earliest merge of the list that two neighbours are, leftmost place first, until none is.
    ///
    /// A heap holds the merges in sight, so that a word of n bytes takes n·log n steps.
    fn encode_word(&self, word: &str, out: &mut Vec<u32>) {
        const GONE: u32 = u32::MAX; // no symbol's code
        let mut codes: Vec<u32> = word.bytes().map(u32::from).collect();
        let end = codes.len();
        // A symbol stands at the place of its first byte. Its neighbours: before[0] and after the end there is none.
        let mut before: Vec<usize> = (0..end).map(|place| place.saturating_sub(1)).collect();
        let mut after: Vec<usize> = (1..=end).collect();
        let rule = |codes: &[u32], left: usize, right: usize| {
            let pair = (codes[left], *codes.get(right)?);
            self.rules.get(&pair).copied()
        };
        let in_sight =
            |codes: &[u32], left: usize, right: usize| rule(codes, left, right).map(|(rank, _)| Reverse((rank, left)));
        let mut queue: BinaryHeap<_> = (0..end).filter_map(|left| in_sight(&codes, left, left + 1)).collect();
        while let Some(Reverse((rank, left))) = queue.pop() {
            let right = after[left];
            match rule(&codes, left, right) {
                Some((now, code)) if now == rank => codes[left] = code,
                _ => continue, // one of the two has merged since
            }
            codes[right] = GONE;
            after[left] = after[right];
            if let Some(back) = before.get_mut(after[left]) {
                *back = left;
            }
            if left > 0 {
                queue.extend(in_sight(&codes, before[left], left));
            }
            queue.extend(in_sight(&codes, left, after[left]));
        }
        out.extend(codes.into_iter().filter(|&code| code != GONE));
    }
}

/// The symbols in the order of these codes, one for each, from 0 without a gap.
fn by_code(symbols: Vec<Box<[u8]>>, codes: &[u32]) -> Result<Vec<Box<[u8]>>, String> {
    let count = symbols.len();
    if codes.len() != count {
        return Err(format!("there are {} codes for {count} symbols", codes.len()));
    }
    let mut ordered: Vec<Box<[u8]>> = vec![Box::default(); count];
    for (symbol, &code) in symbols.into_iter().zip(codes) {
        match ordered.get_mut(code as usize) {
            Some(place) if place.is_empty() => *place = symbol,
            Some(_) => return Err(format!("two symbols have the code {code}")),
            None => return Err(format!("a symbol has the code {code}; there are {count} symbols, counted from 0")),
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `tokenizers` 0.23.2 learns and encodes; beside it stands the script.
    #[test]
    fn merges_and_codes_are_those_of_the_library_tokenizers() {
        let fixture = include_str!("../../tests/fixtures/bpe/tokenizers.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).expect("a JSON fixture");
        let text = |name: &str| fixture[name].as_str().expect("a text");
        let pairs = BytePairs::learn(text("text"), fixture["size"].as_u64().expect("a size") as usize).unwrap();
        assert_eq!(serde_json::to_value(&pairs.merges).unwrap(), fixture["merges"]);
        assert_eq!(serde_json::to_value(pairs.encode(text("unseen"))).unwrap(), fixture["codes"]);
    }

    #[test]
    fn an_earlier_merge_is_applied_first_and_a_pair_listed_twice_counts_once() {
        let (a, b, c) = (97, 98, 99);
        let encode = |merges: &[Pair], text: &str| BytePairs::from_merges(merges.to_vec()).unwrap().encode(text);
        assert_eq!(encode(&[(b, c), (a, b), (b, c)], "abcab"), [a, 256, 257]);
        assert_eq!(encode(&[(a, b), (b, c), (256, c), (a, 257)], "abcbc"), [258, 257]);
        assert_eq!(encode(&[(a, a), (256, a)], "aaaaa"), [256, 257]);
        assert_eq!(encode(&[], "é\n"), [0xC3, 0xA9, 10]);
    }

    #[test]
    fn learning_twice_and_with_other_threads_gives_the_same_merges() {
        let text: String = (0..3000u32).map(|i| format!("w{} ", i.wrapping_mul(2_654_435_761) >> 22)).collect();
        let learned = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| BytePairs::learn(&text, 400).unwrap().merges)
        };
        let once = learned(1);
        assert_eq!(once.len(), 144);
        assert!([1, 2, 3, 8].iter().all(|&threads| learned(threads) == once));
    }

    #[test]
    fn no_symbol_grows_beyond_the_limit_and_a_line_without_end_keeps_its_bytes() {
        let text = "a".repeat(20_000);
        let pairs = BytePairs::learn(&text, 400).unwrap();
        assert!(pairs.symbols.iter().all(|symbol| symbol.len() < MAX_SYMBOL_BYTES));
        let decoded: usize = pairs.encode(&text).iter().map(|&code| pairs.symbols[code as usize].len()).sum();
        assert_eq!(decoded, text.len());
    }

    #[test]
    fn special_symbols_are_one_symbol_each_and_codes_are_counted_as_the_vocabulary_says() {
        let (a, b) = (97, 98);
        // Bytes from 2 on, the merge last but for one: 0 and 1 are the special symbols.
        let codes: Vec<u32> = (2..259).chain([1, 0]).collect();
        let special = ["<end>", "<|"].map(str::to_owned).to_vec();
        let pairs = BytePairs::from_parts(vec![(a, b)], Cut::Nowhere, special, Some(codes)).unwrap();
        assert_eq!(pairs.encode("ab<end>a<|ab"), [258, 1, 99, 0, 258]);
        assert_eq!(&*pairs.symbols[1], b"<end>");
        assert_eq!(&*pairs.symbols[258], b"ab");
        let refused = |codes: Vec<u32>| BytePairs::from_parts(vec![], Cut::Lines, vec![], Some(codes)).unwrap_err();
        assert!(refused((0..255).collect()).contains("255 codes for 256 symbols"));
        assert!(refused((0..255).chain([3]).collect()).contains("two symbols have the code 3"));
        assert!(refused((1..257).collect()).contains("the code 256"));
    }

    #[test]
    fn merges_that_lie_are_refused_before_they_take_memory() {
        assert!(BytePairs::from_merges(vec![(256, 0)]).unwrap_err().contains("only 256 symbols"));
        let doubling: Vec<(u32, u32)> = std::iter::once((0, 0)).chain((256..300).map(|code| (code, code))).collect();
        assert!(BytePairs::from_merges(doubling).unwrap_err().contains("512 bytes"));
    }

    proptest! {
        #[test]
        fn every_list_of_merges_over_known_codes_encodes_and_decodes_any_text(
            picks in prop::collection::vec((any::<u32>(), any::<u32>()), 0..40), text in any::<String>(),
        ) {
            // From few bytes, so that merges meet the text and one another.
            let merges: Vec<(u32, u32)> = picks.iter().map(|&(a, b)| (u32::from(b'a') + a % 4, u32::from(b'a') + b % 4)).collect();
            let pairs = BytePairs::from_merges(merges).unwrap();
            let codes = pairs.encode(&text);
            let bytes: Vec<u8> = codes.iter().flat_map(|&code| pairs.symbols[code as usize].to_vec()).collect();
            prop_assert_eq!(bytes, text.into_bytes());
        }
    }
}
