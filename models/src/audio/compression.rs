//! Sounds as a model of sounds codes them: one sequence of the codes of its samples. Of 16 bits nothing is lost; by μ-law, what comes back is
//! exactly the sound that the model hears, in 256 codes.
//!
//! Labels, where the model is told them, are coded with the sound. Frames are not: they would have to be in the file, and take more of it
//! than they save.

use super::data::number_of;
use super::given::{Given, Prepared};
use super::model::{AudioModel, Told};
use super::model_config::{Encoding, Local, ModelConfig};
use super::names::Pattern;
use super::wav::{self, Sound};
use crate::autoregressive::Conditional;
use crate::compression::format::{File, Form};
use crate::compression::rivals::{Rival, flac, lzma};
use crate::compression::sequences::{Sequences, Source};
use crate::compression::{self, Kept, Progress, Report};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, grouped};

impl Source for Prepared<f32> {
    type Told = Told;
    type Given<'m> = Given<'m, f32>;

    fn labels(&self) -> Vec<u32> {
        self.model().config.labels.iter().map(|labels| labels.values.len() as u32).collect()
    }

    fn told(&self, labels: &[u32]) -> Told {
        Told { labels: labels.to_vec(), frames: None }
    }

    fn given<'m>(&'m self, told: &'m Told) -> Given<'m, f32> {
        Conditional::given(self, told)
    }
}

/// Compresses a WAV; `path` names it in messages. `chosen` are the labels that are named, one for each kind; those that are not, its name
/// says by `pattern`.
///
/// # Errors
/// [`Kind::BadInput`] if it is no sound of the model's rate, or its name does not say what the model is told; [`Kind::Usage`] if nothing says
/// it, or the model is told frames; those of `progress`.
pub fn compress(
    model: &AudioModel<f32>,
    identity: u64,
    bytes: &[u8],
    path: &str,
    chosen: &[Option<u32>],
    pattern: &str,
    progress: Progress,
) -> Result<Report> {
    let config = &model.config;
    if config.local != Local::None {
        return Err(Error::new(
            Kind::Usage,
            "the model is told frames of the sound, and they would have to be in the file",
        )
        .cause(format!(
            "{} numbers for every {} samples take more than they save",
            config.local.bands(),
            config.local.hop()
        ))
        .help("compress by a model of the same recordings that is told none"));
    }
    let sound = wav::parse(bytes, path)?;
    if sound.rate != config.rate {
        return Err(Error::new(Kind::BadInput, format!("{path} has {} samples per second", sound.rate))
            .cause(format!(
                "the model is one of sounds of {}; at another rate another sound would come back",
                config.rate
            ))
            .help("train a model of sounds of that rate"));
    }
    let labels = labels(config, chosen, pattern, path)?;
    let codes = model.codes(&sound.samples);
    let mut sequences = Sequences { labels: vec![labels], codes: vec![codes] };
    let compressed = compression::compress(&Prepared::new(model), identity, Form::Wav, &mut sequences, progress)?;
    let restored = sound_of(config, &sequences.codes[0]);
    let kept = if wav::encode(&restored) == bytes {
        Kept::Bytes
    } else if restored.samples == sound.samples {
        Kept::Content("every sample, as one channel of 16 bits")
    } else {
        let apart = |(a, b): (&i16, &i16)| (i32::from(*a) - i32::from(*b)).unsigned_abs();
        let pairs = || restored.samples.iter().zip(&sound.samples);
        let changed = pairs().filter(|(a, b)| a != b).count() as u64;
        let (all, most) = (counted(sound.samples.len() as u64, "sample"), pairs().map(apart).max().unwrap_or(0));
        Kept::Changed(format!(
            "the sound in the 256 codes of μ-law that the model hears: {} of {all} changed, by {} of 32,768 at most",
            grouped(changed),
            grouped(most.into())
        ))
    };
    let rivals = rivals(config, &sequences.codes[0], &restored);
    Ok(Report { compressed, given: bytes.len() as u64, kept, rivals })
}

