//! Files that a flag names, each written by the one way there is; and paths in commands that are shown, quoted for a shell.

use super::console::say;
use models::error::{Error, Kind, Result};
use models::pages::numbers::bytes;
use models::storage::atomic::{SystemDisk, folder_of, replace};
use std::path::Path;

/// Refuses a path that no file can be written to, before work is done that would be lost.
///
/// # Errors
/// [`Kind::Disk`] if it is a folder, or lies in none.
pub fn check(path: &Path) -> Result<()> {
    let cause = if path.is_dir() {
        "it is a folder"
    } else if !folder_of(path).is_dir() {
        "its folder does not exist"
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Disk, format!("cannot write {}", path.display())).cause(cause))
}

/// Writes a file, whole or not at all, and says so.
///
/// # Errors
/// [`Kind::Disk`].
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    replace(&SystemDisk, path, |out| out.write_all(content))?;
    say(&format!("wrote {} ({})", path.display(), bytes(content.len() as u64)));
    Ok(())
}

/// A path or another word of a command as a shell takes it: `'my runs/a'`.
pub fn quoted(word: impl AsRef<Path>) -> String {
    shell_words::quote(&word.as_ref().display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_a_shell_would_cut_or_run_is_quoted() {
        assert_eq!(quoted("runs/a"), "runs/a");
        assert_eq!(quoted("x; rm -rf y"), "'x; rm -rf y'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
