//! What an act of `autoreg demo` is given: a place for its run, the page that all acts write into, and how long it may take.

use super::training::Trained;
use crate::terminal::Context;
use models::error::Result;
use models::pages::page::Page;
use models::pages::run_page::add_act;
use std::path::PathBuf;
use std::time::Duration;

/// The tour, as its acts see it.
pub struct Tour<'a> {
    /// The page of all acts.
    pub page: Page,
    /// The folder of the tour; an act's run folder lies in it, named after the family.
    pub folder: PathBuf,
    /// Steps of an act that trains, where they were given.
    pub steps: Option<u64>,
    /// Where results go.
    pub context: &'a Context,
}

/// Longest one act may train: on a slow machine the tour still ends.
pub const MOST_TIME: Duration = Duration::from_secs(90);

impl Tour<'_> {
    /// Writes what an act trained into the page.
    ///
    /// # Errors
    /// If the drawing library refuses.
    pub fn add(&mut self, trained: &Trained) -> Result<()> {
        add_act(&mut self.page, &trained.summary)
    }
}