/// Brings a sound back, as a WAV of one channel and 16 bits.
///
/// # Errors
/// [`Kind::BadInput`] if the file is none of this model, or does not come back.
pub fn decompress(
    model: &AudioModel<f32>,
    identity: u64,
    file: &File,
    name: &str,
    progress: Progress,
) -> Result<Vec<u8>> {
    file.is_of(&[Form::Wav], name)?;
    if file.header.length > wav::LONGEST.into() {
        return Err(Error::new(Kind::BadInput, format!("{name} contradicts itself")).cause(format!(
            "it declares {} samples, and a WAV holds {}",
            grouped(file.header.length),
            grouped(wav::LONGEST.into())
        )));
    }
    let sequences = compression::decompress(&Prepared::new(model), identity, file, name, progress)?;
    Ok(wav::encode(&sound_of(&model.config, &sequences.codes.concat())))
}

fn sound_of(config: &ModelConfig, codes: &[u32]) -> Sound {
    Sound { rate: config.rate, samples: codes.iter().map(|&code| config.encoding.sample(code)).collect() }
}

/// The number of every label: that which is named, else that of the file's name.
fn labels(config: &ModelConfig, chosen: &[Option<u32>], pattern: &str, path: &str) -> Result<Vec<u32>> {
    if let Some(all) = chosen.iter().copied().collect::<Option<Vec<u32>>>() {
        return Ok(all);
    }
    let names: Vec<&str> = config.labels.iter().map(|labels| labels.name.as_str()).collect();
    let unsaid = |what: String| {
        Error::new(Kind::Usage, what).cause(format!("the model is told {}", names.join(", "))).help(
            "name them: --speaker, --digit, --label NAME=VALUE; or say where in the file's name they stand: --pattern",
        )
    };
    if pattern.is_empty() {
        return Err(unsaid("nothing says what the model is told of the sound".to_owned()));
    }
    let named = Pattern::parse(pattern)?.read(path)?;
    let of_one = |(labels, chosen): (&super::model_config::Labels, &Option<u32>)| {
        if let Some(number) = chosen {
            return Ok(*number);
        }
        let value = named
            .get(&labels.name)
            .ok_or_else(|| unsaid(format!("the name of {path} does not say the {}", labels.name)))?;
        number_of(labels, value).ok_or_else(|| {
            Error::new(Kind::BadInput, format!("{path}: the model knows no {} {value:?}", labels.name))
                .cause(format!("it knows {}", labels.values.join(", ")))
        })
    };
    config.labels.iter().zip(chosen).map(of_one).collect()
}

