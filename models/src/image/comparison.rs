//! Ways of drawing pictures side by side.

use super::config::DataConfig;
use super::data::ImageData;
use super::decoder::{Decoder, Drawing};
use super::evaluation::{classes, empty, fits};
use super::generation::{Request, draw, draw_by_jacobi};
use super::model::ImageModel;
use super::training::quantized;
use crate::autoregressive::Conditional;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::decoding::Cost;
use crate::decoding::comparison::{Measured, Outcome, timed};
use crate::distribution::not_finite;
use crate::error::Result;
use crate::narrow::{Weights, round};
use crate::sampling::{Generator, Noise, Options, Sampler};
use autograd::random::Streams;
use rand::RngExt;

/// Measures every way once, for so many pictures, beside those of `files` that are held out, the first thousand of them; `progress` is told
/// which way comes next.
///
/// # Errors
/// Those of [`evaluate`](super::evaluation::evaluate).
pub fn compare(
    model: &ImageModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    images: usize,
    seed: u64,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Measured>> {
    /// Held-out pictures that are scored.
    const MOST: usize = 1000;
    let config = DataConfig { levels: model.config.levels, ..config.clone() };
    let data = ImageData::of_files(files, &config)?;
    fits(&model.config, &data, files)?;
    let part = if data.part(Part::Validation).is_empty() { Part::Test } else { Part::Validation };
    let held_out = data.part(part);
    if held_out.is_empty() {
        return Err(empty(files, &config, part));
    }
    let their_classes = classes(model, &data.classes, &held_out, files)?;
    let (train, held_out) =
        (quantized(&data.train, &config, seed, "training"), quantized(&held_out, &config, seed, part.name()));
    let scored = held_out.len().min(MOST);
    let their_classes = their_classes.as_ref().map(|classes| &classes[..scored]);
    let (values, classes) = (model.config.values(), model.config.classes.len() as u32);
    let each = (values * images) as u64;
    let class = |image: usize| (classes > 0).then_some(image as u32 % classes.max(1));
    let told: Option<Vec<u32>> = (classes > 0).then(|| (0..images).filter_map(class).collect());
    let measured = |way: &str, outcome, cost, seconds, drawn: &[Vec<u32>]| {
        let bytes: Vec<u8> = drawn.iter().flatten().map(|&level| level as u8).collect();
        let told = told.as_ref().map(|told| &told[..drawn.len()]);
        let nats = model.nats(&bytes, told, &mut |_| ()).iter().sum::<f64>() / bytes.len() as f64;
        named(way, outcome, cost, seconds, nats)
    };
    progress("held-out pictures");
    let held_out = &held_out.values()[..scored * values];
    let nats = model.nats(held_out, their_classes, &mut |_| ()).iter().sum::<f64>() / held_out.len() as f64;
    let mut all = vec![named("held-out pictures", Outcome::Data, Cost::default(), 0.0, nats)?];

    progress("sequential, the whole network each time");
    let plain = Options::default();
    let class_of_first = class(0);
    let given = model.given(&class_of_first);
    let (first, seconds) = timed(|| {
        let random = Streams::new(seed).stream("image 0");
        let generator = Generator::new(&given, &[], Sampler::new(plain.clone())?, random);
        generator.checked().collect::<Result<Vec<u32>>>()
    });
    let (first, one) = (first?, values as u64);
    let cost = Cost { symbols: one, passes: one, ..Cost::default() };
    let way = "sequential, the whole network each time (one picture)";
    all.push(measured(way, Outcome::Sample, cost, seconds, std::slice::from_ref(&first))?);

    let request =
        |noise| Request { images, class: None, known: &[], options: Options { noise, ..Options::default() }, seed };
    for (noise, suffix) in [(Noise::Uniform, ""), (Noise::Gumbel, ", gumbel noise")] {
        let name = format!("sequential, with memory{suffix}");
        progress(&name);
        let (drawn, seconds) = timed(|| draw(model, &request(noise), &mut |_| Ok(())));
        let drawn = drawn?;
        let outcome = match noise {
            Noise::Uniform if drawn[0] != first => Outcome::Approximate,
            Noise::Uniform => Outcome::SameSample,
            Noise::Gumbel => Outcome::Sample,
        };
        // A sub-pixel at a time, all pictures side by side; the arithmetic of all of them is that of one pass over each picture.
        let cost = Cost { symbols: each, passes: one, ..Cost::default() };
        all.push(measured(&name, outcome, cost, seconds, &drawn)?);
        let name = format!("jacobi{suffix}");
        progress(&name);
        let (jacobi, seconds) = timed(|| draw_by_jacobi(model, &request(noise), None, &mut |_| Ok(())));
        let (again, cost) = jacobi?;
        let outcome = if again == drawn { Outcome::SameSample } else { Outcome::Approximate };
        all.push(measured(&name, outcome, cost, seconds, &again)?);
    }
    for weights in [Weights::Bf16, Weights::Int8] {
        let name = format!("sequential, with memory, {} weights", weights.name());
        progress(&name);
        let mut narrow = model.clone();
        round(&mut narrow, weights);
        let streams = Streams::new(seed);
        let drawing = |image: usize| Drawing::new(class(image), streams.stream(&format!("image {image}")));
        let mut drawings: Vec<Drawing> = (0..images).map(drawing).collect();
        let decoder = Decoder::new(&narrow);
        let (drawn, seconds) = timed(|| decoder.draw(&mut drawings, &plain, |_| Ok(())));
        drawn?;
        let drawn: Vec<Vec<u32>> = drawings.into_iter().map(|drawing| drawing.levels).collect();
        let cost = Cost { symbols: each, passes: one, ..Cost::default() };
        all.push(measured(&name, Outcome::Approximate, cost, seconds, &drawn)?);
    }
    // Each sub-pixel as one at its place in a picture drawn by lot for it alone: its own law, and no other sub-pixel's.
    progress("independent");
    let (drawn, seconds) = timed(|| {
        let mut random = Streams::new(seed).stream("independent");
        let count = train.values().len() / values;
        let one = |at: usize, image: usize| u32::from(train.values()[image * values + at]);
        (0..images)
            .map(|_| (0..values).map(|at| one(at, random.random_range(0..count))).collect())
            .collect::<Vec<Vec<u32>>>()
    });
    let cost = Cost { symbols: each, ..Cost::default() };
    all.push(measured("independent, by counts", Outcome::Approximate, cost, seconds, &drawn)?);
    Ok(all)
}

fn named(way: &str, outcome: Outcome, cost: Cost, seconds: f64, nats_per_symbol: f64) -> Result<Measured> {
    match nats_per_symbol.is_finite() {
        true => {
            Ok(Measured { way: way.to_owned(), outcome, cost, seconds, nats_per_symbol, chain_nats_per_symbol: None })
        }
        false => Err(not_finite(1)),
    }
}
