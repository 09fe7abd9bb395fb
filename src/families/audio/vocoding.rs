//! What `vocode` makes of a model of sounds that is told mel frames: recordings, from their frames alone.

use super::Opened;
use super::flags::VocodeFlags;
use super::sounding::Along;
use crate::families::{Vocode, Vocoded};
use crate::terminal::interrupt;
use models::audio::config::AudioConfig;
use models::audio::data::AudioData;
use models::audio::data_config::DataConfig;
use models::audio::distance::{log_mel_distance, log_spectral_distance};
use models::audio::evaluation::{of_rate, told};
use models::audio::given::Prepared;
use models::audio::mel::Mel;
use models::audio::model_config::{Local, ModelConfig};
use models::audio::wav::{self, Sound};
use models::distribution::not_finite;
use models::error::{Error, Kind, Result};
use std::f64::consts::LN_2;
use std::sync::atomic::Ordering;

impl Opened {
    /// Draws every recording again from its frames, and hands each on.
    pub(super) fn draw_again(&self, request: &Vocode, each: &mut dyn FnMut(Vocoded) -> Result<()>) -> Result<()> {
        let flags: VocodeFlags = request.own.parsed();
        let config = &self.model.config;
        let Local::Mel(settings) = &config.local else {
            return Err(Error::new(Kind::Usage, format!("{} is told no mel frames", self.source.path.display()))
                .cause("a recording is drawn again from its own frames, and the model knows none")
                .help("train one that is told them: --set model.local='{ mel = {} }'"));
        };
        let chosen = self.chosen(&flags.told)?;
        let known: DataConfig = self.source.setting("data");
        let data = DataConfig {
            path: crate::families::training::data_path(request.recordings)?,
            pattern: flags.pattern.unwrap_or(known.pattern),
            rate: if flags.resample { config.rate } else { 0 },
            trim: known.trim,
            train: 1.0,
            validation: 0.0,
            ..DataConfig::default()
        };
        // What is named on the command line nobody looks for in the names of files.
        let all_chosen = chosen.iter().all(Option::is_some);
        let model = match all_chosen {
            true => ModelConfig { conditions: Vec::new(), labels: Vec::new(), ..config.clone() },
            false => config.clone(),
        };
        let data = match all_chosen {
            true => DataConfig { pattern: String::new(), ..data },
            false => data,
        };
        let files = data.read()?;
        let read = AudioData::of_files(&files, &AudioConfig { model, data, ..AudioConfig::default() })?;
        of_rate(config, read.rate, &files.path)?;
        let (mel, prepared) = (Mel::new(settings, config.rate)?, Prepared::new(&self.model));
        let stop = interrupt::install()?;
        let stop = || match stop.load(Ordering::Relaxed) {
            true => Err(Error::new(Kind::Interrupted, "stopped; what was drawn before is written")
                .help("a folder of them is made anew, as another one: what is in the first is not gone on with")),
            false => Ok(()),
        };
        let along = Along { options: request.options.clone(), seed: request.seed, stop: &stop };
        for (file, recording) in files.files.iter().zip(&read.train) {
            let mut told = told(recording);
            told.labels.resize(chosen.len(), 0);
            chosen.iter().zip(&mut told.labels).for_each(|(chosen, label)| *label = chosen.unwrap_or(*label));
            let samples = &recording.samples;
            let nats = self.model.nats(&self.model.codes(samples), &told);
            if let Some(place) = nats.iter().position(|nats| !nats.is_finite()) {
                return Err(self.source.named(not_finite(place + 1)));
            }
            let drawn = self.along(&prepared, &told, samples.len(), &along)?;
            each(Vocoded {
                name: file.name.clone(),
                samples: samples.len(),
                bits_per_sample: nats.iter().sum::<f64>() / samples.len() as f64 / LN_2,
                log_spectral_distance: log_spectral_distance(samples, &drawn, config.rate),
                log_mel_distance: log_mel_distance(samples, &drawn, &mel),
                file: wav::encode(&Sound { rate: config.rate, samples: drawn }),
            })?;
        }
        Ok(())
    }
}
