//! Several sounds drawn side by side, each a sample further with one read of the weights: the sounds of [`draw`](super::generation::draw),
//! bit for bit, each of its own random stream.

use super::generation::Request;
use super::given::{Prepared, keep};
use super::model::Told;
use crate::distribution::{Distribution, not_finite};
use crate::error::Result;
use crate::sampling::{Reshape, Sampler};
use autograd::random::{Stream, Streams};
use std::ops::ControlFlow;

/// Sounds that are drawn at a time: each remembers its layers, and waits for the others with its samples.
pub const AT_A_TIME: usize = 32;

/// One of them.
struct Voice<'a> {
    told: &'a Told,
    sampler: Sampler,
    random: Stream,
    sound: Vec<i16>,
}

/// Draws the sounds of numbers `request.number`, `request.number + 1`, …, one for each of what is told; none if `progress`, which hears how
/// many samples each has, ends it.
///
/// # Errors
/// As [`draw`](super::generation::draw).
///
/// # Panics
/// As [`draw`](super::generation::draw), for any of them.
pub fn draw_together(
    prepared: &Prepared<f32>,
    told: &[Told],
    request: &Request,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Vec<Vec<i16>>>> {
    let Request { samples, prime, ref options, seed, number } = *request;
    let (model, decoder) = (prepared.model(), prepared.decoder());
    let (encoding, bands) = (model.config.encoding, model.config.local.bands());
    let prompt = model.codes(prime);
    let voice = |(i, told)| {
        let random = Streams::new(seed).stream(&format!("sound {}", number + i));
        Ok(Voice { told, sampler: Sampler::new(options.clone())?, random, sound: Vec::with_capacity(samples) })
    };
    let mut voices = told.iter().enumerate().map(voice).collect::<Result<Vec<_>>>()?;
    let mut memories: Vec<_> = told.iter().map(|told| decoder.start(&told.labels)).collect();
    let mut distributions = vec![model.distribution(&vec![0.0; model.config.parameters()]); told.len()];
    let mut codes = vec![None; told.len()];
    let (mut features, mut row) = (vec![0.0; told.len() * bands], vec![0.0; bands]);
    for t in 0..prompt.len() + samples {
        for (voice, features) in voices.iter().zip(features.chunks_exact_mut(bands.max(1))) {
            prepared.features(voice.told, t, &mut row, features);
        }
        decoder.step_many(&mut memories, &codes, &features);
        for (i, Voice { sampler, random, sound, .. }) in voices.iter_mut().enumerate() {
            let distribution = &mut distributions[i];
            keep(model, memories[i].parameters(), distribution);
            let code = match prompt.get(t) {
                Some(&code) => {
                    distribution.note(sampler, code);
                    code
                }
                None if !distribution.is_sound() => return Err(not_finite(sound.len() + 1)),
                None => {
                    let code = distribution.draw(sampler, random);
                    sound.push(encoding.sample(code));
                    code
                }
            };
            codes[i] = Some(code);
        }
        if t >= prompt.len() && progress(t + 1 - prompt.len()).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(voices.into_iter().map(|voice| voice.sound).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::condition::Frames;
    use super::super::generation::{draw, labels_in_turn};
    use super::super::model::AudioModel;
    use super::super::model_config::{Encoding, Labels, Local, ModelConfig};
    use super::*;
    use crate::sampling::Options;

    fn config(encoding: Encoding, local: Local) -> ModelConfig {
        let values = vec!["a".to_owned(), "b".to_owned()];
        let labels = vec![Labels { name: "speaker".to_owned(), values }];
        ModelConfig { encoding, local, labels, layers: 3, residual: 4, skip: 6, rate: 8000, ..ModelConfig::default() }
    }

    #[test]
    fn sounds_drawn_together_are_those_drawn_one_after_another_bit_for_bit() {
        let frames = Frames { bands: 2, values: (0..20).map(|i| (i as f32 * 0.7).sin()).collect() };
        let local = Local::Frames { bands: 2, hop: 8 };
        let mu_law = || ModelConfig::default().encoding;
        for (config, frames) in [(config(mu_law(), Local::None), None), (config(mu_law(), local), Some(frames))] {
            let model = AudioModel::<f32>::new(&config, &mut Streams::new(3).stream("init"));
            let prepared = Prepared::new(&model);
            let told = |number| Told { labels: labels_in_turn(&config, &[None], number), frames: frames.clone() };
            for prime in [&[][..], &[900, -3000, 12][..]] {
                let options = Options { temperature: 0.8, top_k: Some(40), ..Options::default() };
                let all: Vec<Told> = (2..7).map(told).collect();
                let request = |number| Request { samples: 40, prime, options: options.clone(), seed: 5, number };
                let mut heard = 0;
                let together = draw_together(&prepared, &all, &request(2), &mut |samples| {
                    heard = samples;
                    ControlFlow::Continue(())
                });
                assert_eq!(heard, 40);
                let together = together.unwrap().unwrap();
                assert_eq!(together.len(), all.len());
                for (i, told) in all.iter().enumerate() {
                    let mut alone = Vec::new();
                    draw(&prepared, told, &request(2 + i), &mut |piece| {
                        alone.extend_from_slice(piece);
                        Ok(ControlFlow::Continue(()))
                    })
                    .unwrap();
                    assert_eq!(together[i], alone, "sound {i}, {config:?}");
                }
                let ended = draw_together(&prepared, &all, &request(2), &mut |_| ControlFlow::Break(()));
                assert_eq!(ended.unwrap(), None);
            }
        }
    }
}
