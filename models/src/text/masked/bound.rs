//! Which symbols are hidden, and the bound of the likelihood that a mean over them estimates.
//!
//! Write the symbols of a window of T down in a random order σ, each drawn given those that stand already. By Jensen's inequality
//!
//! `−ln p(x) = −ln E_σ ∏_j p(x_σ(j) | x_σ(<j)) ≤ E_σ Σ_j −ln p(x_σ(j) | x_σ(<j))`.
//!
//! What is known when the j-th is drawn is any set of j − 1 symbols with the same probability, and the j-th any of the others. So with
//! k = T − j + 1 for the number that is hidden then, and M for the set of them,
//!
//! `−ln p(x) ≤ T · E_k E_{M, |M| = k} (1/k) Σ_{i ∈ M} −ln p(x_i | x outside M)`,  k uniform on 1, …, T.
//!
//! A symbol costs no more than the mean of `−ln p` over the hidden symbols of a window, where their number is drawn uniformly, and then their
//! places: that mean is the loss. It is the bound of diffusion with an absorbing state as well. There every symbol is hidden with
//! probability t, t uniform on (0, 1), and the sum over hidden symbols is weighed by 1/t; that leaves each number k = 0, …, T hidden with
//! probability 1/(T + 1), `E[1/t | k] = (T + 1)/k`, and so the same mean. Drawing k itself does that integral exactly.
//!
//! The numbers of a batch lie evenly: `k_b = 1 + ⌊T · frac(u + b/B)⌋` with one uniform u. Each is uniform for itself, and their mean wavers less.
//!
//! Source: Uria, Murray & Larochelle, "A Deep and Tractable Density Estimator", 2014; Hoogeboom et al., "Autoregressive Diffusion Models",
//! 2022, equations 3 to 5; Sahoo et al., "Simple and Effective Masked Diffusion Language Models", 2024 (1/t, and numbers that lie evenly).

use super::MaskedGpt;
use autograd::no_grad;
use autograd::random::Stream;
use rand::RngExt;
use std::ops::Range;

/// The places that are hidden of each of some ranges, in order: of a range of m, k of them, k uniform on 1, …, m.
pub(super) fn hide(random: &mut Stream, ranges: &[Range<usize>]) -> Vec<Vec<usize>> {
    let (u, rows) = (random.random::<f64>(), ranges.len() as f64);
    let one = |(row, range): (usize, &Range<usize>)| {
        let share = (u + row as f64 / rows).fract();
        let mut places: Vec<usize> = range.clone().collect();
        let k = (1 + (share * places.len() as f64) as usize).min(places.len());
        // The beginning of a random permutation (Fisher & Yates).
        for i in 0..k {
            let other = random.random_range(i as u64..places.len() as u64) as usize;
            places.swap(i, other);
        }
        places.truncate(k);
        places.sort_unstable();
        places
    };
    ranges.iter().enumerate().map(one).collect()
}

/// A text in windows of T, each symbol scored in one of them. The last goes back as far as it is long: what was scored before is known in it. A
/// text that is shorter than a window is one, with masks behind it that are never scored.
pub(super) struct Windows {
    /// T.
    pub time: usize,
    /// Where each begins in the text, and which of its places are scored.
    pub all: Vec<(usize, Range<usize>)>,
}

impl Windows {
    /// Of so many symbols.
    pub(super) fn of(symbols: usize, time: usize) -> Self {
        let one = |i: usize| {
            let (from, to) = (i * time, symbols.min((i + 1) * time));
            let begin = from.min(symbols.saturating_sub(time));
            (begin, from - begin..to - begin)
        };
        Windows { time, all: (0..symbols.div_ceil(time)).map(one).collect() }
    }
}

/// Positions of the windows of one pass.
const POSITIONS: usize = 4096;

/// One draw of masks for every window of a text: what each of its symbols adds to the bound, `m/k · −ln p` where it is hidden, k of m, and
/// 0 where it is known. Their sum is an unbiased estimate of the bound. `progress` is told how many symbols are done.
pub(super) fn draw(
    model: &MaskedGpt<f32>,
    symbols: &[u32],
    windows: &Windows,
    random: &mut Stream,
    progress: &mut dyn FnMut(usize),
) -> Vec<f64> {
    let Windows { time, ref all } = *windows;
    let ranges: Vec<Range<usize>> = all.iter().map(|(_, scored)| scored.clone()).collect();
    let hidden = hide(random, &ranges);
    let mut nats = vec![0.0; symbols.len()];
    let side_by_side = (POSITIONS / time).max(1);
    for (windows, hidden) in all.chunks(side_by_side).zip(hidden.chunks(side_by_side)) {
        let mut codes = vec![model.mask(); windows.len() * time];
        let (mut places, mut targets, mut scored) = (Vec::new(), Vec::new(), Vec::new());
        for (row, ((begin, range), hidden)) in windows.iter().zip(hidden).enumerate() {
            codes[row * time..][..range.end].copy_from_slice(&symbols[*begin..begin + range.end]);
            for &at in hidden {
                codes[row * time + at] = model.mask();
                places.push((row * time + at) as u32);
                targets.push(symbols[begin + at]);
                scored.push((begin + at, range.len() as f64 / hidden.len() as f64));
            }
        }
        let each = no_grad(|| model.logits(&codes, windows.len(), &places, None)).negative_log_likelihoods(&targets);
        scored.iter().zip(each).for_each(|(&(at, weight), nll)| nats[at] = weight * f64::from(nll));
        progress(windows.last().map_or(0, |(begin, range)| begin + range.end));
    }
    nats
}

#[cfg(test)]
#[path = "bound_tests.rs"]
mod tests;
