//! A model of text that predicts the next symbol, as the commands use it.

use super::{EvalFlags, data, tables, window_fits};
use crate::families::coding;
use crate::families::opened::Source;
use crate::families::{Compare, Compress, Drift, Drifted, Evaluate, Generate, Model, Recorded, Report};
use crate::terminal::console::Counting;
use models::check::Outcome;
use models::compression::{self, format::File, identity::identity};
use models::decoding::comparison::Measured;
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::narrow::{Weights, round};
use models::text::compression as text;
use models::text::context::Context;
use models::text::drift::drift;
use models::text::evaluation::evaluate;
use models::text::network::Network;
use models::text::saved::TextModel;

/// A model out of a file.
pub(super) struct Opened<N> {
    pub text: TextModel<N>,
    pub source: Source,
}

impl<N: Network> Model for Opened<N> {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Text
    }

    fn round(&mut self, weights: Weights) -> Result<()> {
        round(&mut self.text.model, weights);
        Ok(())
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        self.draw(request, sink)
    }

    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let data = data(&self.source, request)?;
        let EvalFlags { stride, draws } = request.own.parsed();
        if draws.is_some() {
            return Err(Error::new(Kind::Usage, "--draws is for a masked model")
                .cause("this one's likelihood is exact, and takes no draws"));
        }
        // Before the data are read: a wrong stride is told at once.
        Context::of::<N>(self.text.model.config(), stride)?;
        let files = self.source.parts_of(data.read()?, request.part)?;
        let mut counting = None;
        let evaluation = evaluate(&self.text, &files, &data.split(), request.part, stride, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("symbols scored", of as u64)).reached(done);
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        let (head, split) = (self.source.head(), request.part);
        let text = tables::shown(&head, split, &evaluation);
        let each = tables::each_line("nats", &evaluation.lines);
        Report::new(head, split, evaluation, text, each)
    }

    fn compare(&self, request: &Compare, progress: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        self.compared(request, progress)
    }

    fn drift(&self, Drift { scored, asked }: &Drift) -> Result<Drifted> {
        let data = data(&self.source, scored)?;
        let files = self.source.parts_of(data.read()?, scored.part)?;
        let drift = coding::watched("prefixes followed", |progress| {
            drift(&self.text, &files, &data.split(), scored.part, asked, progress)
        })
        .map_err(|error| self.source.named(error))?;
        Ok(Drifted { head: self.source.head(), drift })
    }

    fn compress(&self, request: &Compress) -> Result<compression::Report> {
        let (bytes, path) = coding::read(request.file)?;
        let identity = identity(self.source.described, &self.text.model);
        coding::watched("symbols coded", |progress| text::compress(&self.text, identity, &bytes, &path, progress))
            .map_err(|error| self.source.named(error))
    }

    fn decompress(&self, file: &File, name: &str) -> Result<Vec<u8>> {
        let identity = identity(self.source.described, &self.text.model);
        coding::watched("symbols decoded", |progress| text::decompress(&self.text, identity, file, name, progress))
            .map_err(|error| self.source.named(error))
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.text.check(length, seed)
    }

    fn graph(&self, batch: usize, length: usize) -> Result<Recorded> {
        window_fits::<N>(self.text.model.config(), batch, length)?;
        Ok(Recorded::new(self.text.recorded_loss(batch, length), &self.text.model))
    }
}
