//! The page of a run: its result against the floors, its loss, samples from early to late, how to go on, configuration.
//!
//! [`add_act`] writes the same parts into a page of several runs, which is what the tour of `autoreg demo` is.

use std::f64::consts::LN_2;

use super::loss_picture::loss_picture;
use super::numbers::{decimals, duration, grouped};
use super::page::{Bar, Page};
use super::plot::{Mark, Plot};
use crate::error::Result;
use crate::evaluation::Floor;
use crate::medium::{Medium, Sample};
use crate::storage::metrics::Record;

/// Samples shown at most: enough to see the model learn.
const MAX_SAMPLES: usize = 5;

/// What the page of a run is made from.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// The run: `GRU on tiny-shakespeare`.
    pub title: String,
    /// What one symbol is, in the singular: `character`.
    pub unit: String,
    /// The logged steps.
    pub records: Vec<Record>,
    /// The floors, worst first.
    pub floors: Vec<Floor>,
    /// What the model made, earliest first.
    pub samples: Vec<Sample>,
    /// What a command does, and the command.
    pub commands: Vec<(String, String)>,
    /// Keys and values of the resolved configuration.
    pub config: Vec<(String, String)>,
}

/// The page of one run, as HTML.
///
/// # Errors
/// [`crate::error::Kind::Failed`] if the drawing library refuses.
pub fn run_page(run: &RunSummary) -> Result<String> {
    let mut page = Page::new(run.title.clone());
    add_parts(&mut page, run, |page, heading| _ = page.section(heading))?;
    Ok(page.html())
}

/// Writes a run into a page of several: its title begins a section, its parts are smaller headings.
///
/// # Errors
/// [`crate::error::Kind::Failed`] if the drawing library refuses.
pub fn add_act(page: &mut Page, run: &RunSummary) -> Result<()> {
    page.section(&run.title);
    add_parts(page, run, |page, heading| _ = page.heading(heading))
}

fn add_parts(page: &mut Page, run: &RunSummary, begin: fn(&mut Page, &str)) -> Result<()> {
    begin(page, "Result");
    let best = run.records.iter().filter_map(|r| Some((r.step, r.validation.filter(|v| v.is_finite())?)));
    let best = best.min_by(|a, b| a.1.total_cmp(&b.1));
    match best {
        Some((step, nats)) => add_result(page, run, step, nats),
        None => page.paragraph("Not evaluated on validation data yet."),
    };
    begin(page, "Loss");
    let caption = "Training and validation loss; dashed: what simple rivals reach on the validation data.";
    page.picture(&loss_picture(&run.records, &run.floors, &run.unit)?, caption);
    if !run.samples.is_empty() {
        begin(page, "Samples, from early to late");
        for sample in spaced(&run.samples) {
            add_sample(page, sample, &run.unit)?;
        }
    }
    if !run.commands.is_empty() {
        begin(page, "Going on");
        for (does, command) in &run.commands {
            page.command(does, command);
        }
    }
    if !run.config.is_empty() {
        begin(page, "Configuration");
        let rows: Vec<Vec<String>> = run.config.iter().map(|(k, v)| vec![k.clone(), v.clone()]).collect();
        page.table(&["key", "value"], &rows);
    }
    Ok(())
}

/// A sample as its medium is shown: text and numbers to read, pictures to look at, sound to play.
fn add_sample(page: &mut Page, sample: &Sample, unit: &str) -> Result<()> {
    let label = format!("after step {}", grouped(sample.step));
    match sample.medium {
        Medium::Text => page.sample(&label, &String::from_utf8_lossy(&sample.bytes)),
        Medium::Picture => page.pixels(&sample.bytes, &label),
        Medium::Sound => match &sample.picture {
            Some(png) => {
                let seen = format!("{label}: its waveform, and its spectrogram from 0 Hz up to half its rate");
                page.sound(&sample.bytes, Some(png), &seen)
            }
            None => page.sound(&sample.bytes, None, &label),
        },
        Medium::Numbers => {
            let text = String::from_utf8_lossy(&sample.bytes);
            let name = text.lines().next().unwrap_or_default();
            let values = text.lines().skip(1).filter_map(|line| line.parse().ok());
            let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(values.filter(|x: &f64| x.is_finite())).collect();
            if points.is_empty() {
                return Ok(());
            }
            let plot =
                Plot::new(&label, format!("{unit}s drawn"), name).size(960, 240).series(name, Mark::Line, points);
            page.picture(&plot.svg()?, &label)
        }
    };
    Ok(())
}

