//! Random graphs over all ops against differences: whatever meets whatever, the gradient is right and nothing panics.
//!
//! The cases under the ops check each op alone. Here ops meet: a tensor is used many times and through views, weights are tied through a
//! transposition, gradients of several layouts add up in one slot, leaves lie transposed, with gaps and backwards. A graph depends on its number
//! alone. Some hundreds run with the tests; more, or one that failed, by number:
//!
//! ```sh
//! AUTOREG_RANDOM_GRAPHS=0..30000 cargo test --release -p autoreg-autograd --test random_graphs
//! ```

mod graph;
mod steps;

use autograd::gradcheck::{cases, gradcheck};
use autograd::{Tensor, no_grad};
use graph::Graph;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The graphs that run when nothing else is asked for: five seconds on one core.
const DEFAULT: Range<u64> = 0..1500;

fn numbers() -> Range<u64> {
    let Ok(asked) = std::env::var("AUTOREG_RANDOM_GRAPHS") else { return DEFAULT };
    let parsed = asked.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("AUTOREG_RANDOM_GRAPHS={asked}: a range of numbers, 0..30000 say"))
}

/// A second look at a graph whose check failed, with steps a hundredth as long: beside a kink, or where the function is very steep, the
/// differences are wrong, not the gradient. A wrong gradient is wrong at every step.
fn is_right_closer_up(graph: &Graph) -> bool {
    let leaves: Vec<Tensor<f64>> = graph.leaves.iter().map(|x| Tensor::new(x.clone()).tracked()).collect();
    let gradients = graph.run(&leaves).backward();
    let value = |leaves: &[Tensor<f64>]| no_grad(|| graph.run(leaves)).item();
    leaves.iter().enumerate().all(|(i, leaf)| {
        (0..leaf.value().len()).all(|element| {
            let h = 1e-5;
            let at = |steps: f64| {
                let mut moved = leaves.clone();
                let mut x = leaf.value().to_owned();
                *x.iter_mut().nth(element).expect("an element") += steps * h;
                moved[i] = Tensor::new(x);
                value(&moved)
            };
            let numeric = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
            let analytic = gradients.of(leaf).map_or(0.0, |g| *g.iter().nth(element).expect("an element"));
            (analytic - numeric).abs() <= 1e-5 * analytic.abs().max(numeric.abs()).max(0.1)
        })
    })
}

/// What is wrong with a graph, if anything is, the ops it records, and whether it needed the second look.
fn check(number: u64) -> (Option<String>, BTreeSet<&'static str>, bool) {
    let run = || {
        let graph = Graph::random(number);
        let report = gradcheck(&format!("graph {number}"), |leaves| graph.run(leaves), &graph.leaves);
        let passed = report.passed();
        let wrong = (!passed && !is_right_closer_up(&graph)).then(|| format!("{report}; {graph}"));
        (wrong, graph.recorded_ops(), !passed)
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message =
            message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        (Some(format!("graph {number} panics: {message}")), BTreeSet::new(), false)
    })
}

#[test]
fn random_graphs_over_all_ops_have_the_gradients_that_differences_measure() {
    let numbers = numbers();
    let count = numbers.end - numbers.start;
    let checked: Vec<_> = numbers.into_par_iter().map(check).collect();
    let wrong: Vec<String> = checked.iter().filter_map(|(wrong, ..)| wrong.clone()).collect();
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} graphs are wrong:\n{shown}", wrong.len());
    let looked_twice = checked.iter().filter(|(.., twice)| *twice).count() as u64;
    assert!(looked_twice <= 1 + count / 50, "{looked_twice} of {count} graphs had to be looked at twice");
    if count >= DEFAULT.end {
        let every: BTreeSet<&str> = cases().iter().map(|case| case.op).collect();
        let used: BTreeSet<&str> = checked.iter().flat_map(|(_, ops, _)| ops.iter().copied()).collect();
        let missing: Vec<_> = every.difference(&used).collect();
        assert!(missing.is_empty(), "ops that no graph uses; let steps.rs grow them: {missing:?}");
    }
}

#[test]
fn a_graph_depends_on_its_number_alone() {
    let text = |number| Graph::random(number).to_string();
    assert_eq!(text(3), text(3));
    assert_ne!(text(3), text(4));
}
