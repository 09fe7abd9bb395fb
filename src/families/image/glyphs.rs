//! The act of the tour on images: a Gated PixelCNN learns glyphs that the program draws by a rule. So the entropy of the pictures is
//! known, and it can be told of every picture that the model draws whether the rule could have drawn it.

use super::commands;
use crate::families::tour::{MOST_TIME, Tour};
use crate::families::training;
use crate::terminal::console::say;
use autograd::random::Streams;
use models::data::Part;
use models::data::files::DataFiles;
use models::error::Result;
use models::image::config::ImageConfig;
use models::image::data::ImageData;
use models::image::decoder::{Decoder, Drawing};
use models::image::evaluation::evaluate;
use models::image::generation::{Request, draw, grid};
use models::image::glyphs::{GLYPHS, SHAPE, entropy, glyphs, pictures};
use models::image::images::Images;
use models::image::model::ImageModel;
use models::image::quantized::level;
use models::image::receptive_field::receptive_field;
use models::image::training::ImageTask;
use models::image::{idx, saved};
use models::pages::numbers::decimals;
use models::pages::page::Bar;
use models::sampling::Options;
use models::storage::atomic::{SystemDisk, replace};
use models::storage::run_files::{self, Which};
use models::training::begin;
use models::training::task::Task;
use std::collections::BTreeSet;
use std::path::Path;

/// Glyphs drawn by the program: eight in ten to learn from.
const DRAWN: usize = 4000;

/// Levels of a picture: black and white.
const LEVELS: usize = 2;

/// Rows of a grid, in which each class has a column.
const ROWS: usize = 5;

/// Of a grid: a pixel is a square of so many.
const SCALE: usize = 3;

/// Pictures of each class by which the model is judged.
const JUDGED: usize = 20;

/// Rows of a picture that are given, where the model draws the rest.
const GIVEN: usize = SHAPE.height / 2;

/// Trains the model, and shows its pictures beside those that it learned from.
///
/// # Errors
/// If the folder cannot be written, or the tour is interrupted.
pub fn act(tour: &mut Tour) -> Result<()> {
    say("image: a Gated PixelCNN learns to draw ten glyphs, pixel by pixel");
    let path = tour.folder.join("image");
    let config = config(&path.join("glyphs-images-idx3-ubyte"), tour.steps)?;
    let drawn = glyphs(DRAWN, &mut Streams::new(config.training.seed).stream("glyphs"));
    let files = in_files(&drawn, &config.data.path, &path.join("glyphs-labels-idx1-ubyte"));
    let trainer = begin::begin_on::<ImageTask>(config.clone(), &files)?;
    let folder = training::create(&path, true, trainer.task.config())?;
    for file in &files.files {
        replace(&SystemDisk, Path::new(&file.path), |out| out.write_all(&file.bytes))?;
    }
    let trained = training::run(trainer, folder, Some(MOST_TIME), commands, tour.context)?;
    let model = saved::from_checkpoint(&run_files::load(&path, Which::Best)?)?;
    show(tour, &model, &drawn, &files, &config)?;
    tour.add(&trained)
}

/// What is trained, on the pictures at this path.
fn config(pictures: &Path, steps: Option<u64>) -> Result<ImageConfig> {
    let mut config = ImageConfig::default();
    (config.model.hidden, config.model.layers, config.model.head) = (16, 6, 32);
    (config.data.batch, config.data.levels, config.data.labels) = (8, LEVELS, "auto".to_owned());
    config.data.path = training::data_path(pictures)?;
    (config.training.steps, config.training.eval_every, config.training.save_every) = (steps.unwrap_or(4000), 500, 0);
    (config.training.optimizer.learning_rate, config.training.optimizer.average) = (1e-2, 0.99);
    Ok(config)
}

/// The glyphs and their classes, as the two files of these names will hold them.
fn in_files(drawn: &Images, pictures: &str, labels: &Path) -> DataFiles {
    let classes: Vec<u8> = drawn.labels().unwrap_or_default().iter().map(|&class| class as u8).collect();
    let mut files = DataFiles::in_memory(pictures, idx::of_images(drawn));
    files.files.extend(DataFiles::in_memory(&labels.display().to_string(), idx::of_labels(&classes)).files);
    files
}

/// A picture of bytes in the levels of the model.
fn levels(picture: &[u8]) -> Vec<u32> {
    picture.iter().map(|&value| level(value, LEVELS).into()).collect()
}

