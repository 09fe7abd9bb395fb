//! A model of text that fills gaps, as the commands use it. What needs a next symbol it refuses.

use super::drawing::GenerateFlags;
use super::{EvalFlags, Filler, SYMBOLS, data, tables, window_fits};
use crate::families::opened::Source;
use crate::families::{
    Compare, Compress, Drift, Drifted, Evaluate, Generate, Look, Model, Recorded, Report, Sight, Way,
};
use crate::terminal::console::{Counting, say};
use models::check::Outcome;
use models::compression::{self, format::File};
use models::decoding::comparison::Measured;
use models::decoding::mask_predict::{CHOICE_TEMPERATURE, Plan};
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::narrow::{Weights, round};
use models::text::generation::Asked;
use models::text::masked::evaluation::bound;
use models::text::masked::generation::{self, ROUNDS, generate};
use models::text::saved::TextModel;

/// Draws of masks that a bound is estimated from where nobody says.
const DRAWS: usize = 8;

/// A model out of a file.
pub(super) struct Masked {
    pub text: TextModel<Filler>,
    pub source: Source,
}

impl Masked {
    /// The refusal of what needs a next symbol.
    fn has_no_next(&self, help: &str) -> Error {
        Error::new(Kind::Usage, format!("{} holds a masked model of text", self.source.path.display()))
            .cause("it fills gaps from both sides, and has no distribution of the next symbol given those before")
            .help(help)
    }
}

/// The refusal of the flags of models that fill gaps, for one that does not.
///
/// # Errors
/// [`Kind::Usage`] naming the flag.
pub(super) fn refuse_rounds(flags: &GenerateFlags) -> Result<()> {
    let given = [("--rounds", flags.rounds.is_some()), ("--choice-temperature", flags.choice_temperature.is_some())];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Error::new(Kind::Usage, format!("{flag} is for a masked model"))
            .cause("this one draws the next symbol given those before, and fills no gaps")
            .help("`autoreg train text --model masked-gpt` trains one that does")),
    }
}

impl Model for Masked {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Text
    }

    fn round(&mut self, weights: Weights) -> Result<()> {
        round(&mut self.text.model, weights);
        Ok(())
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        let &Generate { prompt, echo, symbols, ref options, seed, own, decode, .. } = request;
        let GenerateFlags { fresh_line, speculative, rounds, choice_temperature } = own.parsed();
        if speculative.is_some() {
            return Err(self.has_no_next("leave --speculative out: what is drawn in rounds needs no draft"));
        }
        let way = decode.check("a masked model of text", &[Way::MaskPredict, Way::Independent], false)?;
        let plan = match way {
            Way::Independent => match (rounds, choice_temperature) {
                (None, None) => Plan::of(1),
                (rounds, _) => {
                    let flag = if rounds.is_some() { "--rounds" } else { "--choice-temperature" };
                    return Err(Error::new(Kind::Usage, format!("{flag} with --decode independent"))
                        .cause("what is independent is drawn in one round, and all of it stays")
                        .help("it goes with --decode mask-predict"));
                }
            },
            _ => Plan {
                rounds: rounds.map_or(ROUNDS, |rounds| rounds as usize),
                choice_temperature: choice_temperature.unwrap_or(CHOICE_TEMPERATURE),
            },
        };
        let (asked, symbols) = (Asked { prompt, fresh_line, echo }, symbols.unwrap_or(SYMBOLS));
        let request = generation::Request { asked, symbols, options: options.clone(), seed, plan };
        let cost = generate(&self.text, &request, sink).map_err(|error| self.source.named(error))?;
        say(&format!("{cost}; approximate: the symbols of a round do not know of each other"));
        Ok(())
    }

    /// A bound, which is said to be one.
    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let data = data(&self.source, request)?;
        let EvalFlags { stride, draws } = request.own.parsed();
        if let Some(stride) = stride {
            return Err(Error::new(Kind::Usage, format!("--stride {stride}: not for a masked model"))
                .cause("its bound is of windows side by side, each a whole context"));
        }
        let files = self.source.parts_of(data.read()?, request.part)?;
        let (mut counting, draws) = (None, draws.map_or(DRAWS, |draws| draws as usize));
        let split = data.split();
        let evaluation = bound(&self.text, (&files, &split), request.part, draws, 0, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("symbols scored", of as u64)).reached(done);
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        let (head, part) = (self.source.head(), request.part);
        let text = tables::bounded(&head, part, &evaluation);
        let each = tables::each_line("nats_at_most", &evaluation.lines);
        Report::new(head, part, evaluation, text, each)
    }

    fn compare(&self, _: &Compare, _: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        let path = self.source.path.display();
        Err(self.has_no_next(&format!(
            "what it draws is judged by a model with an exact likelihood: autoreg compare EXACT_RUN --masked {path}"
        )))
    }

    fn drift(&self, _: &Drift) -> Result<Drifted> {
        Err(self.has_no_next("exposure bias is of a model that reads its own symbols one after the other"))
    }

    fn compress(&self, _: &Compress) -> Result<compression::Report> {
        Err(self.has_no_next("a coder needs the next symbol's: a `gpt`, `gru` or `lstm` compresses"))
    }

    fn decompress(&self, _: &File, _: &str) -> Result<Vec<u8>> {
        Err(self.has_no_next("name the model that the file was compressed by"))
    }

    fn receptive_field(&self, _: &Look) -> Result<Sight> {
        Err(self.has_no_next("every gap sees its whole window; `autoreg check` tries it"))
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.text.check_gaps(length, seed)
    }

    fn graph(&self, batch: usize, length: usize) -> Result<Recorded> {
        window_fits::<Filler>(self.text.model.config(), batch, length)?;
        Ok(Recorded::new(self.text.recorded_filling(batch, length), &self.text.model))
    }
}
