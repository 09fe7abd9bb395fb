//! A meter of exposure bias, for any model: how it does after h symbols of its own beside how it does after h true ones.
//!
//! A network is trained with the truth before it and runs with its own output before it. The meter begins at true prefixes x of data that were held
//! out, and follows each in two ways over the horizons h = 1 … H:
//!
//! | | the distribution | before it | |
//! | --- | --- | --- | --- |
//! | teacher forced | `p(· │ x, y_1 … y_{h−1})` | the true symbols | once |
//! | free running | `p(· │ x, s_1 … s_{h−1})` | symbols that the model drew | D times |
//!
//! At each it is asked for `−ln p` of the true symbol `y_h` and for the error of its prediction; they are equal at h = 1. A judge, where there is
//! one, says how likely it finds the symbols themselves, `y_h` and `s_h`.
//!
//! What the two columns differ by is not all bias. A symbol h steps ahead is less certain than the next one, also to a model that
//! is the source of the data: for an AR(k) the closed form says by how much. Of the judge it holds that a model which
//! writes as the data were written is as likely as they are, at every horizon: there a rise is drift.
//!
//! Places of prefixes are chosen in `drift/places.rs`; what is a family's own (its data, what it predicts, its judge, closed forms) stands in
//! its folder.
//!
//! Source: Ranzato, Chopra, Auli & Zaremba, "Sequence Level Training with Recurrent Neural Networks", 2016, who named it exposure bias; Bengio,
//! Vinyals, Jaitly & Shazeer, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks", 2015.

mod estimate;
mod places;
mod report;

pub use estimate::Estimate;
pub use places::places;
pub use report::{ClosedForm, Drift, Errors, Judged, Row};

use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, not_finite};
use crate::error::Result;
use autograd::random::{Stream, Streams};
use estimate::Moments;

/// States that are stepped side by side.
const TOGETHER: usize = 64;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// H, at least 1.
    pub horizon: usize,
    /// N; where nobody says, 200, or as many as the data hold.
    pub prefixes: Option<usize>,
    /// Symbols of a prefix; where nobody says, what suits the family.
    pub prefix_length: Option<usize>,
    /// D, at least 1.
    pub draws: usize,
    /// Of the streams `drift of sequence N, draw D`.
    pub seed: u64,
}

/// Is told how many prefixes have been followed, of how many.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize) -> Result<()>;

/// `−ln p` of each symbol of a continuation, given the symbols before it: `judge(prefix, continuation)`.
pub type Judge<'j, S> = &'j dyn Fn(&[S], &[S]) -> Vec<f64>;

/// A true prefix, and what truly came after it.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'s, S> {
    /// Its number among all that are followed: what is drawn after it depends on the seed and on this.
    pub number: usize,
    /// What the model is given.
    pub prefix: &'s [S],
    /// H symbols.
    pub truth: &'s [S],
}

/// A kind of symbol, by how wrong predictions of it are.
pub trait Predicted: Copy {
    /// What the mean error is called.
    const ERROR: &'static str;

    /// Whether the error that is shown is the root of the mean.
    const ROOT: bool;

    /// The error of the predictions of one symbol, one of each run.
    fn error(predictions: &[Self], truth: Self) -> f64;
}

/// Of a code: the share of predictions, each the most likely symbol, that are not the truth.
impl Predicted for u32 {
    const ERROR: &'static str = "disagreement";
    const ROOT: bool = false;

    fn error(predictions: &[u32], truth: u32) -> f64 {
        let wrong = predictions.iter().filter(|&&code| code != truth).count();
        wrong as f64 / predictions.len() as f64
    }
}

/// Of a number: the square of what the mean of all predictions, each the mean of a distribution, misses the truth by.
impl Predicted for f64 {
    const ERROR: &'static str = "root mean square error";
    const ROOT: bool = true;

    fn error(predictions: &[f64], truth: f64) -> f64 {
        (mean(predictions) - truth).powi(2)
    }
}

/// What is summed up at one horizon, a number for each prefix: the mean over its draws.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    forced: Moments,
    free: Moments,
    difference: Moments,
    forced_error: Moments,
    free_error: Moments,
    judged_truth: Moments,
    judged_own: Moments,
    judged_difference: Moments,
}

/// Follows sequences, of one model or of several: of a model under each of its conditions.
pub struct Meter<'j, S> {
    draws: usize,
    streams: Streams,
    judge: Option<Judge<'j, S>>,
    sums: Vec<Sums>,
}

impl<'j, S: Predicted> Meter<'j, S> {
    /// A meter that has seen no sequence.
    pub fn new(asked: &Asked, judge: Option<Judge<'j, S>>) -> Self {
        let sums = vec![Sums::default(); asked.horizon];
        Meter { draws: asked.draws, streams: Streams::new(asked.seed), judge, sums }
    }

    /// Follows sequences. `predicted` is what a distribution predicts, if anything. `followed` is told how many are done.
    ///
    /// # Errors
    /// [`crate::error::Kind::BadInput`] where the model gives no distribution; those of `followed`.
    ///
    /// # Panics
    /// If a continuation has not H symbols, or a sequence is longer than the model's.
    pub fn measure<M: Autoregressive<Symbol = S>>(
        &mut self,
        model: &M,
        sequences: &[Sequence<S>],
        predicted: impl Fn(&M::Distribution) -> Option<S>,
        followed: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        for together in sequences.chunks((TOGETHER / (1 + self.draws)).max(1)) {
            self.measure_together(model, together, &predicted)?;
            done += together.len();
            followed(done)?;
        }
        Ok(())
    }

