//! The act of the tour on series: AR on the sunspots of 309 years, their cycle, and a forecast beside what came.

use crate::families::tour::Tour;
use crate::terminal::console::say;
use models::error::Result;
use models::series::ar::Ar;
use models::series::exposure::exposure;
use models::series::forecast::Outlook;
use models::series::order::{self, Criterion};
use models::series::picture::Picture;
use models::series::sunspots::{FIRST_YEAR, YEARLY};

/// Years the sunspots are forecast for, and the most lags tried.
const HORIZON: usize = 30;
const MOST_LAGS: usize = 12;

/// Fits an AR model to the sunspots, reads the cycle off its roots, forecasts.
///
/// # Errors
/// If stdout cannot be written.
pub fn act(tour: &mut Tour) -> Result<()> {
    say("series: the sunspots of 309 years, and their cycle");
    let candidates = order::candidates(&YEARLY, MOST_LAGS)?;
    let lags = order::best(&candidates, Criterion::Bic).map_or(2, |best| best.lags);
    let fit = Ar::least_squares(&YEARLY, lags)?;
    let cycle = fit.model.periods().into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let two = Ar::least_squares(&YEARLY, 2)?.model.periods();
    let known = YEARLY.len() - HORIZON;
    let past = Ar::least_squares(&YEARLY[..known], lags)?.model;
    let exposure = exposure(&past, &YEARLY, known..YEARLY.len())?;
    let mut rows = vec![
        ("order by BIC, of at most 12".to_string(), lags.to_string()),
        ("noise σ of a year".to_string(), format!("{:.2} sunspots", fit.model.variance.sqrt())),
    ];
    if let Some((period, modulus)) = cycle {
        rows.push(("cycle of its largest roots".into(), format!("{period:.2} years (modulus {modulus:.3})")));
    }
    if let Some((period, _)) = two.first() {
        rows.push(("cycle of AR(2)".into(), format!("{period:.4} years")));
    }
    rows.push((format!("error of one step ahead, last {HORIZON} years"), format!("{:.4}", exposure.one_step_rmse)));
    rows.push(("error running free over them".into(), format!("{:.4}", exposure.free_running_rmse)));
    let lines: Vec<String> = rows.iter().map(|(what, value)| format!("{what:<42}{value}\n")).collect();
    tour.context.results.text(&format!(
        "sunspots {FIRST_YEAR}–{}, AR({lags})\n{}",
        FIRST_YEAR + YEARLY.len() - 1,
        lines.concat()
    ))?;

    tour.page.section("AR on the sunspots of 309 years");
    tour.page.paragraph(&format!(
        "x_t = c + Σ φ_i x_(t−i) + ε, fitted by least squares. The forecast below was made in {} with what was known then; \
         the observed years follow in the same picture. Running free, a model feeds on its own forecasts: its error is \
         that of one step, accumulated.",
        FIRST_YEAR + known - 1
    ));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, value)| vec![what, value]).collect();
    tour.page.table(&["measure", "value"], &rows);
    let outlooks: Vec<Outlook> = past.forecast(&YEARLY[..known], HORIZON)?.into_iter().map(Outlook::from).collect();
    let picture = Picture {
        title: "Sunspots: the forecast and what came",
        x_label: "year",
        y_label: "sunspots",
        first: FIRST_YEAR,
        series: &YEARLY,
        known,
        outlooks: &outlooks,
    };
    tour.page.picture(&picture.svg()?, "Mean forecast with the bands that hold a year with 80 % and 95 % probability.");
    Ok(())
}
