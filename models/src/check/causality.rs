//! Which symbols each distribution depends on, bit for bit: that it is none from its own position on, and where a model has a
//! blind spot.
//!
//! A symbol is changed and the parallel pass runs again: one pass a changed position tells of all distributions at once. So
//! all positions of a sequence of n symbols cost n + 1 passes, and a few of an image's thousands of sub-pixels a few.

use super::{Outcome, bits, within};
use crate::autoregressive::Autoregressive;
use rayon::prelude::*;

/// A sequence and its distributions, to compare with those of the sequence with one symbol changed.
struct Original<'a, M: Autoregressive> {
    model: &'a M,
    sequence: &'a [M::Symbol],
    distributions: Vec<M::Distribution>,
}

impl<'a, M: Autoregressive> Original<'a, M> {
    fn new(model: &'a M, sequence: &'a [M::Symbol]) -> Self {
        Original { model, sequence, distributions: model.distributions(sequence) }
    }

    /// Those of `outputs` whose distribution becomes another when the symbol at `input` does.
    fn reached(&self, input: usize, symbol: M::Symbol, outputs: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut changed = self.sequence.to_vec();
        assert!(changed[input] != symbol, "the other symbol at position {input} is the same");
        changed[input] = symbol;
        let after = self.model.distributions(&changed);
        outputs.filter(|&output| bits(&after[output]) != bits(&self.distributions[output])).collect()
    }
}

/// For each of `outputs`, in their order, those of `inputs` that it sees: the positions whose symbol changes the distribution at the
/// output. `other` gives a symbol that differs from its argument.
///
/// Costs a parallel pass for each input, whatever the outputs. A change can by chance leave all bits as they are (a saturated
/// gate); a position that is missing in one sequence is blind only if it is in others.
///
/// # Panics
/// If a position is outside the sequence, or `other` gives its argument back.
pub fn visibility<M: Autoregressive>(
    model: &M,
    sequence: &[M::Symbol],
    inputs: &[usize],
    outputs: &[usize],
    other: impl Fn(M::Symbol) -> M::Symbol,
) -> Vec<Vec<usize>> {
    let original = Original::new(model, within(model, sequence));
    let reached = |&input: &usize| original.reached(input, other(sequence[input]), outputs.iter().copied());
    by_output(inputs, outputs, inputs.iter().map(reached).collect())
}

/// [`visibility`], the inputs shared out to all cores: for models that threads can share.
///
/// # Panics
/// As [`visibility`].
pub fn visibility_on_all_cores<M>(
    model: &M,
    sequence: &[M::Symbol],
    inputs: &[usize],
    outputs: &[usize],
    other: impl Fn(M::Symbol) -> M::Symbol + Sync,
) -> Vec<Vec<usize>>
where
    M: Autoregressive + Sync,
    M::Symbol: Sync,
    M::Distribution: Sync,
{
    let original = Original::new(model, within(model, sequence));
    let reached = |&input: &usize| original.reached(input, other(sequence[input]), outputs.iter().copied());
    by_output(inputs, outputs, inputs.par_iter().map(reached).collect())
}

/// From the outputs that each input reaches, the inputs that each output sees.
fn by_output(inputs: &[usize], outputs: &[usize], reached: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let reaching = |output| inputs.iter().zip(&reached).filter(move |(_, reached)| reached.contains(output));
    outputs.iter().map(|output| reaching(output).map(|(&input, _)| input).collect()).collect()
}

/// Changing the symbol at t must leave the distributions at 0..=t as they are, bit for bit, and must be able to change a later
/// one. `other` gives a symbol that differs from its argument. Costs a parallel pass a position.
pub fn causality<M: Autoregressive>(
    model: &M,
    sequence: &[M::Symbol],
    other: impl Fn(M::Symbol) -> M::Symbol,
) -> Outcome {
    let sequence = within(model, sequence);
    let inputs: Vec<usize> = (0..sequence.len()).collect();
    causality_at(model, sequence, &inputs, other)
}

