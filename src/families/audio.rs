//! Sounds, as the commands see them: their flags, their results as tables and WAVs.
//!
//! | file | holds |
//! | --- | --- |
//! | [`flags`] | the flags that sounds add to subcommands |
//! | [`sounding`] | what `generate` makes: sounds, the rest of a recording, sounds along frames |
//! | [`vocoding`] | what `vocode` makes: recordings from their frames |
//! | [`sight`] | what `receptive-field` tells and draws |
//! | [`tables`] | what `eval` prints and writes |
//! | [`tones`] | the act of the tour |

mod flags;
mod sight;
mod sounding;
mod tables;
mod tones;
mod vocoding;

use self::flags::{CompressFlags, EvalFlags, GenerateFlags, ReceptiveFieldFlags, TrainFlags, VocodeFlags};
use super::coding;
use super::opened::Source;
use super::tour::Tour;
use super::training::{self, Flags, Resume};
use super::{
    Compress, Drift, Drifted, Evaluate, Family, Generate, Look, Model, Recorded, Report, Sight, Vocode, Vocoded,
};
use crate::terminal::Context;
use crate::terminal::console::Counting;
use crate::terminal::output::quoted;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::audio::compression as sounds;
use models::audio::config::AudioConfig;
use models::audio::data_config::DataConfig;
use models::audio::drift::drift;
use models::audio::evaluation::evaluate;
use models::audio::model::AudioModel;
use models::audio::model_config::Local;
use models::audio::saved;
use models::audio::shapes::elements_per_sample;
use models::audio::training::AudioTask;
use models::check::Outcome;
use models::compression::{self, format::File, identity::identity};
use models::data::Part;
use models::error::Result;
use models::medium::{Medium, Sink};
use models::memory::Needs;
use models::narrow::{Weights, round};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use std::path::{Path, PathBuf};

/// The family.
pub struct Audio;

impl Family for Audio {
    fn name(&self) -> &'static str {
        "audio"
    }

    fn heading(&self) -> &'static str {
        "Audio"
    }

    fn about(&self) -> &'static str {
        "A WaveNet on recordings, WAV"
    }

    fn a_model(&self) -> &'static str {
        "a model of sounds"
    }

    fn kinds(&self) -> Vec<&'static str> {
        saved::kinds()
    }

    fn train_flags(&self, command: Command) -> Command {
        TrainFlags::augment_args(command)
    }

    fn generate_flags(&self, command: Command) -> Command {
        GenerateFlags::augment_args(command)
    }

    fn eval_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn drift_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn compress_flags(&self, command: Command) -> Command {
        CompressFlags::augment_args(command)
    }

    fn vocode_flags(&self, command: Command) -> Command {
        VocodeFlags::augment_args(command)
    }

    fn receptive_field_flags(&self, command: Command) -> Command {
        ReceptiveFieldFlags::augment_args(command)
    }

    fn train(&self, flags: &Flags, own: &ArgMatches, context: &Context) -> Result<()> {
        let own = TrainFlags::from_arg_matches(own).expect("the family added these flags itself");
        let path = |path: Option<PathBuf>| path.map(|path| training::data_path(&path)).transpose();
        let more = [
            ("--model", "model.model", own.model),
            ("--pattern", "data.pattern", own.pattern),
            ("--test-where", "data.test_where", own.test_where),
            ("--validation-where", "data.validation_where", own.validation_where),
            ("--validation", "data.validation_path", path(own.validation)?),
            ("--test", "data.test_path", path(own.test)?),
            ("--frames-path", "data.frames_path", path(own.frames_path)?),
            ("--rate", "data.rate", own.rate.map(|rate| rate.to_string())),
        ];
        training::train::<AudioTask>(flags, &more, commands, context)
    }

    fn resume(&self, request: &Resume, folder: RunFolder, checkpoint: &Checkpoint, context: &Context) -> Result<()> {
        training::resume::<AudioTask>(request, folder, checkpoint, commands, context)
    }

    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>> {
        Ok(Box::new(Opened { model: saved::from_checkpoint(checkpoint)?, source }))
    }

    fn receptive_field(&self, kind: &str, look: &Look) -> Result<Sight> {
        sight::of_kind(kind, look)
    }

    fn act(&self, tour: &mut Tour) -> Result<()> {
        tones::act(tour)
    }
}

