//! `autoreg demo`: the tour. Trains on data that come with the program, writes one page; needs no argument, no file and no network.

use crate::families::FAMILIES;
use crate::families::tour::Tour;
use crate::terminal::Context;
use clap::Args;
use models::error::{Error, Kind, Result};
use models::pages::page::Page;
use models::storage::atomic::{SystemDisk, replace, write_error};
use models::storage::regular;
use models::storage::user_file::what_is_there;
use std::path::PathBuf;

/// Train small models on data that come with the program and write a page about them; takes about a minute.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The folder of the tour: a page, and a run folder for each act that trains. A tour that is there is replaced.
    #[arg(long, value_name = "FOLDER", default_value = "runs/demo")]
    out_dir: PathBuf,
    /// Steps of each act that trains.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
}

/// No page of a tour is longer, with its pictures and sounds.
const MOST_PAGE: u64 = 1 << 30;

/// What the page of a tour is told by: another `index.html` is somebody's own.
const TITLE: &str = "autoreg: the tour";

/// Runs the subcommand.
///
/// # Errors
/// If the folder cannot be written, or the tour is interrupted.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { out_dir: folder, steps } = arguments;
    let index = folder.join("index.html");
    let of_a_tour = |html: Vec<u8>| String::from_utf8(html).is_ok_and(|html| html.contains(TITLE));
    if what_is_there(&index).is_some() || index.exists() && !regular::read(&index, MOST_PAGE).is_ok_and(of_a_tour) {
        return Err(Error::new(Kind::Usage, format!("{} is not the page of a tour", index.display()))
            .help("--out-dir names another folder"));
    }
    if !index.exists()
        && let Some(own) = FAMILIES.iter().map(|family| folder.join(family.name())).find(|own| own.exists())
    {
        return Err(Error::new(Kind::Usage, format!("{} is not of a tour", own.display()))
            .cause(format!("{} is not there, the page that every tour begins with", index.display()))
            .help("--out-dir names another folder"));
    }
    // First of all: a tour that is cut short can be told from somebody's own runs, and be made again.
    std::fs::create_dir_all(&folder).map_err(|e| write_error(&folder, &e))?;
    let begun = Page::new(TITLE).html();
    replace(&SystemDisk, &index, |out| out.write_all(begun.as_bytes()))?;
    let mut tour = Tour { page: Page::new(TITLE), folder, steps, context };
    let about = "Models of one kind: each gives the distribution of the next symbol from the ones before it.";
    tour.page.paragraph(about);
    for family in FAMILIES {
        family.act(&mut tour)?;
    }
    replace(&SystemDisk, &index, |out| out.write_all(tour.page.html().as_bytes()))?;
    context.results.text(&format!("\nopen {}\n", index.display()))
}
