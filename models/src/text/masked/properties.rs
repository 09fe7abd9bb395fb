//! What must hold of a model that fills gaps, checked on random windows. Causality does not: every gap is filled from both sides.

use super::MaskedGpt;
use crate::check::{Outcome, SUM_TOLERANCE};
use crate::decoding::mask_predict::FillsGaps;
use crate::distribution::{Categorical, Discrete, Distribution};
use crate::text::saved::TextModel;
use autograd::random::Streams;
use autograd::{Tensor, no_grad};
use rand::RngExt;

impl TextModel<MaskedGpt<f32>> {
    /// Checks the model on windows of so many symbols, at most its context, drawn evenly from the stream `check` of the seed.
    pub fn check_gaps(&self, length: usize, seed: u64) -> Vec<Outcome> {
        let (symbols, length) = (self.vocabulary.size() as u32, length.min(self.model.config().context));
        let mut random = Streams::new(seed).stream("check");
        let window: Vec<Option<u32>> = (0..length).map(|_| Some(random.random_range(0..symbols))).collect();
        // Every second symbol is hidden, that in the middle among them.
        let gaps: Vec<usize> = (0..length).filter(|at| at % 2 == length / 2 % 2).collect();
        let mut outcomes = vec![self.side_by_side(&window, &gaps), self.sums_to_one(&window, &gaps)];
        if symbols > 1 && length > 2 {
            outcomes.insert(0, self.both_sides(&window, symbols));
        }
        outcomes
    }

    fn hidden(window: &[Option<u32>], gaps: &[usize]) -> Vec<Option<u32>> {
        window.iter().enumerate().map(|(at, symbol)| symbol.filter(|_| !gaps.contains(&at))).collect()
    }

    /// In the place of causality: a gap in the middle depends on what stands before it and on what stands after it.
    fn both_sides(&self, window: &[Option<u32>], symbols: u32) -> Outcome {
        let (middle, last) = (window.len() / 2, window.len() - 1);
        let of = |window: &[Option<u32>]| self.model.gaps(&Self::hidden(window, &[middle]), &[middle])[0].parameters();
        let own = of(window);
        let changes = |at: usize| {
            let mut other = window.to_vec();
            other[at] = other[at].map(|symbol| (symbol + 1) % symbols);
            of(&other) != own
        };
        let (before, after) = (changes(0), changes(last));
        let sees = |side: &str, seen: bool| {
            format!("{} {side}", if seen { "sees what stands" } else { "does not see what stands" })
        };
        let detail = format!(
            "no causality: a gap in the middle of {} {} and {}",
            window.len(),
            sees("before it", before),
            sees("after it", after)
        );
        Outcome { name: "both sides", detail, passed: before && after }
    }

    /// A window has the bits that it has beside another.
    fn side_by_side(&self, window: &[Option<u32>], gaps: &[usize]) -> Outcome {
        let hidden = Self::hidden(window, gaps);
        let alone: Vec<Vec<f64>> = self.model.gaps(&hidden, gaps).iter().map(Distribution::parameters).collect();
        let codes: Vec<u32> = hidden.iter().map(|symbol| symbol.unwrap_or(self.model.mask())).collect();
        let both = [vec![self.model.mask(); codes.len()], codes].concat();
        let places: Vec<u32> = gaps.iter().map(|&at| (window.len() + at) as u32).collect();
        let beside: Tensor<f32> = no_grad(|| self.model.logits(&both, 2, &places, None));
        let beside = beside.to_vec();
        let same = alone.iter().flatten().zip(&beside).filter(|(a, b)| a.to_bits() == f64::from(**b).to_bits()).count();
        let detail = format!("{same} of {} logits of {} gaps, bit for bit", beside.len(), gaps.len());
        Outcome { name: "side by side = alone", detail, passed: same == beside.len() }
    }

    /// The probabilities of what a gap may hold; the mask is none of them.
    fn sums_to_one(&self, window: &[Option<u32>], gaps: &[usize]) -> Outcome {
        let symbols = self.vocabulary.size();
        let distributions: Vec<Categorical<f32>> = self.model.gaps(&Self::hidden(window, gaps), gaps);
        let off = |gap: &Categorical<f32>| (gap.probabilities().iter().sum::<f64>() - 1.0).abs();
        // NaN is worse than every number.
        let worst = distributions.iter().map(off).fold(0.0, |worst: f64, off| if off <= worst { worst } else { off });
        let all = distributions.iter().all(|gap| gap.symbols() == symbols);
        let detail = format!("{} gaps over {symbols} symbols sum to 1 within {worst:.1e}", gaps.len());
        Outcome { name: "each sums to one", detail, passed: all && worst <= SUM_TOLERANCE }
    }

    /// The loss of one window of symbols that are all the first, with every second one hidden, recorded.
    pub fn recorded_filling(&self, batch: usize, length: usize) -> Tensor<f32> {
        let hidden = |at: usize| (at % length).is_multiple_of(2);
        let codes: Vec<u32> = (0..batch * length).map(|at| if hidden(at) { self.model.mask() } else { 0 }).collect();
        let places: Vec<u32> = (0..(batch * length) as u32).filter(|&at| hidden(at as usize)).collect();
        self.model.logits(&codes, batch, &places, None).cross_entropy(&vec![0; places.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::gpt::GptConfig;
    use crate::text::vocabulary::{Vocabulary, VocabularyKind};

    fn text() -> TextModel<MaskedGpt<f32>> {
        let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "hello").expect("text");
        let config = GptConfig { symbols: 4, layers: 2, heads: 2, width: 8, context: 9, ..GptConfig::default() };
        let config = GptConfig { key_heads: 2, ..config };
        TextModel { model: MaskedGpt::new(&config, &mut Streams::new(1).stream("init")), vocabulary }
    }

    fn failed(text: &TextModel<MaskedGpt<f32>>) -> Vec<&'static str> {
        let failed = |outcome: Outcome| (!outcome.passed).then_some(outcome.name);
        text.check_gaps(32, 3).into_iter().filter_map(failed).collect()
    }

    #[test]
    fn a_model_that_keeps_the_causal_mask_is_rejected_and_one_that_does_not_passes() {
        let mut text = text();
        assert_eq!(text.check_gaps(32, 3).len(), 3);
        assert!(failed(&text).is_empty());
        text.model.backbone.blocks.iter_mut().for_each(|block| block.attn.causal = true);
        assert_eq!(failed(&text), ["both sides"]);
    }

    #[test]
    fn a_loss_over_known_symbols_is_another_and_so_is_one_that_shows_what_is_hidden() {
        let model = text().model;
        let (mask, truth) = (model.mask(), [0, 1, 2, 3]);
        let nats = |codes: [u32; 4], places: &[u32]| {
            let targets: Vec<u32> = places.iter().map(|&at| truth[at as usize]).collect();
            model.logits(&codes, 1, places, None).cross_entropy(&targets).to_vec()[0]
        };
        let own = nats([0, mask, 2, mask], &[1, 3]);
        assert_ne!(own, nats([0, mask, 2, mask], &[0, 1, 2, 3]), "known symbols counted as well");
        assert_ne!(own, nats(truth, &[1, 3]), "nothing hidden");
    }
}
