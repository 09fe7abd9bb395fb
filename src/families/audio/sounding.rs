//! What `generate` makes of a model of sounds: sounds from nothing, after a recording, or along frames; as a WAV, or as samples while they
//! are made.

use super::Opened;
use super::flags::{GenerateFlags, LabelFlags};
use crate::families::{Generate, Way};
use crate::terminal::console::{Counting, say};
use crate::terminal::output;
use models::audio::condition::{Frames, parse_frames};
use models::audio::data::fits;
use models::audio::evaluation::of_rate;
use models::audio::generation::{Request, draw, gap, label, labels_in_turn, longest};
use models::audio::given::Prepared;
use models::audio::mel::Mel;
use models::audio::model::Told;
use models::audio::model_config::Local;
use models::audio::together::{AT_A_TIME, draw_together};
use models::audio::wav::{self, Sound};
use models::error::{Error, Kind, Result};
use models::medium::Sink;
use models::pages::numbers::given;
use models::sampling::Options;
use models::storage::regular;
use std::ops::ControlFlow;
use std::path::Path;

/// How long a sound is where nobody says, in seconds.
const SECONDS: f64 = 2.0;

/// The longest file of a recording, or of frames.
pub(super) const MOST_RECORDING: u64 = 1 << 32;

/// Little-endian samples of 16 bits.
fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Samples of all sounds that are made side by side: they are held until the last of them is.
const MOST_TOGETHER: usize = 1 << 26;

/// Where samples go, and how many went.
struct Written<'s> {
    sink: Sink<'s>,
    counting: Option<Counting>,
    done: usize,
    all: usize,
}

impl Written<'_> {
    /// Says how far the drawing is: what was written, and samples beside it.
    fn reached(&mut self, more: usize) {
        let all = self.all as u64;
        self.counting.get_or_insert_with(|| Counting::new("samples drawn", all)).reached(self.done + more);
    }

    fn put(&mut self, samples: &[i16]) -> Result<ControlFlow<()>> {
        self.done += samples.len();
        self.reached(0);
        (self.sink)(&bytes(samples))
    }
}

