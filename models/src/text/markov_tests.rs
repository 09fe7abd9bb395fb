//! Tests of Markov chains: against counting by hand, sums to one, what happens when the table is full.

use super::*;
use approx::assert_relative_eq;
use proptest::prelude::*;

/// The formula, read off the text by counting again for each question.
fn by_formula(text: &[u32], size: usize, context: &[u32], symbol: u32) -> f64 {
    let shorter = if context.is_empty() { 1.0 / size as f64 } else { by_formula(text, size, &context[1..], symbol) };
    let followers: Vec<u32> =
        text.windows(context.len() + 1).filter(|w| w.starts_with(context)).map(|w| w[context.len()]).collect();
    let distinct = (0..size as u32).filter(|c| followers.contains(c)).count() as f64;
    let count = followers.iter().filter(|&&c| c == symbol).count() as f64;
    if followers.is_empty() { shorter } else { (count + distinct * shorter) / (followers.len() as f64 + distinct) }
}

fn context_of(chain: &MarkovChain, symbols: &[u32]) -> Context {
    let mut context = chain.start();
    symbols.iter().for_each(|&symbol| chain.advance(&mut context, symbol));
    context
}

proptest! {
    #[test]
    fn every_probability_is_the_formula_and_every_distribution_sums_to_one(
        text in prop::collection::vec(0u32..4, 0..60),
        context in prop::collection::vec(0u32..4, 0..6),
        max_nodes in prop_oneof![Just(MAX_NODES), 1usize..40],
    ) {
        let chain = MarkovChain::fit_within(&text, 4, 3, max_nodes);
        let at = context_of(&chain, &context);
        let (mut by_order, mut all) = ([0.0; 4], [0.0; 4]);
        for order in 0..=3 {
            chain.probabilities(&at, order, &mut all);
            assert_relative_eq!(all.iter().sum::<f64>(), 1.0, epsilon = 1e-12);
            prop_assert!(all.iter().all(|&p| p > 0.0));
            for symbol in 0..4 {
                chain.probability_by_order(&at, symbol, &mut by_order);
                assert_relative_eq!(by_order[order], all[symbol as usize], epsilon = 1e-12);
                if max_nodes == MAX_NODES {
                    let known = &context[context.len().saturating_sub(order)..];
                    assert_relative_eq!(by_order[order], by_formula(&text, 4, known, symbol), epsilon = 1e-12);
                }
            }
        }
    }
}

#[test]
fn the_likelihoods_of_all_texts_of_a_length_sum_to_one() {
    let chain = MarkovChain::fit(&[0, 1, 2, 1, 0, 0, 2], 3, 2);
    let total: f64 = (0..81u32)
        .map(|i| {
            let text = [i % 3, i / 3 % 3, i / 9 % 3, i / 27];
            (-4.0 * chain.nats_per_symbol(&text)[2]).exp()
        })
        .sum();
    assert_relative_eq!(total, 1.0, epsilon = 1e-12);
}

#[test]
fn a_vocabulary_that_no_table_could_hold_is_counted() {
    let text: Vec<u32> = (0..2000u32).map(|i| i.wrapping_mul(2_654_435_761).rotate_left(i % 7) % 100_000).collect();
    let chain = MarkovChain::fit(&text, 100_000, 6);
    assert!(chain.nats_per_symbol(&text)[6] < chain.nats_per_symbol(&text)[0]);
}

#[test]
fn an_empty_text_leaves_the_uniform_distribution() {
    let chain = MarkovChain::fit(&[], 5, 2);
    let mut p = [0.0; 5];
    chain.probabilities(&context_of(&chain, &[1, 2]), 2, &mut p);
    assert_eq!(p, [0.2; 5]);
}

#[test]
#[should_panic(expected = "symbol 3 is outside a vocabulary of 3")]
fn a_symbol_outside_the_vocabulary_is_refused() {
    MarkovChain::fit(&[3], 3, 1);
}