/// How to go on with a run.
fn commands(config: &AudioConfig, folder: &Path) -> Vec<(String, String)> {
    let (run, data) = (quoted(folder), quoted(&config.data.path));
    let hear = match config.model.local {
        Local::None => ("Hear it", format!("autoreg generate {run} --seconds 2 -o sound.wav")),
        Local::Mel(_) => {
            ("Make a recording again from its frames", format!("autoreg vocode {run} FILE.wav -o again.wav"))
        }
        Local::Frames { .. } => ("Hear it", format!("autoreg generate {run} --condition FRAMES.csv -o sound.wav")),
    };
    let commands = [
        hear,
        ("Score it again, exactly", format!("autoreg eval {run} --data {data} --split validation")),
        ("Train on", format!("autoreg resume {run} --steps {}", config.training.steps.saturating_mul(2))),
        ("Check that it is a model", format!("autoreg check {run}")),
    ];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// A model out of a file.
struct Opened {
    model: AudioModel<f32>,
    source: Source,
}

impl Opened {
    /// What is read to be scored: the data that are named, by the run's settings, those of its own files of a part where one is asked for.
    fn data(&self, request: &Evaluate, flags: EvalFlags) -> Result<DataConfig> {
        let known: DataConfig = self.source.setting("data");
        // All of the given data are those at the given path, whatever files serve what.
        let given = |rule: &String| if request.part == Part::All { String::new() } else { rule.clone() };
        Ok(DataConfig {
            path: training::data_path(request.data)?,
            pattern: flags.pattern.unwrap_or_else(|| known.pattern.clone()),
            rate: if flags.resample { self.model.config.rate } else { known.rate },
            validation_path: given(&known.validation_path),
            test_path: given(&known.test_path),
            validation_files: given(&known.validation_files),
            test_files: given(&known.test_files),
            ..known
        })
    }
}

impl Model for Opened {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Sound
    }

    fn round(&mut self, weights: Weights) -> Result<()> {
        round(&mut self.model, weights);
        Ok(())
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        self.draw(request, sink)
    }

    fn vocode(&self, request: &Vocode, each: &mut dyn FnMut(Vocoded) -> Result<()>) -> Result<()> {
        self.draw_again(request, each)
    }

    fn receptive_field(&self, look: &Look) -> Result<Sight> {
        sight::of_model(&self.model.config, self.source.head(), look)
    }

    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let data = self.data(request, request.own.parsed())?;
        let files = self.source.parts_of(data.read()?, request.part)?;
        let mut counting = None;
        let evaluation = evaluate(&self.model, &files, &data, request.part, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("samples scored", of as u64)).reached(done);
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        let (head, split) = (self.source.head(), request.part);
        let text = tables::shown(&head, split, &evaluation);
        let each = tables::each(&evaluation);
        Report::new(head, split, &evaluation, text, each)
    }

    fn drift(&self, Drift { scored, asked }: &Drift) -> Result<Drifted> {
        let data = self.data(scored, scored.own.parsed())?;
        let files = self.source.parts_of(data.read()?, scored.part)?;
        let drift = coding::watched("prefixes followed", |progress| {
            drift(&self.model, &files, &data, scored.part, asked, progress)
        })
        .map_err(|error| self.source.named(error))?;
        Ok(Drifted { head: self.source.head(), drift })
    }

    fn compress(&self, request: &Compress) -> Result<compression::Report> {
        let CompressFlags { told, pattern } = request.own.parsed();
        let chosen = self.chosen(&told)?;
        let pattern = pattern.unwrap_or_else(|| self.source.setting::<DataConfig>("data").pattern);
        let (bytes, path) = coding::read(request.file)?;
        let (model, identity) = (&self.model, identity(self.source.described, &self.model));
        coding::watched("samples coded", |progress| {
            sounds::compress(model, identity, &bytes, &path, &chosen, &pattern, progress)
        })
        .map_err(|error| self.source.named(error))
    }

    fn decompress(&self, file: &File, name: &str) -> Result<Vec<u8>> {
        let (model, identity) = (&self.model, identity(self.source.described, &self.model));
        coding::watched("samples decoded", |progress| sounds::decompress(model, identity, file, name, progress))
            .map_err(|error| self.source.named(error))
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.model.check(length, seed)
    }

    fn graph(&self, batch: usize, length: usize) -> Result<Recorded> {
        let samples = (batch as u128).saturating_mul(length as u128);
        let kept = elements_per_sample(&self.model.config).saturating_mul(samples);
        Needs::default().and("the activations of the sounds", kept, size_of::<f32>(), "--batch or --length").check()?;
        Ok(Recorded::new(self.model.recorded_loss(batch, length), &self.model))
    }
}