impl Opened {
    /// Draws sounds, and writes them while they are made.
    pub(super) fn draw(&self, request: &Generate, sink: Sink) -> Result<()> {
        let flags: GenerateFlags = request.own.parsed();
        request.decode.check("a model of sounds", &[Way::Sequential], false)?;
        if !request.prompt.is_empty() {
            return Err(Error::new(Kind::Usage, "a sound goes on from no text: the model is one of sounds")
                .help("--prime FILE.wav goes on from a recording"));
        }
        let inputs: Vec<&Path> = [&flags.prime, &flags.condition].into_iter().flatten().map(|path| &**path).collect();
        output::check(request.output, &inputs)?;
        let config = &self.model.config;
        let chosen = self.chosen(&flags.told)?;
        let prime = flags.prime.as_deref().map(|path| self.recording(path, flags.resample)).transpose()?;
        let prime = prime.map_or_else(Vec::new, |sound| sound.samples);
        let (frames, whole) = match flags.condition.as_deref() {
            Some(path) => {
                let (frames, samples) = self.frames(path, flags.resample)?;
                (Some(frames), Some(samples))
            }
            None => (None, None),
        };
        if frames.is_none() && config.local != Local::None {
            return Err(Error::new(Kind::Usage, "nothing says what the sound is to be from moment to moment")
                .cause(format!("the model is told {} features of every moment", config.local.bands()))
                .help("--condition FILE.wav takes those of a recording, FILE.csv frames as they are"));
        }
        let samples = self.samples(flags.seconds, whole, frames.as_ref(), prime.len())?;
        let sounds = request.symbols.unwrap_or(1);
        if sounds == 0 {
            return Err(Error::new(Kind::Usage, "-n 0: there is no sound of no sounds").help("ask for at least 1"));
        }
        let gap = gap(config.rate);
        let each = samples.saturating_add(if request.echo { prime.len() } else { 0 });
        let all = each.saturating_add(gap).saturating_mul(sounds) - gap;
        let Some(length) = u32::try_from(all).ok().filter(|&all| all <= wav::LONGEST) else {
            let most = f64::from(wav::LONGEST) / f64::from(config.rate);
            return Err(Error::new(
                Kind::Usage,
                format!("{sounds} sounds of {samples} samples are more than a WAV holds"),
            )
            .cause(format!("it holds {most:.0} seconds"))
            .help("ask for fewer or shorter ones"));
        };
        if request.options.temperature == 0.0 {
            say("the most likely sample, again and again, falls silent: --greedy is no way to hear a model");
        }
        if config.symbols() > 256 && request.options != Options::default() {
            say("every one of 65,536 levels is weighed for each sample: slow, some thirty samples a second");
        }
        if !request.raw && sink(&wav::header(config.rate, length))?.is_break() {
            return Ok(());
        }
        let prepared = Prepared::new(&self.model);
        let mut written = Written { sink, counting: None, done: 0, all };
        let silence = vec![0; gap];
        let before = |number: usize, written: &mut Written| {
            let ended = number > 0 && written.put(&silence)?.is_break();
            Ok::<bool, Error>(ended || request.echo && written.put(&prime)?.is_break())
        };
        // What goes to a pipe is heard while it is made, sound by sound; of what goes to a file several are made side by side.
        let together = request.output.map_or(1, |_| (MOST_TOGETHER / samples).clamp(1, AT_A_TIME));
        for first in (0..sounds).step_by(together) {
            let number_of = |number| Told { labels: labels_in_turn(config, &chosen, number), frames: frames.clone() };
            let told: Vec<Told> = (first..sounds.min(first + together)).map(number_of).collect();
            let (options, seed) = (request.options.clone(), request.seed);
            let asked = Request { samples, prime: &prime, options, seed, number: first };
            let ended = if let [told] = &told[..] {
                if before(first, &mut written)? {
                    return Ok(());
                }
                let mut ended = false;
                let put = &mut |piece: &[i16]| {
                    let flow = written.put(piece)?;
                    ended = flow.is_break();
                    Ok(flow)
                };
                draw(&prepared, told, &asked, put).map_err(|error| self.source.named(error))?;
                ended
            } else {
                let mut progress = |drawn| {
                    written.reached(drawn * told.len());
                    ControlFlow::Continue(())
                };
                let made = draw_together(&prepared, &told, &asked, &mut progress);
                let made = made.map_err(|error| self.source.named(error))?.unwrap_or_default();
                let mut ended = false;
                for (i, sound) in made.iter().enumerate() {
                    ended = ended || before(first + i, &mut written)? || written.put(sound)?.is_break();
                }
                ended
            };
            if ended {
                return Ok(());
            }
        }
        written.counting.into_iter().for_each(Counting::finish);
        Ok(())
    }

    /// The numbers of the labels that are named.
    pub(super) fn chosen(&self, flags: &LabelFlags) -> Result<Vec<Option<u32>>> {
        let config = &self.model.config;
        let mut chosen = vec![None; config.labels.len()];
        let mut choose = |name: &str, value: &str| {
            let (place, number) = label(config, name, value)?;
            match chosen[place].replace(number) {
                None => Ok(()),
                Some(_) => Err(Error::new(Kind::Usage, format!("the {name} is named twice"))),
            }
        };
        for (name, value) in [("speaker", &flags.speaker), ("digit", &flags.digit)] {
            value.iter().try_for_each(|value| choose(name, value))?;
        }
        for word in &flags.label {
            let (name, value) = word.split_once('=').ok_or_else(|| {
                Error::new(Kind::Usage, format!("--label {word}: it is NAME=VALUE")).help("as --label speaker=theo")
            })?;
            choose(name.trim(), value.trim())?;
        }
        Ok(chosen)
    }

