//! Text from a model that fills gaps, window by window: behind what is known of a window, at most half of it, the rest is filled in a few
//! rounds. So any length is written, and every symbol sees at least what a window begins with.

use super::MaskedGpt;
use crate::decoding::Cost;
use crate::decoding::mask_predict::{Plan, fill};
use crate::error::{Error, Kind, Result};
use crate::medium::Sink;
use crate::sampling::{Options, Sampler};
use crate::text::generation::{Asked, prompt};
use crate::text::saved::TextModel;
use crate::text::vocabulary::Vocabulary;
use autograd::Scalar;
use autograd::random::{Stream, Streams};

/// What is asked of a model that fills gaps.
#[derive(Clone)]
pub struct Request<'a> {
    /// What the text goes on from.
    pub asked: Asked<'a>,
    /// How many symbols.
    pub symbols: usize,
    /// How each is chosen.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
    /// How a window is filled.
    pub plan: Plan,
}

/// Writes the symbols to `sink`, exactly their bytes, until there are enough or nobody reads them; tells what they cost.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense; [`Kind::BadInput`] for a prompt that the model has no codes for, and for a model
/// whose logits are not finite; the sink's.
pub fn generate(text: &TextModel<MaskedGpt<f32>>, request: &Request, sink: Sink) -> Result<Cost> {
    check(&request.options, request.plan)?;
    let Some(prompt) = prompt(&text.vocabulary, &request.asked, sink)? else { return Ok(Cost::default()) };
    let random = Streams::new(request.seed).stream("sampling");
    let mut write = |symbol: u32| sink(text.vocabulary.symbol_bytes(symbol)).map(|flow| flow.is_break());
    draw(&text.model, &prompt, request.options.clone(), random, request.symbols, request.plan, &mut write)
}

/// Refuses what makes no sense of a window that is filled in any order.
fn check(options: &Options, plan: Plan) -> Result<()> {
    plan.check()?;
    options.check()?;
    if options.repetition_penalty != 1.0 {
        return Err(Error::new(Kind::Usage, "--repetition-penalty is not for a masked model")
            .cause("it makes symbols less likely that came before, and symbols of a window come side by side")
            .help("leave it out"));
    }
    Ok(())
}

/// Fills so many symbols after a prompt; `write` has each, and says whether that was enough.
pub(in crate::text) fn draw<T: Scalar>(
    model: &MaskedGpt<T>,
    prompt: &[u32],
    options: Options,
    mut random: Stream,
    count: usize,
    plan: Plan,
    write: &mut dyn FnMut(u32) -> Result<bool>,
) -> Result<Cost> {
    check(&options, plan)?;
    let (time, mut sampler, mut cost) = (model.config().context, Sampler::new(options)?, Cost::default());
    let mut known = prompt[prompt.len().saturating_sub(time / 2)..].to_vec();
    while cost.symbols < count as u64 {
        known.drain(..known.len().saturating_sub(time / 2));
        let wanted = (time - known.len()).min(count - cost.symbols as usize);
        // Always a whole window, as in training: what lies behind the last symbol that is wanted stays hidden.
        let mut window: Vec<Option<u32>> = known.iter().map(|&symbol| Some(symbol)).collect();
        window.resize(time, None);
        let places = known.len()..known.len() + wanted;
        cost.passes += fill(model, &mut window, places.clone(), plan, &mut sampler, &mut random)?;
        for &symbol in window[places].iter().flatten() {
            known.push(symbol);
            cost.symbols += 1;
            if write(symbol)? {
                return Ok(cost);
            }
        }
    }
    Ok(cost)
}

/// Rounds of a window where nobody says.
pub const ROUNDS: usize = 16;

/// What a model writes on a fresh line, as it is shown during training.
pub(super) fn sample_of(model: &MaskedGpt<f32>, vocabulary: &Vocabulary, symbols: usize, stream: Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let drawn =
        draw(model, &vocabulary.opening(), Options::default(), stream, symbols, Plan::of(ROUNDS), &mut |symbol| {
            bytes.extend_from_slice(vocabulary.symbol_bytes(symbol));
            Ok(false)
        });
    // A model whose numbers overflowed has no sample; training says so itself.
    if drawn.is_err() { Vec::new() } else { bytes }
}
