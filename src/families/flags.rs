//! Flags that a family adds to a subcommand: they stand in its help under the family's heading, and given to a model of another
//! family they are a usage error that names both.

use super::{FAMILIES, Family};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use models::error::{Error, Kind, Result};
use std::marker::PhantomData;

/// A subcommand that families add flags to.
pub trait Extended {
    /// Adds those of one family.
    fn flags_of(family: &dyn Family, command: Command) -> Command;
}

/// `autoreg generate`.
pub struct ForGenerate;

impl Extended for ForGenerate {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.generate_flags(command)
    }
}

/// `autoreg eval`.
pub struct ForEval;

impl Extended for ForEval {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.eval_flags(command)
    }
}

/// `autoreg compare`.
pub struct ForCompare;

impl Extended for ForCompare {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.compare_flags(command)
    }
}

/// `autoreg drift`.
pub struct ForDrift;

impl Extended for ForDrift {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.drift_flags(command)
    }
}

/// `autoreg compress`.
pub struct ForCompress;

impl Extended for ForCompress {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.compress_flags(command)
    }
}

/// `autoreg vocode`.
pub struct ForVocode;

impl Extended for ForVocode {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.vocode_flags(command)
    }
}

/// `autoreg receptive-field`.
pub struct ForReceptiveField;

impl Extended for ForReceptiveField {
    fn flags_of(family: &dyn Family, command: Command) -> Command {
        family.receptive_field_flags(command)
    }
}

/// The flags of all families in the arguments of a subcommand: `#[command(flatten)] own: FamilyFlags<ForEval>`.
pub struct FamilyFlags<S> {
    matches: ArgMatches,
    subcommand: PhantomData<S>,
}

/// What was given of them, for a model whose family understands it all.
pub struct Given(ArgMatches);

impl Given {
    /// The family's own flags.
    pub fn parsed<A: Args>(&self) -> A {
        A::from_arg_matches(&self.0).expect("the family added these flags itself")
    }
}

impl<S: Extended> FamilyFlags<S> {
    /// What was given, for a model of this family.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a flag that only another family understands.
    pub fn given_to(&self, family: &dyn Family) -> Result<Given> {
        let flags = |family: &dyn Family| {
            let command = S::flags_of(family, Command::new("flags"));
            let named = |flag: &Arg| (flag.get_id().clone(), flag.get_long().unwrap_or_default().to_owned());
            command.get_arguments().map(named).collect::<Vec<_>>()
        };
        let own = flags(family);
        for other in FAMILIES.iter().filter(|other| other.name() != family.name()) {
            let foreign = flags(*other).into_iter().filter(|(id, _)| !own.iter().any(|(known, _)| known == id));
            for (id, long) in foreign {
                if self.matches.value_source(id.as_str()) == Some(ValueSource::CommandLine) {
                    return Err(Error::new(Kind::Usage, format!("--{long} is for {}", other.a_model()))
                        .cause(format!("this is {}", family.a_model())));
                }
            }
        }
        Ok(Given(self.matches.clone()))
    }
}

impl<S: Extended> Args for FamilyFlags<S> {
    fn augment_args(command: Command) -> Command {
        FAMILIES.iter().fold(command, |command, family| {
            S::flags_of(*family, command.next_help_heading(family.heading())).next_help_heading(None::<&str>)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S> FromArgMatches for FamilyFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Ok(FamilyFlags { matches: matches.clone(), subcommand: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        self.matches = matches.clone();
        Ok(())
    }
}
