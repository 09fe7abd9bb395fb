//! What is asked of a model of sounds, drawn.

use super::condition::Frames;
use super::given::Prepared;
use super::model::Told;
use super::model_config::{Labels, ModelConfig};
use crate::autoregressive::Conditional;
use crate::error::{Error, Kind, Result};
use crate::sampling::{Generator, Options, Sampler};
use autograd::random::Streams;
use std::ops::ControlFlow;

/// What is asked of a model of sounds.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// How many samples, those of the prompt not among them.
    pub samples: usize,
    /// What the sound goes on from.
    pub prime: &'a [i16],
    /// How each sample is chosen.
    pub options: Options,
    /// Of the random stream `sound N`.
    pub seed: u64,
    /// N.
    pub number: usize,
}

/// Samples that are handed on together.
const PIECE: usize = 1024;

/// Draws the sound that is told of, and hands it on piece by piece while it is made. It depends on what is asked for, and on no other sound.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense; [`Kind::BadInput`] for a model that gives no distribution; those of `sink`, which may also end
/// it.
///
/// # Panics
/// If the prompt and the samples are more than the frames are of, or what is told is not what the model is told.
pub fn draw(
    prepared: &Prepared<f32>,
    told: &Told,
    request: &Request,
    sink: &mut dyn FnMut(&[i16]) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let Request { samples, prime, ref options, seed, number } = *request;
    let given = prepared.given(told).of_length(prime.len() + samples);
    let sampler = Sampler::new(options.clone())?;
    let stream = Streams::new(seed).stream(&format!("sound {number}"));
    let prompt = prepared.model().codes(prime);
    let encoding = prepared.model().config.encoding;
    let mut piece = Vec::with_capacity(PIECE.min(samples));
    for code in Generator::new(&given, &prompt, sampler, stream).checked() {
        piece.push(encoding.sample(code?));
        if piece.len() == PIECE {
            if sink(&piece)?.is_break() {
                return Ok(());
            }
            piece.clear();
        }
    }
    sink(&piece).map(|_| ())
}

/// What the sound of this number is told where labels are left open: of each kind of label one after another, the first changing fastest.
pub fn labels_in_turn(config: &ModelConfig, chosen: &[Option<u32>], number: usize) -> Vec<u32> {
    let mut turn = number;
    let one = |(labels, chosen): (&Labels, &Option<u32>)| {
        chosen.unwrap_or_else(|| {
            let count = labels.values.len();
            let label = turn % count;
            turn /= count;
            label as u32
        })
    };
    config.labels.iter().zip(chosen).map(one).collect()
}

/// Refuses labels that are none of the model's.
///
/// # Errors
/// [`Kind::Usage`] naming the label and what there is.
pub fn label(config: &ModelConfig, name: &str, value: &str) -> Result<(usize, u32)> {
    let refused = |what: String, cause: String| Err(Error::new(Kind::Usage, what).cause(cause));
    let Some(place) = config.labels.iter().position(|labels| labels.name == name) else {
        let known: Vec<&str> = config.labels.iter().map(|labels| labels.name.as_str()).collect();
        let cause =
            if known.is_empty() { "it is told none".to_owned() } else { format!("it is told {}", known.join(", ")) };
        return refused(format!("the model is told no {name}"), cause);
    };
    let labels = &config.labels[place];
    match super::data::number_of(labels, value) {
        Some(number) => Ok((place, number)),
        None => refused(
            format!("the model never met the {name} {value:?}"),
            format!("it knows {}", labels.values.join(", ")),
        ),
    }
}

/// The samples that a sound of these frames can have at most.
pub fn longest(frames: &Frames, config: &ModelConfig) -> usize {
    *frames.lengths(config.local.hop()).end()
}

/// Sounds one after another, with silence between.
pub fn joined(sounds: &[Vec<i16>], rate: u32) -> Vec<i16> {
    let silence = vec![0; gap(rate)];
    sounds.join(&silence[..])
}

/// Samples of silence between two sounds: an eighth of a second.
pub fn gap(rate: u32) -> usize {
    rate as usize / 8
}
