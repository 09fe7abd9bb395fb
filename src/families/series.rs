//! Series, as the commands see them: the flags of their training, their results as tables, their act of the tour. A linear model is
//! solved for, in no steps: it has a run folder all the same, and nothing to resume.

mod fitting;
mod flags;
mod sunspots;
mod tables;

pub use self::flags::header_of;
use self::flags::{DriftFlags, EvalFlags, TrainFlags};
use super::coding;
use super::opened::Source;
use super::text::SYMBOLS;
use super::tour::Tour;
use super::training::{self, Flags, Resume};
use super::{
    Description, Drift, Drifted, Evaluate, Family, Forecast, Forecasted, Generate, Model, Recorded, Report, Way,
};
use crate::terminal::console::say;
use crate::terminal::output::{self, quoted};
use crate::terminal::{Context, output::write};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::check::Outcome;
use models::data::Part;
use models::distribution::not_finite;
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::pages::numbers::given;
use models::sampling::Options;
use models::series::column::Header;
use models::series::config::{DataConfig, ModelKind, SeriesConfig};
use models::series::data::SeriesData;
use models::series::description;
use models::series::generation;
use models::series::saved::SavedSeries;
use models::series::training::SeriesTask;
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use std::path::Path;

/// The family.
pub struct Series;

impl Family for Series {
    fn name(&self) -> &'static str {
        "series"
    }

    fn heading(&self) -> &'static str {
        "Series"
    }

    fn about(&self) -> &'static str {
        "A linear or a neural autoregressive model of a column of numbers in a CSV file"
    }

    fn a_model(&self) -> &'static str {
        "a model of a series"
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["ar", "neural-ar"]
    }

    fn train_flags(&self, command: Command) -> Command {
        TrainFlags::augment_args(command)
    }

    fn eval_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn drift_flags(&self, command: Command) -> Command {
        DriftFlags::augment_args(command)
    }

    fn train(&self, flags: &Flags, own: &ArgMatches, context: &Context) -> Result<()> {
        let own = TrainFlags::from_arg_matches(own).expect("the family added these flags itself");
        let number = |x: Option<f64>| x.map(given);
        let more = [
            ("--model", "model.model", own.model),
            ("--column", "data.column", own.column),
            ("--header", "data.header", own.header),
            ("--lags", "model.lags", own.lags),
            ("--stride", "model.stride", own.stride.map(|x| x.to_string())),
            ("--method", "model.method", own.method),
            ("--validation", "data.validation", number(own.validation)),
            ("--test", "data.test", number(own.test)),
        ];
        let config = flags.configure(&SeriesConfig::default(), &more)?;
        match config.model.model {
            ModelKind::Ar => {
                // What is solved for needs no values to be watched on, and a forecast goes on from the newest.
                let mut defaults = SeriesConfig::default();
                (defaults.data.validation, defaults.data.test) = (0.0, 0.0);
                fitting::fit(&flags.configure(&defaults, &more)?, flags, context)
            }
            ModelKind::NeuralAr => training::train::<SeriesTask>(flags, &more, commands, context),
        }
    }

    fn resume(&self, request: &Resume, folder: RunFolder, checkpoint: &Checkpoint, context: &Context) -> Result<()> {
        if checkpoint.model()? == "ar" {
            return Err(Error::new(Kind::Usage, format!("{} holds a linear model", request.run.display()))
                .cause("it was solved for, in no steps, so there is nothing to go on with")
                .help("`autoreg train series` fits another"));
        }
        training::resume::<SeriesTask>(request, folder, checkpoint, commands, context)
    }

    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>> {
        Ok(Box::new(Opened { model: SavedSeries::from_checkpoint(checkpoint)?, source }))
    }

    fn describe(&self, checkpoint: &Checkpoint) -> Result<Option<Description>> {
        let SavedSeries::Linear(linear) = SavedSeries::from_checkpoint(checkpoint)? else { return Ok(None) };
        let warning = linear.model.stationarity_warning().map(|warning| format!("\n\nwarning: {warning}"));
        let json = serde_json::to_value(description::Description::of(&linear))
            .map_err(|e| Error::new(Kind::Failed, "the model has no JSON form").cause(e))?;
        let text = format!("{}{}", tables::numbers(&linear), warning.unwrap_or_default());
        Ok(Some(Description { key: "linear", json, text }))
    }

    fn act(&self, tour: &mut Tour) -> Result<()> {
        sunspots::act(tour)
    }
}