fn add_result<'p>(page: &'p mut Page, run: &RunSummary, step: u64, nats: f64) -> &'p mut Page {
    let below = run.floors.iter().map(|f| f.nats).fold(f64::INFINITY, f64::min) - nats;
    if below.is_finite() {
        let verdict = if below > 0.0 { "below" } else { "above" };
        page.paragraph(&format!(
            "{} nats per {} on the validation data: {} {verdict} the best of the simple rivals.",
            decimals(nats, 4),
            run.unit,
            decimals(below.abs(), 4)
        ));
    }
    let mut bars: Vec<Bar> =
        run.floors.iter().map(|f| Bar { name: f.name.clone(), value: f.nats, ours: false }).collect();
    bars.push(Bar { name: "this run".into(), value: nats, ours: true });
    page.bars(&format!("nats per {}", run.unit), &bars);
    let mut rows = vec![
        (
            "best validation".to_owned(),
            format!("{} nats per {}, at step {}", decimals(nats, 4), run.unit, grouped(step)),
        ),
        ("bits".to_owned(), format!("{} per {}", decimals(nats / LN_2, 4), run.unit)),
        ("perplexity".to_owned(), format!("{:.3}", nats.exp())),
    ];
    if let Some(last) = run.records.last() {
        rows.push(("trained".into(), format!("{} steps, {} {}s", grouped(last.step), grouped(last.symbols), run.unit)));
        rows.push(("time".into(), duration(last.seconds)));
        let rate = (last.symbols as f64 / last.seconds).round();
        if rate.is_finite() {
            rows.push(("speed".into(), format!("{} {}s per second", grouped(rate as u64), run.unit)));
        }
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(k, v)| vec![k, v]).collect();
    page.table(&["measure", "value"], &rows)
}

/// What a page shows of many samples: a few, evenly spaced, the first and the last among them.
pub fn spaced<T>(samples: &[T]) -> Vec<&T> {
    let count = samples.len().min(MAX_SAMPLES);
    let last = samples.len().saturating_sub(1);
    (0..count).map(|i| &samples[i * last / (count - 1).max(1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_sample(step: u64, text: &str) -> Sample {
        Sample { step, medium: Medium::Text, bytes: text.into(), picture: None }
    }

    fn summary() -> RunSummary {
        let record = |step: u64| Record {
            step,
            symbols: step * 4096,
            loss: 1.4 + 2.8 / (step as f64).sqrt(),
            validation: step.is_multiple_of(100).then_some(if step == 900 { 1.5 } else { 1.6 }),
            seconds: step as f64 * 0.1,
            ..Record::default()
        };
        RunSummary {
            title: "GRU on <text>".into(),
            unit: "character".into(),
            records: (1..=1000).map(record).collect(),
            floors: [("uniform", 4.174), ("Markov order 4", 1.669)]
                .map(|(name, nats)| Floor { name: name.into(), nats })
                .into(),
            samples: (1..=10).map(|i| text_sample(i * 100, &format!("sample {i}"))).collect(),
            commands: vec![("Go on for longer:".into(), "autoreg resume runs/a --steps 4000".into())],
            config: vec![("optimizer.learning_rate".into(), "0.002".into())],
        }
    }

    #[test]
    fn the_page_says_what_was_reached_against_which_floors() {
        let html = run_page(&summary()).unwrap();
        for part in [
            "1.5000 nats per character on the validation data: 0.1690 below the best of the simple rivals.",
            "1.5000 nats per character, at step 900",
            "2.1640 per character",
            "4.482",
            "1,000 steps, 4,096,000 characters",
            "1 min 40 s",
            "40,960 characters per second",
            "Markov order 4",
            "autoreg resume runs/a --steps 4000",
            "optimizer.learning_rate",
            "GRU on &lt;text&gt;",
        ] {
            assert!(html.contains(part), "{part}");
        }
    }

    #[test]
    fn acts_of_one_page_are_its_sections() {
        let mut page = Page::new("tour");
        for title in ["text", "series"] {
            add_act(&mut page, &RunSummary { title: title.into(), ..summary() }).unwrap();
        }
        let html = page.html();
        assert_eq!(html.matches("<h2").count(), 2);
        assert!(html.contains("<a href=\"#section-1\">text</a><a href=\"#section-2\">series</a>"));
        assert_eq!(html.matches("<h3>Result</h3>").count(), 2);
    }

    #[test]
    fn samples_shown_are_the_first_the_last_and_some_between() {
        let samples = summary().samples;
        let steps: Vec<u64> = spaced(&samples).iter().map(|s| s.step).collect();
        assert_eq!(steps, [100, 300, 500, 700, 1000]);
        assert_eq!(spaced(&samples[..1]).len(), 1);
        assert!(spaced(&samples[..0]).is_empty());
    }

    #[test]
    fn a_sample_is_shown_as_its_medium() {
        let shown = |medium, bytes: &[u8]| {
            let mut page = Page::new("samples");
            let picture = (medium == Medium::Sound && bytes != b"unseen").then(|| b"png".to_vec());
            add_sample(&mut page, &Sample { step: 7, medium, bytes: bytes.into(), picture }, "value").unwrap();
            page.html()
        };
        assert!(shown(Medium::Text, b"a \xFF b").contains("a \u{fffd} b"));
        assert!(shown(Medium::Picture, b"png").contains("<figure class=\"pixels\"><img"));
        let heard = shown(Medium::Sound, b"wav");
        assert!(heard.contains("<audio controls") && heard.contains("<img") && heard.contains("spectrogram"));
        assert!(!shown(Medium::Sound, b"unseen").contains("<img"));
        assert!(shown(Medium::Numbers, b"x\n1\n2.5\n").contains("image/svg+xml"));
        assert!(!shown(Medium::Numbers, b"x\n").contains("<figure"), "nothing was drawn");
    }

    #[test]
    fn a_run_that_has_not_begun_has_a_page() {
        let html = run_page(&RunSummary { title: "new".into(), ..RunSummary::default() }).unwrap();
        assert!(html.contains("Not evaluated") && !html.contains("NaN"));
    }
}
