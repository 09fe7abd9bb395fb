//! `autoreg train`: trains a model of a family on data.

use crate::families::training::Flags;
use crate::families::{FAMILIES, Family};
use crate::terminal::Context;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use models::error::Result;

/// Train a model on data of a family.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    chosen: Chosen,
}

/// The family that was named, and what was given with it.
struct Chosen {
    family: &'static dyn Family,
    flags: Flags,
    matches: ArgMatches,
}

impl Subcommand for Chosen {
    fn augment_subcommands(command: Command) -> Command {
        let command = command.subcommand_required(true).arg_required_else_help(true);
        FAMILIES.iter().fold(command, |command, family| {
            let own = Flags::augment_args(Command::new(family.name())).about(family.about());
            command.subcommand(family.train_flags(own))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        FAMILIES.iter().any(|family| family.name() == name)
    }
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let named = matches.subcommand();
        let chosen = named.and_then(|(name, own)| Some((*FAMILIES.iter().find(|family| family.name() == name)?, own)));
        let (family, own) = chosen.ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        Ok(Chosen { family, flags: Flags::from_arg_matches(own)?, matches: own.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the configuration, the data, the run folder and the training.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Chosen { family, flags, matches } = arguments.chosen;
    family.train(&flags, &matches, context)
}