/// How to go on with a run.
fn commands(config: &SeriesConfig, folder: &Path) -> Vec<(String, String)> {
    let (run, data) = (quoted(folder), quoted(&config.data.path));
    let split = if config.data.test > 0.0 { " --split test" } else { "" };
    let commands = [
        ("Forecast", format!("autoreg forecast {run} -n 30 -o forecast.svg -o forecast.csv")),
        ("Score it, beside the floors", format!("autoreg eval {run} --data {data}{split}")),
        ("Draw values", format!("autoreg generate {run} -n 100 --seed 1")),
        ("Check that it is a model", format!("autoreg check {run}")),
    ];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// The beginning of a cell, for an error.
fn first_of(cell: &str) -> String {
    cell.chars().take(40).collect()
}

/// A model out of a file.
struct Opened {
    model: SavedSeries,
    source: Source,
}

impl Opened {
    /// The series that the model goes on from: the run's own, or this file, this column.
    fn series(
        &self,
        data: Option<&Path>,
        column: Option<&str>,
        header: Option<Header>,
        part: Part,
    ) -> Result<SeriesData> {
        let mut config: DataConfig = self.source.setting("data");
        if let Some(data) = data {
            config.path = training::data_path(data)?;
        }
        config.header = header.unwrap_or(config.header);
        if config.path.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                format!("{} does not say of which series", self.source.path.display()),
            )
            .help("name the CSV file with --data"));
        }
        if let Some(column) = column {
            config.column = column.to_owned();
        }
        let series = SeriesData::of_files(&self.source.parts_of(config.read()?, part)?, &config)?;
        series.notes.iter().for_each(|note| say(note));
        Ok(series)
    }
}

impl Model for Opened {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Numbers
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        request.decode.check("a model of a series", &[Way::Sequential], false)?;
        let text = String::from_utf8_lossy(request.prompt);
        let cells = text.split([',', '\n', '\r']).map(str::trim).filter(|cell| !cell.is_empty());
        let value = |cell: &str| {
            cell.parse().map_err(|error| {
                Error::new(Kind::Usage, format!("the prompt is no list of numbers: {:?} is none", first_of(cell)))
                    .cause(error)
                    .help("the model is one of a series: --prompt 1.5,2,2.5")
            })
        };
        let prompt = cells.map(value).collect::<Result<Vec<f64>>>()?;
        if let Some(value) = prompt.iter().find(|value| !value.is_finite()) {
            return Err(Error::new(Kind::Usage, format!("the prompt holds {value}")).help("every value must be finite"));
        }
        let about_alphabets = Options { temperature: 1.0, ..request.options.clone() };
        if about_alphabets != Options::default() {
            return Err(Error::new(Kind::Usage, "a value of a series is no symbol of an alphabet")
                .cause("--top-k, --top-p, --min-p and --repetition-penalty choose among symbols")
                .help("--temperature scales the deviation of a value; --greedy takes the mean"));
        }
        let config: DataConfig = self.source.setting("data");
        let request = generation::Request {
            column: &config.column,
            prompt: &prompt,
            echo: request.echo,
            values: request.symbols.unwrap_or(SYMBOLS),
            options: request.options.clone(),
            seed: request.seed,
        };
        self.model.generate(&request, sink).map_err(|error| self.source.named(error))
    }

    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let EvalFlags { column, header, horizons, output } = request.own.parsed();
        output.as_deref().map_or(Ok(()), |path| output::check_form(path, "svg"))?;
        output::check(output.as_deref().into_iter().chain(request.each), &[request.data, &self.source.path])?;
        self.source.spares_data(output.as_deref())?;
        let data = self.series(Some(request.data), column.as_deref(), header, request.part)?;
        let evaluation =
            self.model.evaluate(&data, request.part, horizons as usize).map_err(|error| self.source.named(error))?;
        if let Some(path) = &output {
            write(path, evaluation.picture(&data.name)?.as_str().as_bytes())?;
        }
        tables::report(self.source.head(), request.part, evaluation, &data.values)
    }

    fn drift(&self, Drift { scored, asked }: &Drift) -> Result<Drifted> {
        let DriftFlags { column, header } = scored.own.parsed();
        let data = self.series(Some(scored.data), column.as_deref(), header, scored.part)?;
        let drift =
            coding::watched("prefixes followed", |progress| self.model.drift(&data, scored.part, asked, progress))
                .map_err(|error| self.source.named(error))?;
        Ok(Drifted { head: self.source.head(), drift })
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.model.check(length, seed)
    }

    fn graph(&self, batch: usize, length: usize) -> Result<Recorded> {
        match (&self.model, self.model.recorded_loss(batch * length)) {
            (SavedSeries::Neural(neural), Some(loss)) => Ok(Recorded::new(loss, &**neural)),
            _ => Err(Error::new(Kind::Usage, format!("{} holds a linear model", self.source.path.display()))
                .cause("it is solved for by a decomposition, and records no graph")),
        }
    }

    fn forecast(&self, request: &Forecast) -> Result<Forecasted> {
        let data = self.series(request.data.as_deref(), request.column.as_deref(), request.header, request.after)?;
        let known = data.range(request.after).end;
        let outlooks = self.model.forecast(&data.values[..known], request.steps, request.futures, request.seed)?;
        if let Some(step) = outlooks.iter().position(|o| !(o.mean + o.standard_error).is_finite()) {
            return Err(self.source.named(not_finite(known + step + 1)));
        }
        let warning = match &self.model {
            SavedSeries::Linear(linear) => linear.model.stationarity_warning().map(|warning| warning.to_string()),
            SavedSeries::Neural(_) => None,
        };
        Ok(Forecasted { model: self.model.name(), series: data.name, values: data.values, known, outlooks, warning })
    }
}
