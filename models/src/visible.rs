//! Text that came from outside (names of files, columns and tensors, metadata, command lines) as a terminal may be given it: what
//! would move its cursor, change its colours or turn its text around is written out. What a model generates is not shown, but
//! handed over, and does not come through here.

use std::borrow::Cow;

/// The text with every control character but line end and tab written as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, |c| acts(c) && !matches!(c, '\n' | '\t'))
}

/// As [`visible`], with line ends and tabs written out too: for a name inside a sentence.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    written_out(text, acts)
}

fn written_out(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&acts) {
        return Cow::Borrowed(text);
    }
    let one = |c: char| if acts(c) { c.escape_default().collect() } else { c.to_string() };
    Cow::Owned(text.chars().map(one).collect())
}

/// Controls of both sets, separators of lines and paragraphs, marks and overrides of direction.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out_and_all_else_is_left_as_it_is() {
        assert_eq!(visible("\u{1b}[31mred\u{7}\u{9b}\u{202e}"), r"\u{1b}[31mred\u{7}\u{9b}\u{202e}");
        assert_eq!(visible("a\tb\nc"), "a\tb\nc");
        assert_eq!(visible_line("a\nerror: forged"), r"a\nerror: forged");
        assert!(matches!(visible("Ærø – ½ € 中 🎉"), Cow::Borrowed(_)));
    }
}
