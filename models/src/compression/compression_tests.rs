//! Compression as proof: what goes in comes out, for as many bits as the model finds it surprising; and a model that sees what it predicts
//! gives a file that is too small, from which nothing comes back.

use super::*;
use crate::autoregressive::Autoregressive;
use crate::check;
use crate::distribution::{Categorical, Distribution};
use autograd::random::Streams;
use coder::Coder;
use rand::RngExt;

/// Coins that fall like the one before with a probability that is their label's, out of three.
struct Coins;

const STICKY: [f64; 3] = [0.5, 0.9, 0.999];

#[derive(Clone)]
struct Given(f64);

impl Source for Coins {
    type Told = f64;
    type Given<'m> = Given;

    fn labels(&self) -> Vec<u32> {
        vec![3, 1]
    }
    fn told(&self, labels: &[u32]) -> f64 {
        assert_eq!(labels[1], 0);
        STICKY[labels[0] as usize]
    }
    fn given<'m>(&'m self, sticky: &'m f64) -> Given {
        Given(*sticky)
    }
}

impl Given {
    fn after(&self, last: u32) -> Categorical<f64> {
        let mut p = [1.0 - self.0; 2];
        p[last as usize] = self.0;
        Categorical { logits: p.map(f64::ln).to_vec() }
    }
}

impl Autoregressive for Given {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Categorical<f64>;

    fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
        (0..x.len()).map(|t| self.after(if t == 0 { 0 } else { x[t - 1] })).collect()
    }
    fn start(&self) -> Categorical<f64> {
        self.after(0)
    }
    fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
        state
    }
    fn step(&self, state: &mut Categorical<f64>, symbol: u32) {
        *state = self.after(symbol);
    }
}

/// Sequences of coins as their labels have them fall.
fn coins(count: usize, length: usize) -> Sequences {
    let mut random = Streams::new(9).stream("coins");
    let labels: Vec<Vec<u32>> = (0..count as u32).map(|i| vec![i % 3, 0]).collect();
    let sequence = |labels: &Vec<u32>| {
        let (mut last, sticky) = (0, STICKY[labels[0] as usize]);
        let mut fall = || {
            last ^= u32::from(random.random::<f64>() > sticky);
            last
        };
        (0..length).map(|_| fall()).collect()
    };
    let codes = labels.iter().map(sequence).collect();
    Sequences { labels, codes }
}

fn compressed(sequences: &Sequences) -> Compressed {
    let mut going_in = sequences.clone();
    let compressed = compress(&Coins, 77, Form::Idx, &mut going_in, &mut |_, _| Ok(())).unwrap();
    assert_eq!(going_in, *sequences);
    compressed
}

fn back(bytes: &[u8], identity: u64) -> Result<Sequences> {
    decompress(&Coins, identity, &format::read(bytes, "coins.arz")?, "coins.arz", &mut |_, _| Ok(()))
}

#[test]
fn sequences_of_every_label_come_back_for_the_bits_of_their_likelihood() {
    // More of a label than go side by side; one; none of any length.
    for (count, length) in [(400, 300), (1, 1), (3, 1), (1, 0), (1, 3000)] {
        let sequences = coins(count, length);
        let Compressed { bytes, symbols, likelihood_bits } = compressed(&sequences);
        assert_eq!((symbols, back(&bytes, 77).unwrap()), (count * length, sequences.clone()));
        // That of the symbols by `nats`, and of three equally likely labels.
        let nats = |(labels, codes): (&Vec<u32>, &Vec<u32>)| -> f64 {
            let model = Given(STICKY[labels[0] as usize]);
            model.nats(&mut model.start(), codes).iter().sum()
        };
        let nats: f64 = sequences.labels.iter().zip(&sequences.codes).map(nats).sum();
        let expected = nats / std::f64::consts::LN_2 + count as f64 * 3f64.log2();
        approx::assert_relative_eq!(likelihood_bits, expected, max_relative = 1e-12);
        let bits = 8.0 * format::read(&bytes, "a").unwrap().payload.len() as f64;
        assert!(bits >= likelihood_bits * 0.999 && bits <= likelihood_bits * 1.001 + 64.0, "{bits} {likelihood_bits}");
        assert!(bytes.len() as f64 * 8.0 < bits + 8.0 * 40.0);
    }
}

