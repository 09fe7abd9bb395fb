//! What `generate` makes of a model of text: symbols one after the other, or in one of the ways around that loop.

use super::masked::refuse_rounds;
use super::{Architecture, CompareFlags, Filler, Opened, Recurrent, Transformer, data};
use crate::families::{Compare, Evaluate, Generate, Way};
use crate::terminal::console::say;
use crate::terminal::output;
use clap::Args;
use models::data::Part;
use models::decoding::comparison::Measured;
use models::error::{Error, Kind, Result};
use models::medium::Sink;
use models::storage::run_files::load_model;
use models::text::comparison;
use models::text::config::DataConfig;
use models::text::corpus::Corpus;
use models::text::draft::{Draft, MarkovDraft};
use models::text::generation::{self, generate};
use models::text::markov::{BEST_ORDER, MarkovChain};
use models::text::network::Network;
use models::text::saved::TextModel;
use std::path::Path;

/// How many symbols are drawn where nobody says.
pub(in crate::families) const SYMBOLS: usize = 500;

/// Guesses of a pass that improves guesses.
const GUESSES: usize = 16;

/// Proposals of a draft.
const PROPOSALS: usize = 4;

/// Beams of a search.
const BEAMS: usize = 4;

/// Symbols of all beams of a search together.
const MOST_SEARCHED: usize = 1 << 20;

/// The draft that is counted.
const MARKOV: &str = "markov";

/// Symbols of held-out text that ways of drawing go on from.
const PROMPT: usize = 32;

#[derive(Args, Debug)]
pub(super) struct GenerateFlags {
    /// Without a prompt, begin as after a line break, which is not written; else from nothing, as `eval` scores a first symbol.
    #[arg(long, conflicts_with_all = ["prompt", "prompt_file"])]
    pub fresh_line: bool,
    /// Let a smaller model over the same symbols propose, a run or a checkpoint, or `markov`, a chain of order 4 that is counted on the run's
    /// training data: exactly the model's law, another text than without.
    #[arg(long, value_name = "RUN|CHECKPOINT|markov")]
    pub speculative: Option<String>,
    /// Of a masked model: in how many rounds a window is filled, with --decode mask-predict [default: 16].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_ROUNDS))]
    pub rounds: Option<u32>,
    /// Of a masked model: how much chance there is in which draws of a round stay; 0 keeps the likeliest, much keeps any [default: 4.5].
    #[arg(long, value_name = "T")]
    pub choice_temperature: Option<f64>,
}

/// Rounds beyond this are slips of the keyboard.
const MOST_ROUNDS: i64 = 1 << 20;

impl<N: Network> Opened<N> {
    /// Draws symbols, and says what they cost where that is not one pass a symbol.
    pub(super) fn draw(self, request: &Generate, sink: Sink) -> Result<()> {
        let &Generate { prompt, echo, symbols, ref options, seed, own, decode, .. } = request;
        let flags: GenerateFlags = own.parsed();
        refuse_rounds(&flags)?;
        let GenerateFlags { fresh_line, speculative, .. } = flags;
        let known = [Way::Sequential, Way::Jacobi, Way::Beam];
        let way = decode.check("a model of text that draws the next symbol", &known, speculative.is_some())?;
        // A draft is read: nothing is written over it.
        let read: Vec<&Path> =
            speculative.as_deref().filter(|word| *word != MARKOV).map(Path::new).into_iter().collect();
        output::check(request.output, &read)?;
        let draft = speculative.as_deref().map(|word| self.draft(word)).transpose()?;
        let way = match (&draft, way) {
            (Some(draft), _) => generation::Way::Speculative { draft, ahead: decode.ahead.unwrap_or(PROPOSALS) },
            (None, Way::Jacobi) => generation::Way::Jacobi { ahead: decode.ahead.unwrap_or(GUESSES) },
            (None, Way::Beam) => generation::Way::Beam { beams: decode.beams.unwrap_or(BEAMS) },
            (None, Way::Sequential | Way::MaskPredict | Way::Independent) => generation::Way::Sequential,
        };
        let (symbols, options) = (symbols.unwrap_or(SYMBOLS), options.clone());
        if let generation::Way::Beam { beams } = way
            && symbols.saturating_mul(beams) > MOST_SEARCHED
        {
            return Err(Error::new(Kind::Usage, format!("--decode beam: {symbols} symbols by {beams} beams"))
                .cause("all beams are kept to their ends, and nothing is written before the last symbol is found")
                .help(format!("ask for at most {} symbols: -n N", MOST_SEARCHED / beams)));
        }
        let asked = generation::Asked { prompt, fresh_line, echo };
        let request = generation::Request { asked, symbols, options, seed, way };
        let cost = generate(self.text, &request, sink).map_err(|error| self.source.named(error))?;
        if !matches!(way, generation::Way::Sequential) {
            say(&cost.to_string());
        }
        Ok(())
    }

