//! What `train` and `resume` say and write about a model of a series.

use crate::Context;
use crate::console::say;
use crate::run::{self, About};
use models::configuration;
use models::error::Result;
use models::pages::loss_picture::Floor;
use models::pages::page::Page;
use models::pages::run_page::{RunSummary, grouped};
use models::series::config::SeriesConfig;
use models::series::floors::spaced_floors;
use models::series::forecast::Outlook;
use models::series::linear::LinearAr;
use models::series::picture::Picture;
use models::series::training::{SeriesData, SeriesTask};
use models::storage::checkpoint::Progress;
use models::storage::run_folder::RunFolder;
use std::path::Path;

/// Steps forecast on the page of a linear model.
const HORIZON: usize = 30;

/// The floors of the validation part; none where there is nothing to score.
fn floors(data: &SeriesData, stride: usize) -> Vec<Floor> {
    let measured = spaced_floors(&data.values, data.split.train.len(), data.split.validation.clone(), stride);
    let floor = |floor: models::series::floors::Floor| Floor { name: floor.name.to_string(), nats: floor.nats };
    measured.map_or(Vec::new(), |floors| floors.into_iter().map(floor).collect())
}

fn summary(title: String, data: &SeriesData, config: &SeriesConfig, folder: &Path) -> Result<RunSummary> {
    let name = folder.display();
    let commands = [
        ("Forecast", format!("autoreg forecast {name} -n 30 -o forecast.svg -o forecast.csv")),
        ("Score it, beside the floors", format!("autoreg eval {name} --data {} --split test", config.data.path)),
        ("Draw values", format!("autoreg generate {name} -n 100 --seed 1")),
        ("Check that it is a model", format!("autoreg check {name}")),
    ];
    Ok(RunSummary {
        title,
        unit: "value".to_string(),
        floors: floors(data, config.model.stride),
        commands: commands.map(|(what, command)| (what.to_string(), command)).to_vec(),
        config: configuration::rows(config)?,
        ..RunSummary::default()
    })
}

/// The parts of a series in words.
fn parts(data: &SeriesData) -> String {
    let [train, validation, test] =
        [&data.split.train, &data.split.validation, &data.split.test].map(|part| grouped(part.len() as u64));
    format!("{:?}: {train} values to train on, {validation} to validate, {test} to test", data.name)
}

/// What is said about the training of a neural model in this folder.
///
/// # Errors
/// If the configuration has no text form.
pub fn about(task: &SeriesTask, folder: &Path) -> Result<About> {
    let config = task.config();
    let architecture = task.architecture();
    let name = format!("Neural AR({})", architecture.lags);
    let apart = if architecture.stride > 1 { format!(", {} apart", architecture.stride) } else { String::new() };
    let announcement =
        format!("{name}{apart}, {} × {} units; {}", architecture.layers, architecture.hidden, parts(&task.data));
    let title = format!("{name} on {}", task.data.name);
    Ok(About { announcement, summary: summary(title, &task.data, config, folder)?, steps: config.training.steps })
}

/// Writes the run folder of a linear model, which is fitted in no steps: one checkpoint, a picture, a page.
///
/// # Errors
/// If the disk refuses.
pub fn save_linear(
    linear: &LinearAr,
    data: &SeriesData,
    bytes: &[u8],
    config: &SeriesConfig,
    mut folder: RunFolder,
    context: &Context,
) -> Result<()> {
    let path = folder.path().to_owned();
    let name = format!("AR({})", linear.estimate.lags);
    let summary = summary(format!("{name} on {}", data.name), data, config, &path)?;
    say(&format!("{name} by {}; {}", linear.estimate.method, parts(data)));
    run::announce(&summary, &path);
    if let Some(warning) = linear.model.stationarity_warning() {
        say(&format!("warning: {warning}"));
    }
    let mut checkpoint = linear.to_checkpoint()?;
    let settings = run::settings(config, bytes);
    checkpoint.progress = Some(Progress { symbols: data.train().len() as u64, settings, ..Progress::default() });
    folder.save(&checkpoint, true)?;

    let table = crate::inspect_series::table(linear);
    let mut page = Page::new(summary.title.clone());
    page.section("Coefficients");
    let rows: Vec<Vec<String>> = crate::inspect_series::rows(linear);
    page.table(&["", "value", "standard error"], &rows);
    let outlooks = linear.model.forecast(data.train(), HORIZON)?.into_iter().map(Outlook::from).collect::<Vec<_>>();
    let title = format!("{}: forecast after the training part", summary.title);
    let known = data.train().len();
    let picture = Picture {
        title: &title,
        x_label: "position",
        y_label: &data.name,
        first: 1,
        series: &data.values,
        known,
        outlooks: &outlooks,
    };
    if let Ok(svg) = picture.svg() {
        page.section("Forecast").picture(&svg, "Mean forecast with the bands that hold a value with 80 % and 95 %.");
        folder.write_picture(svg.as_str())?;
    }
    page.section("Going on");
    for (does, command) in &summary.commands {
        page.command(does, command);
    }
    folder.write_page(&page.html())?;
    context.results.text(&format!("{table}\n\nrun   {}\npage  {}\n", path.display(), path.join("index.html").display()))
}