#[test]
fn a_changed_byte_is_refused_by_name_even_where_its_checksum_was_made_right() {
    let sequences = coins(5, 100);
    let bytes = compressed(&sequences).bytes;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let error = back(&changed, 77).unwrap_err();
        assert!(error.kind == Kind::BadInput && error.what.contains("coins.arz"), "{at}: {error}");
        let (content, sum) = changed.split_at_mut(bytes.len() - 4);
        sum.copy_from_slice(&crc32fast::hash(content).to_le_bytes());
        match back(&changed, 77) {
            // What no symbol depends on: what it was a file of, and bits behind the last symbol.
            Ok(came) => assert_eq!(came, sequences, "{at}"),
            Err(error) => assert!(error.kind == Kind::BadInput && error.what.contains("coins.arz"), "{at}: {error}"),
        }
    }
}

#[test]
fn another_model_s_file_is_refused_with_both_fingerprints() {
    let error = back(&compressed(&coins(1, 10)).bytes, 78).unwrap_err();
    assert_eq!(error.what, "coins.arz was compressed by another model");
    assert!(error.cause.contains("000000000000004d") && error.cause.contains("000000000000004e"), "{error}");
}

#[test]
fn an_error_of_progress_stops_the_work() {
    let mut told = Vec::new();
    let stopped = compress(&Coins, 77, Form::Idx, &mut coins(1, 100_000), &mut |done, all| {
        assert_eq!(all, 100_000);
        told.push(done);
        if done > 5000 { Err(Error::new(Kind::Interrupted, "stopped")) } else { Ok(()) }
    });
    assert_eq!(stopped.unwrap_err().kind, Kind::Interrupted);
    assert!(told[0] == 0 && told.len() < 10, "{told:?}");
}

/// A model that knows in its parallel pass what it is to predict, as one without a mask does; one step at a time there is nothing to see.
struct Seeing;

impl Autoregressive for Seeing {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Categorical<f64>;

    fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
        x.iter().map(|&symbol| Given(0.999).after(symbol)).collect()
    }
    fn start(&self) -> Categorical<f64> {
        Given(0.5).after(0)
    }
    fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
        state
    }
    fn step(&self, _: &mut Categorical<f64>, _: u32) {}
}

#[test]
fn a_model_that_sees_what_it_predicts_makes_noise_small_and_gives_nothing_back() {
    let mut noise = coins(1, 4000).codes.remove(0);
    assert!(!check::causality(&Seeing, &noise[..40], |x| 1 - x).passed);
    let mut encoder = Encoder::default();
    for (t, distribution) in Seeing.distributions(&noise).iter().enumerate() {
        encoder.code(distribution, &mut noise, t).unwrap();
    }
    let bytes = encoder.finish();
    // Coins of one bit each, in a seven-hundredth of it: below what any compressor can do.
    assert!(8 * bytes.len() < 100, "{} bytes", bytes.len());
    let (mut decoder, mut decoded, state) = (Decoder::new(&bytes), Vec::new(), Seeing.start());
    let came = (0..noise.len()).all(|t| decoder.code(Seeing.next(&state), &mut decoded, t).is_ok());
    let right = decoded.iter().zip(&noise).filter(|(a, b)| a == b).count();
    assert!(!came || (1600..2400).contains(&right), "{right} of 4000 symbols are right");
    // The file itself says so.
    struct Leaky;
    impl Source for Leaky {
        type Told = ();
        type Given<'m> = Seeing;
        fn labels(&self) -> Vec<u32> {
            Vec::new()
        }
        fn told(&self, _: &[u32]) {}
        fn given<'m>(&'m self, (): &'m ()) -> Seeing {
            Seeing
        }
    }
    let sequences = Sequences::of_one(noise);
    let header = Header { form: Form::Idx, identity: 1, sequences: 1, length: 4000, checksum: sequences.checksum() };
    let file = format::write(&header, bytes);
    let error = decompress(&Leaky, 1, &format::read(&file, "a").unwrap(), "a", &mut |_, _| Ok(())).unwrap_err();
    assert!(error.what.starts_with("a does not come back"), "{error}");
}

#[test]
fn a_model_whose_numbers_are_not_finite_is_named() {
    struct Broken;
    impl Source for Broken {
        type Told = ();
        type Given<'m> = Given;
        fn labels(&self) -> Vec<u32> {
            Vec::new()
        }
        fn told(&self, _: &[u32]) {}
        fn given<'m>(&'m self, (): &'m ()) -> Given {
            Given(f64::NAN)
        }
    }
    let error = compress(&Broken, 1, Form::Text, &mut Sequences::of_one(vec![0, 1]), &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.what, crate::distribution::NOT_FINITE);
    assert!(!Given(f64::NAN).after(0).is_sound());
}
