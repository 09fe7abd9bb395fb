//! The linear autoregressive model AR(k) on the yearly sunspots: fitted, looked into, run ahead. No gradient is needed.
//!
//! `cargo run --release --example 04_autoregression`; the text beside it is `docs/book/05-from-least-squares-to-a-network.md`.

use models::error::Error;
use models::series::ar::Ar;
use models::series::exposure::{errors_by_horizon, exposure};
use models::series::floors::floors;
use models::series::order::{Criterion, best, candidates};
use models::series::sunspots::{FIRST_YEAR, YEARLY};

fn main() -> Result<(), Error> {
    println!("Which k? The criteria of AR(1) … AR(12) over the same {} years:", YEARLY.len() - 12);
    let all = candidates(&YEARLY, 12)?;
    for candidate in &all {
        println!(
            "  AR({:>2})  σ² {:>8.3}   AIC {:>9.3}   BIC {:>9.3}",
            candidate.lags, candidate.variance, candidate.aic, candidate.bic
        );
    }
    let lags = best(&all, Criterion::Bic).map_or(9, |candidate| candidate.lags);

    let two = Ar::least_squares(&YEARLY, 2)?;
    let (c, phi) = (two.model.constant, &two.model.coefficients);
    println!(
        "\nTwo lags already swing: x_t = {c:.4} {:+.4}·x_(t−1) {:+.4}·x_(t−2), σ² = {:.2}",
        phi[0], phi[1], two.model.variance
    );
    for root in two.model.roots() {
        let period = root.period().map_or("none".into(), |period| format!("{period:.2} years"));
        println!("  root {:.4} {:+.4}i   modulus {:.4}   period {period}", root.re, root.im, root.modulus());
    }

    // Fitted on 1700–1978; 1979–2008 were never seen.
    let train = YEARLY.len() - 30;
    let fit = Ar::least_squares(&YEARLY[..train], lags)?;
    println!("\nAR({lags}), the choice of BIC, on {FIRST_YEAR}–{}:", FIRST_YEAR + train - 1);
    for (i, (value, error)) in
        std::iter::once(&fit.model.constant).chain(&fit.model.coefficients).zip(&fit.standard_errors).enumerate()
    {
        let name = if i == 0 { "c".to_string() } else { format!("φ_{i}") };
        println!("  {name:<4} {value:>9.4} ± {error:.4}");
    }

    println!("\nThe first twelve years ahead, with the interval that holds a value in 80 % of cases:");
    for (h, (forecast, truth)) in fit.model.forecast(&YEARLY[..train], 12)?.iter().zip(&YEARLY[train..]).enumerate() {
        let (low, high) = forecast.interval(0.8);
        let inside = if (low..=high).contains(truth) { "inside" } else { "outside" };
        println!(
            "  {}  {:>6.1}  [{low:>6.1}, {high:>6.1}]  came {truth:>6.1}, {inside}",
            FIRST_YEAR + train + h,
            forecast.mean
        );
    }

    println!("\nFloors on the same thirty years, one step ahead:");
    for floor in floors(&YEARLY, train, train..YEARLY.len())? {
        println!("  {:<12} RMSE {:>7.4}", floor.name, floor.rmse);
    }
    let exposure = exposure(&fit.model, &YEARLY, train..YEARLY.len())?;
    println!("\nExposure bias of AR({lags}) in two numbers:");
    println!("  {:.4}  root mean square error given the true past", exposure.one_step_rmse);
    println!("  {:.4}  fed with its own output from {} on", exposure.free_running_rmse, FIRST_YEAR + train);
    println!("\nMeasured against the closed form σ √(Σ ψ²), h years ahead:");
    let variances = fit.model.forecast_variances(6);
    for row in errors_by_horizon(&fit.model, &YEARLY, train..YEARLY.len(), 6, Some(&variances))? {
        println!(
            "  h = {}   measured {:>7.3}   expected {:>7.3}   ({} forecasts)",
            row.horizon,
            row.rmse,
            variances[row.horizon - 1].sqrt(),
            row.origins
        );
    }
    Ok(())
}
