//! How a text is cut before byte pairs are looked for: into lines, long lines into pieces, pieces into words; or, as published vocabularies
//! want it, the whole text into words. No symbol crosses a cut.
//!
//! The words are those of GPT-2's pattern (Radford et al. 2019, `encoder.py`), leftmost alternative first:
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//!
//! It needs no engine of patterns: what a word is, its first two characters say, and where it ends, the first character of
//! another class. Only white space looks ahead: it leaves its last character to the word that follows.

use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The longest piece of a line that is cut into words at once, which bounds time and memory on a file without newlines.
pub(super) const MAX_PIECE: usize = 4096;

/// Where a text is cut before it is cut into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cut {
    /// After each newline, and within longer lines every [`MAX_PIECE`] bytes.
    #[default]
    Lines,
    /// Nowhere, as GPT-2 has it: line breaks side by side may be one word.
    Nowhere,
}

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// What the pattern distinguishes: `\p{L}`, `\p{N}`, `\s`, and everything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Letter,
    Number,
    Space,
    Other,
}

pub(super) fn class_of(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter, // nearly all of most texts, without a look into the tables
        _ if character.is_whitespace() => Class::Space,
        _ => match character.general_category_group() {
            GeneralCategoryGroup::Letter => Class::Letter,
            GeneralCategoryGroup::Number => Class::Number,
            _ => Class::Other,
        },
    }
}

/// The words of a text, in order; together they are the text.
pub(super) fn words(text: &str, cut: Cut) -> impl Iterator<Item = &str> {
    pieces(text, cut).flat_map(|mut rest| {
        std::iter::from_fn(move || {
            let (word, after) = rest.split_at(first_word(rest));
            rest = after;
            (!word.is_empty()).then_some(word)
        })
    })
}

/// The lines of a text with their newlines, long ones in pieces; or the whole text.
fn pieces(text: &str, cut: Cut) -> impl Iterator<Item = &str> {
    let (lines, most) = match cut {
        Cut::Lines => (Some(text.split_inclusive('\n')), MAX_PIECE),
        Cut::Nowhere => (None, usize::MAX),
    };
    let whole = (cut == Cut::Nowhere).then_some(text);
    lines.into_iter().flatten().chain(whole).flat_map(move |mut line| {
        std::iter::from_fn(move || {
            let end = (0..=line.len().min(most)).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
            let (piece, rest) = line.split_at(end);
            line = rest;
            (!piece.is_empty()).then_some(piece)
        })
    })
}

/// The bytes of the first word of a piece.
fn first_word(piece: &str) -> usize {
    if let Some(contraction) = CONTRACTIONS.iter().find(|contraction| piece.starts_with(**contraction)) {
        return contraction.len();
    }
    let space = usize::from(piece.starts_with(' '));
    match piece[space..].chars().next().map(class_of) {
        None => space,
        Some(Class::Space) => white_space(piece),
        Some(class) => space + run(&piece[space..], class),
    }
}

/// The bytes of the white space that a piece begins with, the last character left to a word that follows unless it is the only one.
fn white_space(piece: &str) -> usize {
    let all = run(piece, Class::Space);
    let last = piece[..all].chars().next_back().map_or(0, char::len_utf8);
    if all == piece.len() || all == last { all } else { all - last }
}

/// The bytes of the characters of a class that a text begins with.
fn run(text: &str, class: Class) -> usize {
    text.find(|character| class_of(character) != class).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_begin_with_their_space_and_contractions_and_numbers_stand_alone() {
        let cut = |text| words(text, Cut::Lines).collect::<Vec<_>>();
        assert_eq!(
            cut("It's 10 o'clock, we'll see!"),
            ["It", "'s", " 10", " o", "'", "clock", ",", " we", "'ll", " see", "!"]
        );
        assert_eq!(cut("   a\t\tb \n\n  "), ["  ", " a", "\t", "\t", "b", " \n", "\n", "  "]);
        assert_eq!(cut("été Ⅷ²½ ３ ' 's ''s"), ["été", " Ⅷ²½", " ３", " '", " '", "s", " ''", "s"]);
    }

    #[test]
    fn line_breaks_side_by_side_are_one_word_where_a_text_is_not_cut_into_lines() {
        let cut = |text| words(text, Cut::Nowhere).collect::<Vec<_>>();
        assert_eq!(cut("a\n\n\nb\n\n"), ["a", "\n\n", "\n", "b", "\n\n"]);
        assert_eq!(cut("a \n b"), ["a", " \n", " b"]);
        let long = "x".repeat(2 * MAX_PIECE);
        assert_eq!(cut(&long), [long.as_str()]);
    }

    #[test]
    fn a_mark_and_a_circled_letter_are_no_letters_and_every_space_is_white() {
        use Class::*;
        let classes = [
            ('ª', Letter),
            ('ǅ', Letter),
            ('日', Letter),
            ('\u{301}', Other),
            ('Ⓐ', Other),
            ('_', Other),
            ('Ⅷ', Number),
        ];
        assert!(classes.into_iter().all(|(character, class)| class_of(character) == class));
        assert!("\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{3000}".chars().all(|c| class_of(c) == Space));
        assert_eq!(class_of('\u{200b}'), Other); // a space by name, not by its property
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let text = "€".repeat(5000);
        assert!(pieces(&text, Cut::Lines).all(|piece| piece.len() <= MAX_PIECE));
        assert_eq!(pieces(&text, Cut::Lines).collect::<String>(), text);
    }

    proptest! {
        #[test]
        fn words_are_not_empty_and_together_they_are_the_text(text in r"([ a1,'é\n\t]|\PC){0,60}") {
            for cut in [Cut::Lines, Cut::Nowhere] {
                prop_assert!(words(&text, cut).all(|word| !word.is_empty()));
                prop_assert_eq!(&words(&text, cut).collect::<String>(), &text);
            }
        }
    }
}