    /// A recording of the model's rate.
    pub(super) fn recording(&self, path: &Path, resample: bool) -> Result<Sound> {
        let name = path.display().to_string();
        let sound = wav::parse(&regular::read(path, MOST_RECORDING)?, &name)?;
        let rate = self.model.config.rate;
        if resample {
            return sound.resampled(rate);
        }
        of_rate(&self.model.config, sound.rate, &name).map(|()| sound)
    }

    /// The frames of a recording, or out of a file; and how many samples they are of.
    fn frames(&self, path: &Path, resample: bool) -> Result<(Frames, usize)> {
        let config = &self.model.config;
        let name = path.display().to_string();
        if config.local == Local::None {
            return Err(Error::new(
                Kind::Usage,
                format!("--condition {name}: the model is told nothing from moment to moment"),
            )
            .help("train one that is: --set model.local='{ mel = {} }'"));
        }
        let bytes = regular::read(path, MOST_RECORDING)?;
        if !wav::may_be(&bytes) {
            let frames = parse_frames(&bytes, &name)?;
            let samples = if frames.count() == 0 { 0 } else { longest(&frames, config) };
            return fits(&frames, &name, samples, config).map(|()| (frames, samples));
        }
        let Local::Mel(settings) = &config.local else {
            return Err(Error::new(Kind::BadInput, format!("{name} is a recording"))
                .cause("the model is told frames out of files, which nobody can make of a recording")
                .help("give the frames as CSV"));
        };
        let sound = self.recording(path, resample)?;
        let mel = Mel::new(settings, config.rate)?;
        Ok((Frames { bands: mel.bands(), values: mel.log_mel(&sound.samples) }, sound.samples.len()))
    }

    /// How many samples are asked for.
    fn samples(
        &self,
        seconds: Option<f64>,
        whole: Option<usize>,
        frames: Option<&Frames>,
        prime: usize,
    ) -> Result<usize> {
        let config = &self.model.config;
        let refused = |what: String, cause: String| Err(Error::new(Kind::Usage, what).cause(cause));
        let asked = match (seconds, whole) {
            (None, Some(whole)) => match whole.checked_sub(prime).filter(|&left| left > 0) {
                Some(left) => left,
                None => {
                    return refused(
                        "nothing is left to draw".to_owned(),
                        format!("--prime has {prime} samples, and what --condition names {whole}"),
                    );
                }
            },
            (seconds, _) => {
                let seconds = seconds.unwrap_or(SECONDS);
                let samples = (seconds * f64::from(config.rate)).round();
                if !(samples >= 1.0 && samples <= f64::from(wav::LONGEST)) {
                    let most = f64::from(wav::LONGEST) / f64::from(config.rate);
                    let cause = format!("a sound has at least one sample, and a WAV holds {most:.0} seconds");
                    return refused(format!("--seconds {}", given(seconds)), cause);
                }
                samples as usize
            }
        };
        match frames.map(|frames| longest(frames, config)).filter(|&most| prime.saturating_add(asked) > most) {
            None => Ok(asked),
            Some(most) => refused(
                format!("{} samples are more than the condition is of", prime + asked),
                format!("its frames are of {most} samples at most"),
            ),
        }
    }

    /// Draws a sound along frames.
    pub(super) fn along(
        &self,
        prepared: &Prepared<f32>,
        told: &Told,
        samples: usize,
        request: &Along,
    ) -> Result<Vec<i16>> {
        let mut sound = Vec::with_capacity(samples);
        let Along { options, seed, stop } = request;
        let asked = Request { samples, prime: &[], options: options.clone(), seed: *seed, number: 0 };
        draw(prepared, told, &asked, &mut |piece| {
            sound.extend_from_slice(piece);
            stop()?;
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|error| self.source.named(error))?;
        Ok(sound)
    }
}

/// How a sound is drawn along frames.
pub(super) struct Along<'a> {
    /// How each sample is chosen.
    pub options: Options,
    /// Of its random stream.
    pub seed: u64,
    /// An error, once somebody asks to stop.
    pub stop: &'a dyn Fn() -> Result<()>,
}
