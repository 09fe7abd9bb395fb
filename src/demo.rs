//! `autoreg demo`: the tour. Trains on embedded data, writes one page; needs no argument, no file and no network.

use crate::Context;
use crate::console::say;
use crate::demo_text::TEXT;
use crate::run::{self, Run, Trained};
use crate::run_text;
use clap::Args;
use models::error::Result;
use models::pages::page::Page;
use models::pages::run_page::add_act;
use models::series::ar::Ar;
use models::series::exposure::exposure;
use models::series::forecast::Outlook;
use models::series::order::{self, Criterion};
use models::series::picture::Picture;
use models::series::sunspots::{FIRST_YEAR, YEARLY};
use models::storage::atomic::{SystemDisk, replace};
use models::text::training::{TextConfig, TextTask};
use models::training::trainer::Trainer;
use std::path::PathBuf;
use std::time::Duration;

/// Train small models on embedded data and write a page about it; takes less than a minute.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The run folder; a demo that is there is replaced.
    #[arg(long, value_name = "FOLDER", default_value = "runs/demo")]
    out_dir: PathBuf,
    /// Steps of the text act.
    #[arg(long, value_name = "N", default_value_t = 1200)]
    steps: u64,
}

/// Longest the text act may take: on a slow machine the tour still ends.
const TEXT_TIME: Duration = Duration::from_secs(90);

/// Years the sunspots are forecast for, and the most lags tried.
const HORIZON: usize = 30;
const MOST_LAGS: usize = 12;

/// Runs the subcommand.
///
/// # Errors
/// If the folder cannot be written, or the tour is interrupted.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let text_file = arguments.out_dir.join("text.txt");
    let mut config = TextConfig::default();
    (config.model.embedding, config.model.hidden, config.model.dropout) = (64, 256, 0.1);
    (config.data.batch, config.data.window) = (32, 64);
    config.data.path = text_file.display().to_string();
    (config.training.steps, config.training.eval_every, config.training.save_every) = (arguments.steps, 200, 0);
    config.training.optimizer.learning_rate = 4e-3;

    say("act 1: a GRU learns to write the source code of the engine that trains it");
    let (task, model) = TextTask::new(TEXT.as_bytes(), &config)?;
    let folder = run::create(&arguments.out_dir, true, task.config())?;
    replace(&SystemDisk, &text_file, |out| out.write_all(TEXT.as_bytes()))?;
    let mut trainer = Trainer::new(task, model, config.training)?;
    trainer.progress.settings = run::settings(trainer.task.config(), TEXT.as_bytes());
    let about = run_text::about(&trainer.task, &arguments.out_dir)?;
    let Trained { folder, summary } = Run { trainer, folder, max_time: Some(TEXT_TIME), about }.train(context)?;
    if let Some((_, sample)) = summary.samples.last() {
        context.results.text(&format!("\nits last sample:\n{sample}\n\n"))?;
    }

    say("act 2: the sunspots of 309 years, and their cycle");
    let mut page = Page::new("autoreg: the tour");
    page.paragraph("Two models of one kind: each gives the distribution of the next symbol from the ones before it.");
    add_act(&mut page, &summary)?;
    sunspots(&mut page, context)?;
    folder.write_page(&page.html())?;
    context.results.text(&format!("\nopen {}\n", arguments.out_dir.join("index.html").display()))
}

/// Fits an AR model to the sunspots, reads the cycle off its roots, forecasts.
fn sunspots(page: &mut Page, context: &Context) -> Result<()> {
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
    context.results.text(&format!(
        "sunspots {FIRST_YEAR}–{}, AR({lags})\n{}",
        FIRST_YEAR + YEARLY.len() - 1,
        lines.concat()
    ))?;

    page.section("AR on the sunspots of 309 years");
    page.paragraph(&format!(
        "x_t = c + Σ φ_i x_(t−i) + ε, fitted by least squares. The forecast below was made in {} with what was known then; \
         the observed years follow in the same picture. Running free, a model feeds on its own forecasts: its error is \
         that of one step, accumulated.",
        FIRST_YEAR + known - 1
    ));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, value)| vec![what, value]).collect();
    page.table(&["measure", "value"], &rows);
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
    page.picture(&picture.svg()?, "Mean forecast with the bands that hold a year with 80 % and 95 % probability.");
    Ok(())
}