/// [`causality`] of changes at some positions only: for sequences as long as an image.
///
/// # Panics
/// If a position is outside the sequence, or `other` gives its argument back.
pub fn causality_at<M: Autoregressive>(
    model: &M,
    sequence: &[M::Symbol],
    inputs: &[usize],
    other: impl Fn(M::Symbol) -> M::Symbol,
) -> Outcome {
    const NAME: &str = "causality";
    let sequence = within(model, sequence);
    let original = Original::new(model, sequence);
    let mut reaching = 0;
    for &t in inputs {
        let reached = original.reached(t, other(sequence[t]), 0..sequence.len());
        if let Some(leak) = reached.first().filter(|&&output| output <= t) {
            let detail = format!("changing the symbol at position {t} changed the distribution at position {leak}");
            return Outcome { name: NAME, detail, passed: false };
        }
        reaching += usize::from(!reached.is_empty());
    }
    // The last symbol has nothing after it to reach.
    let blind = inputs.iter().any(|&t| t + 1 < sequence.len()) && reaching == 0;
    let detail = if blind {
        "no distribution depends on any symbol before it".to_string()
    } else {
        format!("bit for bit at {} positions; {reaching} of the changes reached a later one", inputs.len())
    };
    Outcome { name: NAME, detail, passed: !blind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Categorical;

    const WIDTH: usize = 4;

    /// An image of 3 × 4 sub-pixels: each sees its left neighbour and the three above, as one masked convolution of 3 × 3 does;
    /// two such layers on top of each other, the second with the sub-pixel itself. What they miss above to the right is the
    /// blind spot of the first PixelCNN.
    struct MaskedImage {
        /// Whether the second layer is there.
        deep: bool,
        /// Adds the symbol three places on: wrong.
        leaks: bool,
    }

    impl MaskedImage {
        fn above_and_left(at: usize) -> impl Iterator<Item = usize> {
            let (row, column) = (at / WIDTH, at % WIDTH);
            let above = (column.saturating_sub(1)..(column + 2).min(WIDTH)).filter_map(move |c| {
                let row = row.checked_sub(1)?;
                Some(row * WIDTH + c)
            });
            above.chain((column > 0).then(|| at - 1))
        }

        fn layer(x: &[f64], itself: bool) -> Vec<f64> {
            let weight = |from: usize| 0.1 + 0.01 * from as f64;
            let sum = |at: usize| Self::above_and_left(at).map(|from| weight(from) * x[from]).sum::<f64>();
            (0..x.len()).map(|at| sum(at) + if itself { x[at] } else { 0.0 }).collect()
        }
    }

    impl Autoregressive for MaskedImage {
        type Symbol = u32;
        type Distribution = Categorical<f64>;
        type State = (Vec<u32>, Categorical<f64>);

        fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
            let mut h = Self::layer(&x.iter().map(|&x| f64::from(x) + 1.0).collect::<Vec<_>>(), false);
            if self.deep {
                h = Self::layer(&h, true);
            }
            let leak = |t: usize| if self.leaks { x.get(t + 3).map_or(0.0, |&x| f64::from(x)) } else { 0.0 };
            h.iter().enumerate().map(|(t, h)| Categorical { logits: vec![0.0, h + leak(t)] }).collect()
        }
        fn start(&self) -> Self::State {
            (Vec::new(), Categorical { logits: vec![0.0, 0.0] })
        }
        fn next<'s>(&self, state: &'s Self::State) -> &'s Categorical<f64> {
            &state.1
        }
        fn step(&self, state: &mut Self::State, symbol: u32) {
            state.0.push(symbol);
            state.1 = self.distributions(&[&state.0[..], &[0]].concat()).pop().expect("a distribution each");
        }
        fn length(&self) -> Option<usize> {
            Some(3 * WIDTH)
        }
    }

    const IMAGE: [u32; 12] = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1];
    const ALL: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    #[test]
    fn an_output_sees_exactly_what_its_masks_let_through_and_the_blind_spot_shows() {
        // positions   0  1  2  3      of 9, in the last row: one layer sees 4 5 6 above and 8 to its left,
        //             4  5  6  7      two also what those see; 7 is the blind spot, above to the right and before it
        //             8 (9) .  .
        let seen = |deep, output| visibility(&MaskedImage { deep, leaks: false }, &IMAGE, &ALL, &[output], |x| 1 - x);
        assert_eq!(seen(false, 9), [vec![4, 5, 6, 8]]);
        assert_eq!(seen(true, 9), [vec![0, 1, 2, 3, 4, 5, 6, 8]]);
        assert_eq!(seen(true, 0), [Vec::<usize>::new()]);
    }

    #[test]
    fn a_few_inputs_are_asked_of_all_outputs_in_the_order_given() {
        let model = MaskedImage { deep: false, leaks: false };
        let seen = visibility(&model, &IMAGE, &[6, 0], &ALL, |x| 1 - x);
        let seeing = |input| ALL.into_iter().filter(|&output| seen[output].contains(&input)).collect::<Vec<_>>();
        assert_eq!(seeing(6), [7, 9, 10, 11]);
        assert_eq!(seeing(0), [1, 4, 5]);
        let backwards: Vec<usize> = ALL.into_iter().rev().collect();
        let mut turned = visibility_on_all_cores(&model, &IMAGE, &[6, 0], &backwards, |x| 1 - x);
        turned.reverse();
        assert_eq!(turned, seen);
    }

    #[test]
    fn a_leak_is_named_wherever_it_is_asked_for() {
        let (honest, leaky) = (MaskedImage { deep: true, leaks: false }, MaskedImage { deep: true, leaks: true });
        assert!(causality(&honest, &IMAGE, |x| 1 - x).passed);
        assert!(causality_at(&honest, &IMAGE, &[2, 11], |x| 1 - x).passed);
        let outcome = causality_at(&leaky, &IMAGE, &[2, 7], |x| 1 - x);
        assert!(!outcome.passed && outcome.detail.contains("position 7 changed the distribution at position 4"));
        assert_eq!(visibility(&leaky, &IMAGE, &[7], &ALL, |x| 1 - x)[4], [7]);
    }

    #[test]
    fn steps_of_the_image_equal_its_parallel_pass() {
        assert!(super::super::steps_equal_parallel(&MaskedImage { deep: true, leaks: false }, &IMAGE).passed);
    }
}
