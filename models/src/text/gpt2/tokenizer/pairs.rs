//! Tokens with their codes and merges of tokens, as published files write them: as text, each byte as a character that prints. And the
//! vocabulary that they are.

use crate::storage::regular::shortened;
use crate::text::bpe::characters::characters;
use crate::text::bpe::{BytePairs, Cut, MAX_SYMBOLS};
use crate::text::vocabulary::Vocabulary;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A vocabulary as published.
pub(super) struct Pairs {
    pub(super) tokens: Tokens,
    pub(super) merges: Vec<Merge>,
    pub(super) added: Vec<Added>,
}

/// Each token with its code, in the order of the file.
pub(super) struct Tokens(pub(super) Vec<(String, u32)>);

/// Two tokens that become one.
pub(super) struct Merge([String; 2]);

/// A token that is found in a text before byte pairs are looked for; it is written as it is.
pub(super) struct Added {
    pub(super) text: String,
    pub(super) code: u32,
}

impl Merge {
    /// `Ġ t`: no token holds a blank.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let (left, right) = text.split_once(' ')?;
        let whole = !left.is_empty() && !right.is_empty() && !right.contains(' ');
        whole.then(|| Merge([left.to_owned(), right.to_owned()]))
    }
}

impl Pairs {
    /// The vocabulary.
    ///
    /// # Errors
    /// In words, with the token, the code or the merge that is wrong.
    pub(super) fn vocabulary(self) -> Result<Vocabulary, String> {
        let Pairs { tokens: Tokens(tokens), merges, mut added } = self;
        if tokens.len().max(merges.len()).max(added.len()) > MAX_SYMBOLS {
            return Err(format!("there are more than {MAX_SYMBOLS} tokens or merges"));
        }
        let shown = |token: &str| format!("{:?}", shortened(token, 40));
        let code_of: HashMap<&str, u32> = tokens.iter().map(|(token, code)| (token.as_str(), *code)).collect();
        if let Some((token, _)) = tokens.iter().find(|(token, code)| code_of[token.as_str()] != *code) {
            return Err(format!("the token {} is there twice", shown(token)));
        }
        // Bytes, then what merges make of them, by the place that our own vocabularies give them.
        let mut place_of: HashMap<String, u32> =
            (0..).zip(characters()).map(|(i, byte)| (byte.to_string(), i)).collect();
        let mut codes = Vec::with_capacity(tokens.len());
        for (byte, character) in characters().iter().enumerate() {
            let code = code_of.get(&*character.to_string());
            codes.push(*code.ok_or_else(|| format!("the byte 0x{byte:02X} has no token {character:?}"))?);
        }
        let mut places = Vec::with_capacity(merges.len());
        for (i, Merge([left, right])) in merges.into_iter().enumerate() {
            let place = |token: &str| {
                place_of.get(token).copied().ok_or_else(|| {
                    format!("merge {i} joins {}, which is no byte and no result of a merge before it", shown(token))
                })
            };
            places.push((place(&left)?, place(&right)?));
            let joined = left + &right;
            // A token that another merge has made already keeps its place.
            if let Entry::Vacant(place) = place_of.entry(joined) {
                let joined = place.key().as_str();
                let code = code_of.get(joined);
                codes.push(*code.ok_or_else(|| format!("merge {i} makes {}, which has no code", shown(joined)))?);
                place.insert(codes.len() as u32 - 1);
            }
        }
        added.sort_by_key(|added| added.code);
        for Added { text, code } in &added {
            if place_of.contains_key(text) {
                return Err(format!("the added token {} is a byte or the result of a merge as well", shown(text)));
            }
            if code_of.get(text.as_str()).is_some_and(|known| known != code) {
                let known = code_of[text.as_str()];
                return Err(format!(
                    "the added token {} has the code {code}, and among the tokens {known}",
                    shown(text)
                ));
            }
            codes.push(*code);
        }
        let is_added: HashSet<&str> = added.iter().map(|added| added.text.as_str()).collect();
        let is_nothing = |token: &String| !place_of.contains_key(token) && !is_added.contains(token.as_str());
        if let Some((token, code)) = tokens.iter().find(|(token, _)| is_nothing(token)) {
            let token = shown(token);
            return Err(format!(
                "the token {token} of code {code} is no byte, no result of a merge and no added token"
            ));
        }
        let special = added.into_iter().map(|added| added.text).collect();
        BytePairs::from_parts(places, Cut::Nowhere, special, Some(codes)).map(Vocabulary::of_pairs)
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tokens, A::Error> {
                let mut tokens = Vec::new();
                while let Some(token) = map.next_entry()? {
                    tokens.push(token);
                }
                Ok(Tokens(tokens))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two tokens")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Merge, E> {
                let refused =
                    || E::custom(format!("a merge is no two tokens with a blank between: {:?}", shortened(text, 60)));
                Merge::of_text(text).ok_or_else(refused)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merge, A::Error> {
                let wrong = || A::Error::custom("a merge is a list of two tokens");
                let pair = [list.next_element()?.ok_or_else(wrong)?, list.next_element()?.ok_or_else(wrong)?];
                match list.next_element::<serde::de::IgnoredAny>()? {
                    None => Ok(Merge(pair)),
                    Some(_) => Err(wrong()),
                }
            }
        }

        deserializer.deserialize_any(Read)
    }
}
