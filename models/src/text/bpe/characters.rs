//! GPT-2's characters for bytes: published vocabularies write a symbol as text, and every byte as one character that prints.
//!
//! A byte whose character in Latin-1 prints is that character; the others, in ascending order, are U+0100 and what follows: a blank is Ġ.
//! Source: Radford et al. 2019, `encoder.py`, `bytes_to_unicode`.

/// The character of each byte.
pub(crate) fn characters() -> [char; 256] {
    let mut others = 0x100..;
    std::array::from_fn(|byte| {
        let code_point = match byte as u32 {
            prints @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => prints,
            _ => others.next().expect("an endless range"),
        };
        char::from_u32(code_point).expect("below the surrogates")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_byte_has_a_character_of_its_own_and_those_of_the_published_vocabulary() {
        let characters = characters();
        assert_eq!(characters.iter().collect::<BTreeSet<_>>().len(), 256);
        let known =
            [(b' ', 'Ġ'), (b'\n', 'Ċ'), (b'\t', 'ĉ'), (0, 'Ā'), (0x7f, 'ġ'), (0xad, 'Ń'), (b'a', 'a'), (0xe9, 'é')];
        assert!(known.iter().all(|&(byte, character)| characters[usize::from(byte)] == character));
    }
}