    /// Of each sequence a state that is fed with the truth, then one for each draw; all step together.
    fn measure_together<M: Autoregressive<Symbol = S>>(
        &mut self,
        model: &M,
        sequences: &[Sequence<S>],
        predicted: &impl Fn(&M::Distribution) -> Option<S>,
    ) -> Result<()> {
        let runs = 1 + self.draws;
        let (mut states, mut chance): (Vec<M::State>, Vec<Stream>) = Default::default();
        for &Sequence { number, prefix, truth } in sequences {
            assert_eq!(truth.len(), self.sums.len(), "drift: one true symbol for each horizon");
            let mut state = model.start();
            model.nats(&mut state, prefix);
            states.resize(states.len() + runs, state);
            let stream = |draw| self.streams.stream(&format!("drift of sequence {number}, draw {draw}"));
            chance.extend((0..self.draws).map(stream));
        }
        // What each state was fed, run by run.
        let mut fed: Vec<Vec<S>> = vec![Vec::with_capacity(self.sums.len()); states.len()];
        for h in 0..self.sums.len() {
            for (i, sequence) in sequences.iter().enumerate() {
                let of_runs = i * runs..(i + 1) * runs;
                let distributions: Vec<&M::Distribution> =
                    states[of_runs.clone()].iter().map(|state| model.next(state)).collect();
                if distributions.iter().any(|distribution| !distribution.is_sound()) {
                    return Err(not_finite(sequence.prefix.len() + h + 1));
                }
                self.score(h, &distributions, predicted, sequence.truth[h]);
                let own =
                    distributions[1..].iter().zip(&mut chance[i * self.draws..]).map(|(d, random)| d.sample(random));
                let symbols = std::iter::once(sequence.truth[h]).chain(own);
                fed[of_runs].iter_mut().zip(symbols).for_each(|(fed, symbol)| fed.push(symbol));
            }
            if h + 1 < self.sums.len() {
                let symbols: Vec<S> = fed.iter().map(|fed| fed[h]).collect();
                model.step_many(&mut states, &symbols);
            }
        }
        if let Some(judge) = self.judge {
            for (sequence, fed) in sequences.iter().zip(fed.chunks_exact(runs)) {
                let nats: Vec<Vec<f64>> = fed.iter().map(|fed| judge(sequence.prefix, fed)).collect();
                self.take_verdict(&nats);
            }
        }
        Ok(())
    }

    /// Takes in what the distributions at one horizon of one sequence say of the truth: that which was fed with it, then the others.
    fn score<D: Distribution<Symbol = S>>(
        &mut self,
        h: usize,
        distributions: &[&D],
        predicted: &impl Fn(&D) -> Option<S>,
        truth: S,
    ) {
        let nats: Vec<f64> = distributions.iter().map(|d| -d.log_probability(truth)).collect();
        let predictions: Option<Vec<S>> = distributions.iter().map(|d| predicted(d)).collect();
        let sums = &mut self.sums[h];
        let (forced, free) = (nats[0], mean(&nats[1..]));
        sums.forced.add(forced);
        sums.free.add(free);
        sums.difference.add(free - forced);
        if let Some(predictions) = predictions {
            sums.forced_error.add(S::error(&predictions[..1], truth));
            sums.free_error.add(S::error(&predictions[1..], truth));
        }
    }

    /// Takes in what the judge says of one sequence: of the truth, then of each draw.
    fn take_verdict(&mut self, nats: &[Vec<f64>]) {
        for (h, sums) in self.sums.iter_mut().enumerate() {
            let own = mean(&nats[1..].iter().map(|nats| nats[h]).collect::<Vec<_>>());
            sums.judged_truth.add(nats[0][h]);
            sums.judged_own.add(own);
            sums.judged_difference.add(own - nats[0][h]);
        }
    }

    /// What was measured after prefixes of so many symbols; `judge` is its name.
    pub fn drift(&self, prefix_length: usize, judge: Option<String>) -> Drift {
        let error = |moments: Moments| if S::ROOT { moments.root() } else { moments.estimate() };
        let row = |(h, sums): (usize, &Sums)| Row {
            horizon: h + 1,
            teacher_forced: sums.forced.estimate(),
            free_running: sums.free.estimate(),
            difference: sums.difference.estimate(),
            error: (sums.forced_error.count() > 0)
                .then(|| Errors { teacher_forced: error(sums.forced_error), free_running: error(sums.free_error) }),
            judged: self.judge.map(|_| Judged {
                truth: sums.judged_truth.estimate(),
                own: sums.judged_own.estimate(),
                difference: sums.judged_difference.estimate(),
            }),
            closed_form: None,
        };
        Drift {
            prefixes: self.sums.first().map_or(0, |sums| sums.forced.count()),
            prefix_length,
            draws: self.draws,
            error: S::ERROR,
            judge,
            horizons: self.sums.iter().enumerate().map(row).collect(),
        }
    }
}

/// The mean, exactly x where all are x: draws that agree with the truth differ from it by nothing.
fn mean(xs: &[f64]) -> f64 {
    xs[0] + xs.iter().map(|x| x - xs[0]).sum::<f64>() / xs.len() as f64
}

#[cfg(test)]
mod tests;
