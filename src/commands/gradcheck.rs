//! `autoreg gradcheck`: the derivative rule of every operation against differences, in f64, as a table.

use crate::terminal::Context;
use autograd::gradcheck::{Case, Report, TOLERANCE, cases};
use clap::Args;
use models::error::{Error, Kind, Result};
use models::storage::expected::nearest;
use std::collections::BTreeSet;

/// Check the gradient of every operation, or of those named.
///
/// The whole Jacobian that the backward pass computes against the one that five-point differences measure, in f64, over
/// row-major, transposed, sliced and broadcast inputs. The worst element is named: ∂ output[…] / ∂ input k[…].
/// Ends with exit code 3 if a rule is wrong.
#[derive(Args)]
pub struct Arguments {
    /// Operations to check; all where none is named
    #[arg(value_name = "OP")]
    ops: Vec<String>,

    /// List the operations and what is checked of each, and check nothing
    #[arg(long)]
    list: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for an unknown operation; a failed check after the table is written.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let cases = chosen(cases(), &arguments.ops)?;
    let width = cases.iter().map(|case| title(case).chars().count()).max().unwrap_or(0);
    if arguments.list {
        return cases.iter().try_for_each(|case| context.results.line(title(case)));
    }
    context.results.line(format!("{:<width$}  {:>8}  {:>8}  verdict", "operation", "elements", "error"))?;
    let (mut wrong, mut elements) = (Vec::new(), 0);
    for case in &cases {
        let report = case.check();
        let verdict = if report.passed() { "ok" } else { "WRONG" };
        let error = report.worst.as_ref().map_or(0.0, |worst| worst.relative_error());
        let line =
            format!("{:<width$}  {:>8}  {error:>8.1e}  {verdict:<7}  {}", title(case), report.elements, worst(&report));
        // Line by line: the whole takes seconds.
        context.results.line(line.trim_end())?;
        context.results.flush()?;
        elements += report.elements;
        if !report.passed() {
            wrong.push(title(case));
        }
    }
    if wrong.is_empty() {
        let summary = format!("{} checks, {elements} elements, each within {TOLERANCE:e}", cases.len());
        return context.results.line(format!("\n{summary}"));
    }
    let what = format!("{} of {} gradient checks failed", wrong.len(), cases.len());
    Err(Error::new(Kind::CheckFailed, what).cause(format!("the rule is wrong of {}", wrong.join(", "))))
}

/// The operation and what is special about the case.
fn title(case: &Case) -> String {
    if case.variant.is_empty() { case.op.to_owned() } else { format!("{} ({})", case.op, case.variant) }
}

/// The worst element: where, and both values.
fn worst(report: &Report) -> String {
    let Some(worst) = &report.worst else { return "nothing to compare".to_owned() };
    format!(
        "∂out{:?}/∂input {}{:?} {}: {:+.9e} by the rule, {:+.9e} by differences",
        worst.output, worst.input, worst.index, worst.layout, worst.analytic, worst.numeric
    )
}

/// The cases of these operations, all where none is named.
fn chosen(cases: Vec<Case>, ops: &[String]) -> Result<Vec<Case>> {
    let known: BTreeSet<&str> = cases.iter().map(|case| case.op).collect();
    if let Some(unknown) = ops.iter().find(|op| !known.contains(op.as_str())) {
        let error = Error::new(Kind::Usage, format!("there is no operation `{unknown}`"));
        return Err(match nearest(unknown, known.iter().copied()) {
            Some(like) => error.help(format!("did you mean `{like}`?")),
            None => error.help("`autoreg gradcheck --list` lists them"),
        });
    }
    Ok(cases.into_iter().filter(|case| ops.is_empty() || ops.iter().any(|op| op == case.op)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Tensor;
    use autograd::gradcheck::gradcheck;

    #[test]
    fn the_worst_element_is_shown_with_its_place_and_both_values() {
        let x = ndarray::arr1(&[2.0]).into_dyn();
        let halved = |x: &[Tensor<f64>]| {
            let value = x[0].value().mapv(|x| 2.0 * x);
            Tensor::from_op("double", value, [&x[0]], |g, [dx]| dx.add(|| g))
        };
        let report = gradcheck("double", halved, &[x]);
        let shown = worst(&report);
        assert!(shown.starts_with("∂out[0]/∂input 0[0] row-major: +1.0"), "{shown}");
        assert!(shown.contains("by the rule, +2.0000000") || shown.contains("by the rule, +1.9999999"), "{shown}");
    }
}