    /// Every way of drawing, measured.
    pub(super) fn compared(&self, request: &Compare, progress: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        let &Compare { data, symbols, seed, own } = request;
        if symbols == Some(0) {
            return Err(Error::new(Kind::Usage, "-n 0: no symbols are no way of drawing").help("ask for at least 1"));
        }
        let CompareFlags { masked } = own.parsed();
        let masked = masked.as_deref().map(|path| self.filler(path)).transpose()?;
        let data = self::data(&self.source, &Evaluate { data, part: Part::Validation, each: None, own })?;
        let files = self.source.parts_of(data.read()?, Part::Validation)?;
        let corpus = Corpus::encode_files(&files, &self.text.vocabulary, &data.split())?;
        let request = comparison::Request { prompt: PROMPT, symbols: symbols.unwrap_or(SYMBOLS), seed };
        comparison::compare(&self.text, masked.as_ref(), &corpus, request, progress)
            .map_err(|error| self.source.named(error))
    }

    /// Who proposes.
    fn draft(&self, word: &str) -> Result<Draft> {
        if word == MARKOV {
            return self.markov();
        }
        let checkpoint = load_model(Path::new(word))?;
        let family = crate::families::family_of(checkpoint.model()?, &checkpoint.path)?;
        if family.name() != "text" {
            return Err(Error::new(Kind::Usage, format!("--speculative {word} is {}", family.a_model()))
                .cause("a model of text is proposed to by one of text"));
        }
        let other = |what: String| {
            Err(Error::new(Kind::Usage, format!("--speculative {word}: {what}"))
                .cause("what one proposes, the other must know under the same number")
                .help("train the draft on the same text, with the same `data.vocabulary`"))
        };
        let vocabulary = self.text.vocabulary.to_json();
        let draft = match Architecture::of(checkpoint.model()?) {
            Architecture::MaskedGpt => {
                return Err(Error::new(Kind::Usage, format!("--speculative {word} is a masked model of text"))
                    .cause("it fills gaps, and proposes no next symbol")
                    .help("name a smaller `gpt`, `gru` or `lstm`, or `markov`"));
            }
            Architecture::Gpt => {
                let text = TextModel::<Transformer>::from_checkpoint(&checkpoint)?;
                (text.vocabulary.to_json() == vocabulary).then(|| Draft::Gpt(Box::new(text.model.into_decoder())))
            }
            Architecture::Recurrent => {
                let text = TextModel::<Recurrent>::from_checkpoint(&checkpoint)?;
                (text.vocabulary.to_json() == vocabulary).then(|| Draft::Recurrent(Box::new(text.model.into_decoder())))
            }
        };
        draft.map_or_else(|| other("its vocabulary is not that of the model".to_owned()), Ok)
    }

    /// The model that fills gaps beside this one.
    fn filler(&self, path: &Path) -> Result<TextModel<Filler>> {
        let checkpoint = load_model(path)?;
        let wrong = |what: &str| Error::new(Kind::Usage, format!("--masked {}: {what}", path.display()));
        if Architecture::of(checkpoint.model()?) != Architecture::MaskedGpt {
            return Err(wrong(&format!("a model of kind `{}` fills no gaps", checkpoint.model()?))
                .help("`autoreg train text --model masked-gpt` trains one that does"));
        }
        let text = TextModel::<Filler>::from_checkpoint(&checkpoint)?;
        if text.vocabulary.to_json() != self.text.vocabulary.to_json() {
            return Err(wrong("its vocabulary is not that of the model")
                .cause("what one draws, the other must know under the same number")
                .help("train both on the same text, with the same `data.vocabulary`"));
        }
        Ok(text)
    }

    /// A chain that is counted on what the run was trained on.
    fn markov(&self) -> Result<Draft> {
        let data: DataConfig = self.source.setting("data");
        let path = self.source.path.display();
        if data.path.is_empty() {
            return Err(Error::new(Kind::Usage, "--speculative markov: there is nothing to count on")
                .cause(format!("{path} does not say what it was trained on"))
                .help("name a smaller model instead"));
        }
        let files = self.source.parts_of(data.read()?, Part::Train)?;
        let corpus = Corpus::encode_files(&files, &self.text.vocabulary, &data.split())?;
        let chain = MarkovChain::fit(&corpus.train, self.text.vocabulary.size(), BEST_ORDER);
        Ok(Draft::Markov(MarkovDraft::new(chain)))
    }
}
