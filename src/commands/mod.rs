//! The subcommands, one file each: its flags, its help, what it prints. None names a family of models: what they can do for a
//! command is [`crate::families`]'s.

mod check;
mod compare;
mod compress;
mod decompress;
mod demo;
mod doctor;
mod drift;
mod eval;
mod forecast;
mod generate;
mod gradcheck;
mod graph;
mod inspect;
mod receptive_field;
mod resume;
mod train;
mod vocode;

use crate::terminal::Context;
use clap::Subcommand;
use models::error::Result;

/// What can be done.
#[derive(Subcommand)]
pub enum Command {
    Demo(demo::Arguments),
    Train(train::Arguments),
    Resume(resume::Arguments),
    Generate(generate::Arguments),
    Vocode(vocode::Arguments),
    Compress(compress::Arguments),
    Decompress(decompress::Arguments),
    Forecast(forecast::Arguments),
    Eval(eval::Arguments),
    Compare(compare::Arguments),
    Drift(drift::Arguments),
    Check(check::Arguments),
    Gradcheck(gradcheck::Arguments),
    Inspect(inspect::Arguments),
    Graph(graph::Arguments),
    ReceptiveField(receptive_field::Arguments),
    Doctor(doctor::Arguments),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Those of the subcommand.
    pub fn run(self, context: &Context) -> Result<()> {
        match self {
            Command::Demo(arguments) => demo::run(arguments, context),
            Command::Train(arguments) => train::run(arguments, context),
            Command::Resume(arguments) => resume::run(arguments, context),
            Command::Generate(arguments) => generate::run(arguments, context),
            Command::Vocode(arguments) => vocode::run(arguments, context),
            Command::Compress(arguments) => compress::run(arguments, context),
            Command::Decompress(arguments) => decompress::run(arguments, context),
            Command::Forecast(arguments) => forecast::run(arguments, context),
            Command::Eval(arguments) => eval::run(arguments, context),
            Command::Compare(arguments) => compare::run(arguments, context),
            Command::Drift(arguments) => drift::run(arguments, context),
            Command::Check(arguments) => check::run(arguments, context),
            Command::Gradcheck(arguments) => gradcheck::run(arguments, context),
            Command::Inspect(arguments) => inspect::run(arguments, context),
            Command::Graph(arguments) => graph::run(arguments, context),
            Command::ReceptiveField(arguments) => receptive_field::run(arguments, context),
            Command::Doctor(arguments) => doctor::run(arguments, context),
        }
    }
}
