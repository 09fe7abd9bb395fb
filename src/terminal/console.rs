//! Progress on stderr: a bar on a terminal, elsewhere one plain line every few seconds. Results are not written here.
//!
//! Nothing is coloured, so `NO_COLOR` needs no branch; `TERM=dumb` gets plain lines. A closed stderr stops nothing.

use indicatif::{ProgressBar, ProgressStyle};
use models::pages::numbers::duration;
use models::storage::metrics::Record;
use models::visible::visible;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two plain lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// Whether stderr is a terminal on which a line can be drawn over.
pub fn can_draw() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes a line to stderr; what a terminal would obey in a name from outside is written out.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", visible(line));
}

/// Where progress is shown.
enum Display {
    Bar(ProgressBar),
    Lines { last: Option<Instant> },
}

impl Display {
    fn new(total: u64) -> Self {
        if !can_draw() {
            return Display::Lines { last: None };
        }
        let bar = if total == 0 { ProgressBar::no_length() } else { ProgressBar::new(total) };
        let template = if total == 0 { "{spinner} {wide_msg}" } else { "{bar:20} {wide_msg}" };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
        Display::Bar(bar)
    }

    /// Shows how far the work is; `important` lines are shown whenever they come.
    fn show(&mut self, position: u64, line: String, important: bool) {
        match self {
            Display::Bar(bar) => {
                bar.set_position(position);
                bar.set_message(line);
            }
            Display::Lines { last } => {
                if important || last.is_none_or(|last| last.elapsed() >= INTERVAL) {
                    *last = Some(Instant::now());
                    say(&line);
                }
            }
        }
    }
}

/// The progress of a training: step, loss, learning rate, gradient norm, symbols per second, time left.
pub struct Progress {
    display: Display,
    total: u64,
    /// Where and when this process began to count: a resumed run does not begin at 0.
    first: Option<(u64, Instant)>,
    last: Option<Record>,
    validation: Option<f64>,
}

impl Progress {
    /// For a run that ends at step `total_steps`; 0 where that is not known.
    pub fn new(total_steps: u64) -> Self {
        Progress { display: Display::new(total_steps), total: total_steps, first: None, last: None, validation: None }
    }

    /// Shows a logged step.
    pub fn update(&mut self, record: &Record) {
        let now = Instant::now();
        let (from, since) = *self.first.get_or_insert((record.step, now));
        self.validation = record.validation.or(self.validation);
        let left = time_left(record.step - from.min(record.step), self.total.saturating_sub(record.step), now - since);
        let line = training_line(record, self.total, self.validation, left);
        self.display.show(record.step, line, record.step == self.total);
        self.last = Some(*record);
    }

    /// Says something without disturbing the bar.
    pub fn message(&self, text: &str) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(|| say(text)),
            Display::Lines { .. } => say(text),
        }
    }

    /// Ends the bar, with its last line left on the screen.
    pub fn finish(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.abandon();
        } else if let Some(last) = self.last.filter(|last| last.step != self.total) {
            let line = training_line(&last, self.total, self.validation, None);
            self.display.show(last.step, line, true);
        }
    }
}

/// The progress of work that is counted: symbols scored, symbols written.
pub struct Counting {
    display: Display,
    what: &'static str,
    done: u64,
    total: u64,
    since: Instant,
}

impl Counting {
    /// For `total` pieces of work; `what` says what is done to them: `scored`.
    pub fn new(what: &'static str, total: u64) -> Self {
        let mut display = Display::new(total);
        // Work of a few seconds needs no line.
        if let Display::Lines { last } = &mut display {
            *last = Some(Instant::now());
        }
        Counting { display, what, done: 0, total, since: Instant::now() }
    }

    /// So many are done.
    pub fn reached(&mut self, count: usize) {
        self.done = count as u64;
        let elapsed = self.since.elapsed();
        let left = time_left(self.done, self.total.saturating_sub(self.done), elapsed);
        let rate = self.done as f64 / elapsed.as_secs_f64();
        let line = format!("{} of {} {}, {rate:.0} a second{}", self.done, self.total, self.what, shown_left(left));
        self.display.show(self.done, line, false);
    }

    /// Clears the bar.
    pub fn finish(self) {
        if let Display::Bar(bar) = self.display {
            bar.finish_and_clear();
        }
    }
}

/// How long `left` pieces take at the pace of the `done` ones; not known before the first.
fn time_left(done: u64, left: u64, elapsed: Duration) -> Option<Duration> {
    (done > 0 && left > 0).then(|| elapsed.mul_f64(left as f64 / done as f64))
}

fn shown_left(left: Option<Duration>) -> String {
    left.map(|left| format!(", {} left", duration(left.as_secs_f64()))).unwrap_or_default()
}

fn training_line(record: &Record, total: u64, validation: Option<f64>, left: Option<Duration>) -> String {
    let Record { step, loss, learning_rate, gradient_norm, symbols_per_second, .. } = record;
    let of = if total == 0 { String::new() } else { format!("/{total}") };
    // A loss on its way to infinity has thirty digits before the point.
    let loss = if loss.abs() < 1e4 { format!("{loss:.4}") } else { format!("{loss:.2e}") };
    let validation = validation.map(|nats| format!(", validation {nats:.4}")).unwrap_or_default();
    format!(
        "step {step}{of}, loss {loss}{validation}, rate {learning_rate:.2e}, gradient {gradient_norm:.3}, \
         {symbols_per_second:.0} symbols/s{}",
        shown_left(left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_training_says_step_loss_rate_gradient_speed_and_time_left() {
        let record = Record {
            step: 200,
            loss: 1.70341,
            learning_rate: 2e-3,
            gradient_norm: 0.4142,
            symbols_per_second: 45_000.4,
            ..Record::default()
        };
        assert_eq!(
            training_line(&record, 2000, Some(1.75), Some(Duration::from_secs(185))),
            "step 200/2000, loss 1.7034, validation 1.7500, rate 2.00e-3, gradient 0.414, 45000 symbols/s, 3 min 05 s left"
        );
        assert_eq!(
            training_line(&record, 0, None, None),
            "step 200, loss 1.7034, rate 2.00e-3, gradient 0.414, 45000 symbols/s"
        );
    }

    #[test]
    fn time_left_goes_on_at_the_pace_so_far() {
        assert_eq!(time_left(10, 30, Duration::from_secs(5)), Some(Duration::from_secs(15)));
        assert_eq!(time_left(0, 30, Duration::from_secs(5)), None);
        assert_eq!(time_left(10, 0, Duration::from_secs(5)), None);
    }
}
