//! The terminal and the process around the work: what goes to stdout and stderr, files that are asked for, how it all ends.
//!
//! Nothing here knows a command or a family. This file is the map of the folder, and holds [`Context`].
//!
//! | file | holds |
//! | --- | --- |
//! | [`results`] | stdout: results alone |
//! | [`closed`] | whether there was a stdout when the program began |
//! | [`console`] | stderr: progress and what is said along the way |
//! | [`environment`] | threads, the instruction set, variables that mean nothing |
//! | [`output`] | files that a flag names; commands as a shell takes them |
//! | [`table`] | text in aligned columns |
//! | [`interrupt`] | Ctrl-C and SIGTERM |
//! | [`limits`] | a limit on the size of files is an error, and not the end of the process |
//! | [`failure`] | errors as three lines and an exit code |
//! | [`flag_values`] | what clap says of a value that a flag does not take, as such an error |

pub mod closed;
pub mod console;
pub mod environment;
pub mod failure;
pub mod flag_values;
pub mod interrupt;
pub mod limits;
pub mod output;
pub mod results;
pub mod table;

use results::Results;

/// What every subcommand is given.
pub struct Context {
    /// Where results go: stdout.
    pub results: Results,
}
