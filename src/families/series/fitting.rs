//! `train` of a linear model, which is solved for in no steps: its run folder, and what is said of it.

use super::{commands, tables};
use crate::families::training::{self, Flags};
use crate::terminal::Context;
use crate::terminal::console::say;
use models::configuration;
use models::error::Result;
use models::pages::run_page::RunSummary;
use models::series::config::SeriesConfig;
use models::series::data::SeriesData;
use models::series::linear::{self, LinearAr};
use models::series::linear_page::linear_page;
use models::storage::checkpoint::Progress;
use models::training::begin;

/// What a fit without an error is.
const EXACT: &str =
    "warning: the series follows its lags exactly, up to rounding: σ² is rounding, and no likelihood is told";

/// Solves for a linear model, and writes its run folder: one checkpoint, a picture, a page.
pub(super) fn fit(config: &SeriesConfig, flags: &Flags, context: &Context) -> Result<()> {
    config.check()?;
    let files = config.data.read()?;
    let data = SeriesData::of_files(&files, &config.data)?;
    let linear = LinearAr::fit(data.train(), &config.model)?;
    let path = flags.out_dir("ar");
    let mut folder = training::create(&path, flags.overwrite, config)?;
    let name = format!("AR({})", linear.estimate.lags);
    let summary = RunSummary {
        title: format!("{name} on {}", data.name),
        unit: "value".to_string(),
        floors: data.floors(config.model.stride),
        commands: commands(config, &path),
        config: configuration::rows(config)?,
        ..RunSummary::default()
    };
    data.notes.iter().for_each(|note| say(note));
    if let Some(choice) = linear::choice(data.train(), &config.model)? {
        say(&choice);
    }
    say(&format!("{name} by {}; {}", linear.estimate.method, data.described()));
    if linear.is_exact() {
        say(EXACT);
    }
    training::announce(&summary, &path);
    if let Some(warning) = linear.model.stationarity_warning() {
        say(&format!("warning: {warning}"));
    }
    let mut checkpoint = linear.to_checkpoint()?;
    let settings = begin::settings(config, &files);
    checkpoint.progress = Some(Progress { symbols: data.train().len() as u64, settings, ..Progress::default() });
    folder.save(&checkpoint, true)?;
    let (page, picture) = linear_page(&linear, &data, &summary.title, &summary.commands)?;
    if let Some(svg) = picture {
        folder.write_picture(svg.as_str())?;
    }
    folder.write_page(&page.html())?;
    let (run, page) = (path.display(), path.join("index.html"));
    context.results.text(&format!("{}\n\nrun   {run}\npage  {}\n", tables::numbers(&linear), page.display()))
}
