//! The page of a linear model's run, which has no steps: its numbers, and the forecast after its training part.

use super::data::SeriesData;
use super::description::rows;
use super::forecast::Outlook;
use super::linear::LinearAr;
use super::picture::Picture;
use crate::error::Result;
use crate::pages::page::Page;
use crate::pages::plot::Svg;

/// Steps forecast on the page.
const HORIZON: usize = 30;

/// The page, and its picture where the forecast can be drawn; `commands` say how to go on.
///
/// # Errors
/// If the training part is shorter than the model looks back.
pub fn linear_page(
    linear: &LinearAr,
    data: &SeriesData,
    title: &str,
    commands: &[(String, String)],
) -> Result<(Page, Option<Svg>)> {
    let mut page = Page::new(title);
    page.section("Coefficients");
    let numbers: Vec<Vec<String>> = rows(linear).into_iter().map(Vec::from).collect();
    page.table(&["", "value", "standard error"], &numbers);
    let outlooks: Vec<Outlook> = linear.model.forecast(data.train(), HORIZON)?.into_iter().map(Outlook::from).collect();
    let heading = format!("{title}: forecast after the training part");
    let picture = Picture {
        title: &heading,
        x_label: "position",
        y_label: &data.name,
        first: 1,
        series: &data.values,
        known: data.train().len(),
        outlooks: &outlooks,
    };
    // A forecast that grows out of all bounds cannot be drawn: the numbers stand without it.
    let svg = picture.svg().ok();
    if let Some(svg) = &svg {
        page.section("Forecast").picture(svg, "Mean forecast with the bands that hold a value with 80 % and 95 %.");
    }
    page.section("Going on");
    for (does, command) in commands {
        page.command(does, command);
    }
    Ok((page, svg))
}