/// Writes what the model makes of the glyphs into the page, and the figures to stdout.
fn show(
    tour: &mut Tour,
    model: &ImageModel<f32>,
    drawn: &Images,
    files: &DataFiles,
    config: &ImageConfig,
) -> Result<()> {
    let (classes, seed) = (GLYPHS.len(), config.training.seed);
    let names = GLYPHS.map(|glyph| glyph.name).join(", ");
    tour.page.section("Glyphs, drawn by the program and drawn by a model");
    tour.page.paragraph(&format!(
        "The program draws {DRAWN} pictures by a rule: {names}, each of a size, at a place and with a pen that are chosen by chance. \
         A network reads four in five of them, pixel after pixel, and learns to tell the next pixel from those before it. Then it \
         draws, a pixel at a time: it is told which of the {classes} glyphs to draw, and nothing else."
    ));

    let learned: Vec<Vec<u32>> = (0..ROWS * classes).map(|i| levels(drawn.image(i))).collect();
    let asked = Request { images: JUDGED * classes, class: None, known: &[], options: Options::default(), seed };
    let samples = draw(model, &asked, &mut |_| Ok(()))?;
    let mut picture = |images: &[Vec<u32>], caption: &str| {
        grid(images, SHAPE, LEVELS, classes, SCALE).map(|png| _ = tour.page.pixels(&png, caption))
    };
    picture(&learned, "Drawn by the program: a column for each glyph.")?;
    picture(&samples[..ROWS * classes], "Drawn by the model, from nothing.")?;
    let completed = completed(model, files, config)?;
    picture(
        &completed,
        "In the first row, glyphs out of the part that is not trained on. The model is given the upper half of each; below, how it goes on.",
    )?;

    let evaluation = evaluate(model, files, &config.data, seed, Part::Test, &mut |_, _| {})?;
    let values = SHAPE.values() as f64;
    let bar = |name: &str, value: f64, ours: bool| Bar { name: name.to_owned(), value, ours };
    let mut bars: Vec<Bar> =
        evaluation.floors.iter().map(|floor| bar(&floor.name, floor.nats * values, false)).collect();
    bars.push(bar("the model", evaluation.nats_per_example, true));
    bars.push(bar("entropy of the glyphs", entropy(), false));
    let rule: Vec<BTreeSet<Vec<u32>>> =
        (0..classes).map(|class| pictures(class).keys().map(|picture| levels(picture)).collect()).collect();
    let possible = samples.iter().enumerate().filter(|&(i, sample)| rule[i % classes].contains(sample)).count();
    let rightly = format!(
        "Of {} pictures that the model drew, {possible} are, to the last pixel, such as the rule draws",
        samples.len()
    );

    tour.page.heading("Nats per picture, on those that were not trained on");
    tour.page.paragraph(&format!(
        "The mean −ln p of a picture, exactly: the sum over its {values} pixels. Those above the model only count; the last is what no \
         model can be below, known here because the rule is. {rightly}."
    ));
    tour.page.bars("nats per picture", &bars);
    let middle = [SHAPE.height / 2, SHAPE.width / 2, 0];
    let field = receptive_field(config.model.model, config.model.layers, SHAPE, middle);
    let (seen, before) = (field.count(), field.before());
    tour.page.paragraph(&format!("A pixel in the middle of a picture sees {seen} of the {before} before it."));

    let lines = bars.iter().map(|Bar { name, value, .. }| format!("{name:<24}{}\n", decimals(*value, 3)));
    let lines: String = lines.collect();
    tour.context.results.text(&format!("\nnats per picture\n{lines}{rightly}.\n\n"))
}

/// Held-out pictures, one of each class, and under each what the model makes of its upper half.
fn completed(model: &ImageModel<f32>, files: &DataFiles, config: &ImageConfig) -> Result<Vec<Vec<u32>>> {
    let test = ImageData::of_files(files, &config.data)?.test;
    let labels = test.labels().unwrap_or_default();
    let first = |class: usize| labels.iter().position(|&label| label as usize == class);
    let mut images: Vec<Vec<u32>> = (0..GLYPHS.len()).filter_map(first).map(|i| levels(test.image(i))).collect();
    let drawing = |i: usize| {
        let class = i % GLYPHS.len();
        let chance = Streams::new(config.training.seed).stream(&format!("completion {i}"));
        Drawing::new(Some(class as u32), chance).beginning_with(&images[class][..GIVEN * SHAPE.width])
    };
    let mut drawings: Vec<Drawing> = (0..(ROWS - 1) * GLYPHS.len()).map(drawing).collect();
    Decoder::new(model).draw(&mut drawings, &Options::default(), |_| Ok(()))?;
    images.extend(drawings.into_iter().map(|drawing| drawing.levels));
    Ok(images)
}
