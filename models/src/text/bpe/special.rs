//! Special symbols: texts that are one symbol wherever they stand, found before a text is cut into words. What published vocabularies put
//! between documents: `<|endoftext|>`.

use super::MAX_SYMBOL_BYTES;
use aho_corasick::{AhoCorasick, MatchKind};

/// The special symbols of a vocabulary, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Special {
    texts: Vec<String>,
    /// None where there are none.
    search: Option<AhoCorasick>,
}

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch<'t> {
    /// Without a special symbol.
    Plain(&'t str),
    /// One special symbol, by its place among them.
    Special(usize),
}

impl Special {
    /// Of these texts, which may come from a file that lies.
    pub(super) fn new(texts: Vec<String>) -> Result<Self, String> {
        if texts.is_empty() {
            return Ok(Special::default());
        }
        if let Some(text) = texts.iter().find(|text| !(1..=MAX_SYMBOL_BYTES).contains(&text.len())) {
            return Err(format!("a special symbol has {} bytes, not 1 to {MAX_SYMBOL_BYTES}", text.len()));
        }
        let mut sorted: Vec<&String> = texts.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("the special symbol {:?} is there twice", pair[0]));
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let search = search.map_err(|_| format!("{} special symbols are too many to look for", texts.len()))?;
        Ok(Special { texts, search: Some(search) })
    }

    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The stretches of a text, in order: leftmost symbols first, of those that begin together the longest.
    pub(super) fn stretches<'t>(&self, text: &'t str) -> Vec<Stretch<'t>> {
        let mut stretches = Vec::new();
        let mut rest = 0;
        let found = self.search.iter().flat_map(|search| search.find_iter(text));
        for found in found {
            stretches.push(Stretch::Plain(&text[rest..found.start()]));
            stretches.push(Stretch::Special(found.pattern().as_usize()));
            rest = found.end();
        }
        stretches.push(Stretch::Plain(&text[rest..]));
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_symbol_is_found_and_of_two_that_begin_together_the_longest() {
        use Stretch::{Plain, Special as Found};
        let special = Special::new(["<e>", "<e>>", "e><"].map(str::to_owned).to_vec()).unwrap();
        assert_eq!(special.stretches("a<e>><e>"), [Plain("a"), Found(1), Plain(""), Found(0), Plain("")]);
        assert_eq!(special.stretches("e><e>"), [Plain(""), Found(2), Plain("e>")]);
        assert_eq!(special.stretches("<e"), [Plain("<e")]);
        assert_eq!(Special::default().stretches("<e>"), [Plain("<e>")]);
    }

    #[test]
    fn texts_that_are_empty_long_or_there_twice_are_refused() {
        let refused = |texts: &[&str]| Special::new(texts.iter().map(|text| text.to_string()).collect()).unwrap_err();
        assert!(refused(&["a", ""]).contains("0 bytes"));
        assert!(refused(&[&"a".repeat(257)]).contains("257 bytes"));
        assert!(refused(&["a", "b", "a"]).contains("\"a\" is there twice"));
    }
}
