//! Files that a flag names, each written by the one way there is; and paths in commands that are shown, quoted for a shell.

use super::console::say;
use models::error::{Error, Kind, Result};
use models::pages::numbers::bytes;
use models::storage::run_files::is_run;
use models::storage::run_identity::is_place_of;
use models::storage::user_file;
use std::path::Path;

/// Refuses outputs that cannot be written, or would destroy an input or each other, before work is done that would be lost. Inputs
/// are files, and run folders with all that their runs write.
///
/// # Errors
/// [`Kind::Usage`] for two outputs, or an output and an input, that are one file; [`Kind::Disk`] for what cannot be written.
pub fn check<'a>(outputs: impl IntoIterator<Item = &'a Path>, inputs: &[&Path]) -> Result<()> {
    let outputs: Vec<&Path> = outputs.into_iter().collect();
    for (i, output) in outputs.iter().enumerate() {
        let shown = output.display();
        if let Some(other) = outputs[..i].iter().find(|other| user_file::are_one_file(output, other)) {
            return Err(Error::new(Kind::Usage, format!("{shown} is written twice"))
                .cause(format!("it is {} as well", other.display()))
                .help("give each output a file of its own"));
        }
        if let Some(input) = inputs.iter().find(|input| is_of(output, input)) {
            return Err(Error::new(Kind::Usage, format!("{shown} would be overwritten"))
                .cause(format!("it is what is read: {}", input.display()))
                .help("name another file"));
        }
        user_file::check(output)?;
    }
    Ok(())
}

/// Endings of files of pictures and of sounds, by which other programs know how to read them.
const FORMS: [&str; 18] = [
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "svg", "pdf", "wav", "mp3", "ogg", "opus", "flac",
    "aac", "m4a", "aiff",
];

/// Refuses a file whose name says that it is of another form than the one that is written into it (`png`); a name that says nothing is
/// anybody's.
///
/// # Errors
/// [`Kind::Usage`] with the ending that there is.
pub fn check_form(path: &Path, form: &str) -> Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).unwrap_or_default();
    if ending == form || !FORMS.contains(&&*ending) {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, format!("{} would be no .{ending}", path.display()))
        .cause(format!("what is written is {}", form.to_uppercase()))
        .help(format!("name it {}; other programs make a .{ending} of it", path.with_extension(form).display())))
}

/// Whether the name of a file asks for a picture rather than for a table, where either can be written.
///
/// # Errors
/// [`Kind::Usage`] for a name that asks for neither.
pub fn is_picture(path: &Path) -> Result<bool> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(true),
        Some("csv") => Ok(false),
        _ => Err(Error::new(Kind::Usage, format!("{} is neither .svg nor .csv", path.display()))
            .help("choose the form by the ending of the file's name")),
    }
}

/// Whether an output is an input: the file itself, or, of a run folder, one of the files that a run writes there.
fn is_of(output: &Path, input: &Path) -> bool {
    if !input.is_dir() {
        // A checkpoint, or `latest`, may lie in a run, whose other files are read with it.
        let above = input.ancestors().skip(1).take(2);
        let run = above.map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f }).find(|f| is_run(f));
        return user_file::are_one_file(output, input) || run.is_some_and(|run| is_of(output, run));
    }
    let place = user_file::place(output).zip(input.canonicalize().ok());
    place.is_some_and(|(place, folder)| match is_run(&folder) {
        true => is_place_of(&folder, &place),
        // A folder of data: what lies in it is read.
        false => place.starts_with(&folder) && place.exists(),
    })
}

/// Writes a file that was asked for: whole or not at all where it is a file of one name; see [`user_file`].
///
/// # Errors
/// [`Kind::Disk`].
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    user_file::write(path, content)?;
    say(&format!("wrote {} ({})", path.display(), bytes(content.len() as u64)));
    Ok(())
}

/// A path or another word of a command as a shell takes it: `'my runs/a'`.
pub fn quoted(word: impl AsRef<Path>) -> String {
    let word = word.as_ref().display().to_string();
    // What begins with a dash would be read as a flag.
    let word = if word.starts_with('-') { format!("./{word}") } else { word };
    shell_words::quote(&word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_another_form_is_refused_and_one_that_says_nothing_is_taken() {
        let check = |name: &str, form| check_form(Path::new(name), form);
        for (name, form) in [
            ("a.png", "png"),
            ("a.PNG", "png"),
            ("a", "png"),
            ("/dev/null", "wav"),
            ("a.b", "wav"),
            ("a.csv", "csv"),
            ("a.txt", "csv"),
        ] {
            assert!(check(name, form).is_ok(), "{name}");
        }
        for (name, form) in [("a.jpg", "png"), ("a.wav", "png"), ("a.mp3", "wav"), ("a.svg", "csv"), ("a.PDF", "svg")] {
            let error = check(name, form).unwrap_err();
            assert!(error.kind == Kind::Usage && error.help.contains(form), "{error}");
        }
    }

    #[test]
    fn a_word_that_a_shell_would_cut_or_run_is_quoted() {
        assert_eq!(quoted("runs/a"), "runs/a");
        assert_eq!(quoted("x; rm -rf y"), "'x; rm -rf y'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("-x"), "./-x");
    }
}