/// What others make of the same sound, as it comes back.
fn rivals(config: &ModelConfig, codes: &[u32], sound: &Sound) -> Vec<Rival> {
    let bytes: Vec<u8> = match config.encoding {
        Encoding::MuLaw => codes.iter().map(|&code| code as u8).collect(),
        Encoding::Linear => sound.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    };
    let uncompressed = Rival { name: "uncompressed", bytes: bytes.len() as u64 };
    [uncompressed].into_iter().chain(flac(&sound.samples, sound.rate)).chain(lzma(&bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::mel::MelSettings;
    use super::super::model_config::Labels;
    use super::*;
    use crate::compression::{Compressed, format};
    use crate::levels::head::Head;
    use autograd::random::Streams;

    fn config(encoding: Encoding, distribution: Head) -> ModelConfig {
        let values = |count: usize| (0..count).map(|value| value.to_string()).collect();
        let labels = vec![
            Labels { name: "digit".to_owned(), values: values(3) },
            Labels { name: "speaker".to_owned(), values: values(2) },
        ];
        let conditions = vec!["digit".to_owned(), "speaker".to_owned()];
        let tiny = ModelConfig { residual: 4, skip: 6, layers: 3, stacks: 2, rate: 8000, ..ModelConfig::default() };
        ModelConfig { encoding, distribution, labels, conditions, ..tiny }
    }

    fn model(config: &ModelConfig) -> AudioModel<f32> {
        AudioModel::new(config, &mut Streams::new(5).stream("init"))
    }

    fn sound() -> Sound {
        let sample = |t: i32| ((f64::from(t) * 0.3).sin() * 9000.0) as i16 + (t * t % 101) as i16;
        Sound { rate: 8000, samples: (0..500).map(sample).collect() }
    }

    fn report(model: &AudioModel<f32>, bytes: &[u8], path: &str, chosen: &[Option<u32>]) -> Result<Report> {
        compress(model, 5, bytes, path, chosen, "{digit}_{speaker}.wav", &mut |_, _| Ok(()))
    }

    #[test]
    fn a_sound_of_16_bits_comes_back_whole_and_one_of_mu_law_as_the_model_hears_it() {
        for (encoding, head) in [
            (Encoding::MuLaw, Head::Categorical),
            (Encoding::MuLaw, Head::Logistics { components: 2 }),
            (Encoding::Linear, Head::Logistics { components: 2 }),
        ] {
            let model = model(&config(encoding, head));
            let wav = wav::encode(&sound());
            // Named in part, in part by the name of the file.
            let report = report(&model, &wav, "2_0.wav", &[None, Some(1)]).unwrap();
            let Compressed { bytes, symbols, likelihood_bits } = &report.compressed;
            let told = Told { labels: vec![2, 1], frames: None };
            let nats: f64 = model.nats(&model.codes(&sound().samples), &told).iter().sum();
            let expected = nats / std::f64::consts::LN_2 + 6f64.log2();
            approx::assert_relative_eq!(*likelihood_bits, expected, max_relative = 1e-9);
            let file = format::read(bytes, "a").unwrap();
            let bits = 8.0 * file.payload.len() as f64;
            assert!(
                *symbols == 500 && bits <= expected * 1.001 + 64.0 && bits >= expected * 0.999,
                "{bits} {expected}"
            );
            let back = decompress(&model, 5, &file, "a", &mut |_, _| Ok(())).unwrap();
            let heard: Vec<i16> = sound().samples.iter().map(|&x| encoding.sample(encoding.code(x))).collect();
            assert_eq!(back, wav::encode(&Sound { rate: 8000, samples: heard }));
            match encoding {
                Encoding::Linear => assert_eq!((&report.kept, back), (&Kept::Bytes, wav)),
                Encoding::MuLaw => assert!(matches!(&report.kept, Kept::Changed(how) if how.contains("μ-law"))),
            }
            assert_eq!(report.rivals.len(), 3, "{:?}", report.rivals);
        }
    }

    #[test]
    fn what_nobody_says_or_no_file_can_hold_is_refused_by_name() {
        let config = config(Encoding::MuLaw, Head::Categorical);
        let (own, wav) = (model(&config), wav::encode(&sound()));
        let refused = |model: &AudioModel<f32>, bytes: &[u8], path: &str, chosen: &[Option<u32>]| {
            report(model, bytes, path, chosen).unwrap_err().to_string()
        };
        assert!(refused(&own, &wav, "noise.wav", &[None, None]).contains("noise.wav"));
        assert!(refused(&own, &wav, "7_1.wav", &[None, None]).contains("no digit \"7\""));
        let unnamed = compress(&own, 5, &wav, "7_1.wav", &[None, None], "", &mut |_, _| Ok(())).unwrap_err();
        assert!(unnamed.kind == Kind::Usage && unnamed.help.contains("--speaker"), "{unnamed}");
        let faster = wav::encode(&Sound { rate: 16_000, ..sound() });
        assert!(refused(&own, &faster, "1_1.wav", &[None, None]).contains("16000 samples per second"));
        let mel = Local::Mel(MelSettings { hop: 3, bands: 2, ..MelSettings::default() });
        let told = model(&ModelConfig { local: mel, ..config });
        assert!(refused(&told, &wav, "1_1.wav", &[None, None]).contains("frames"));
        let header = format::Header { form: Form::Wav, identity: 5, sequences: 1, length: 1 << 40, checksum: 0 };
        let error = decompress(&own, 5, &File { header, payload: &[] }, "a", &mut |_, _| Ok(())).unwrap_err();
        assert!(error.cause.contains("a WAV holds"), "{error}");
    }
}
