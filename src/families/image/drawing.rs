//! What `generate` makes of a model of images: pictures from nothing, the rest of a picture, and frames of both on the way.

use super::Opened;
use super::flags::GenerateFlags;
use crate::families::{Generate, Way};
use crate::terminal::console::{Counting, say};
use crate::terminal::output;
use models::error::{Error, Kind, Result};
use models::image::decoder::AT_A_TIME;
use models::image::frames::{self, Frames};
use models::image::generation::{
    Request, check_size, columns, draw, draw_by_jacobi, first_rows, grid, outside_of, unfinished,
};
use models::image::images::Shape;
use models::image::png;
use models::medium::Sink;
use models::storage::regular;
use models::storage::user_file;
use std::path::Path;

/// How many pictures are drawn where nobody says.
const PICTURES: usize = 64;

/// The longest file of a picture to complete, or of a mask.
const MOST_PICTURE: u64 = 1 << 28;

impl Opened {
    /// Draws pictures, and writes the grid of them.
    pub(super) fn draw(&self, request: &Generate, sink: Sink) -> Result<()> {
        let flags: GenerateFlags = request.own.parsed();
        if !request.prompt.is_empty() {
            return Err(Error::new(Kind::Usage, "a picture goes on from no text: the model is one of images")
                .help("--complete FILE.png --rows R goes on from the first rows of a picture"));
        }
        let inputs: Vec<&Path> = [&flags.complete, &flags.mask].into_iter().flatten().map(|path| &**path).collect();
        output::check(request.output, &inputs)?;
        let way = request.decode.check("a model of images", &[Way::Sequential, Way::Jacobi], false)?;
        let jacobi = way == Way::Jacobi;
        if jacobi && (flags.complete.is_some() || flags.frames.is_some()) {
            return Err(Error::new(Kind::Usage, "--decode jacobi draws whole pictures from nothing")
                .help("leave out --complete and --frames, or draw one sub-pixel after the other"));
        }
        let class = flags.class.as_deref().map(|word| self.class(word)).transpose()?;
        let known = self.known(&flags)?;
        let images = request.symbols.unwrap_or(PICTURES);
        if images == 0 {
            return Err(Error::new(Kind::Usage, "-n 0: there is no picture of no pictures").help("ask for at least 1"));
        }
        let config = &self.model.config;
        let wide = flags.columns.map_or_else(
            || columns(images, if class.is_some() { 0 } else { config.classes.len() }),
            |wide| wide as usize,
        );
        let (shape, levels, scale) = (config.shape(), config.levels, flags.scale as usize);
        check_size(images, shape, wide, scale)?;
        let mut frames =
            flags.frames.as_deref().map(|folder| self.frames(folder, images, request, &inputs)).transpose()?;
        let asked = Request { images, class, known: &known, options: request.options.clone(), seed: request.seed };
        if let Some(after) = asked.first_after_a_hole() {
            say(&approximate(after, shape));
        }
        let of = config.values().saturating_mul(images) as u64;
        let mut counting = None;
        if jacobi {
            let (drawn, cost) = draw_by_jacobi(&self.model, &asked, request.decode.ahead, &mut |done| {
                counting.get_or_insert_with(|| Counting::new("sub-pixels drawn", of)).reached(done);
                sink(&[]).map(|_| ())
            })
            .map_err(|error| self.source.named(error))?;
            counting.into_iter().for_each(Counting::finish);
            say(&cost.to_string());
            return sink(&grid(&drawn, shape, levels, wide, scale)?).map(|_| ());
        }
        let drawn = draw(&self.model, &asked, &mut |drawings| {
            let done = drawings.iter().map(|drawing| drawing.levels.len()).sum();
            counting.get_or_insert_with(|| Counting::new("sub-pixels drawn", of)).reached(done);
            if let Some(frames) = &mut frames {
                frames.write(&unfinished(drawings, shape, levels, wide, scale)?)?;
            }
            // Nothing yet; but it tells when somebody asks to stop.
            sink(&[]).map(|_| ())
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        if let Some((frames, folder)) = frames.zip(flags.frames) {
            let last = frames::name(frames.written());
            say(&format!("wrote {} to {last} in {}", frames::name(1), folder.display()));
        }
        sink(&grid(&drawn, shape, levels, wide, scale)?).map(|_| ())
    }

    /// The number of a class by its name, or by itself.
    pub(super) fn class(&self, word: &str) -> Result<u32> {
        let classes = &self.model.config.classes;
        let refused = |cause: String| {
            Err(Error::new(Kind::Usage, format!("--class {word}: there is no such class")).cause(cause))
        };
        if classes.is_empty() {
            return refused("the model is told no class: it was trained on pictures without".to_owned());
        }
        let number = word.parse().ok().filter(|&number: &usize| number < classes.len());
        match classes.iter().position(|name| name == word).or(number) {
            Some(class) => Ok(class as u32),
            None => refused(format!("the model knows {}", classes.join(", "))),
        }
    }

    /// What is kept of every picture.
    fn known(&self, flags: &GenerateFlags) -> Result<Vec<Option<u32>>> {
        let config = &self.model.config;
        let (shape, levels) = (config.shape(), config.levels);
        let Some(path) = &flags.complete else { return Ok(Vec::new()) };
        if flags.rows.is_none() && flags.mask.is_none() {
            return Err(Error::new(Kind::Usage, "--complete without --rows or --mask")
                .cause("nothing says what of the picture is kept")
                .help("--rows R keeps its first rows, --mask MASK.png all that is black in the mask"));
        }
        if let Some(rows) = flags.rows.filter(|&rows| rows == 0 || rows as usize >= shape.height) {
            return Err(Error::new(Kind::Usage, format!("--rows {rows}: there are none to give, or none to draw"))
                .cause(format!("a picture of the model has {} rows", shape.height)));
        }
        let (found, values) = read(path)?;
        if found != shape {
            return Err(Error::new(Kind::BadInput, format!("{} is {found}", path.display()))
                .cause(format!("the pictures of the model are {shape}"))
                .help("scale or cut it to that size"));
        }
        let Some(path) = &flags.mask else {
            return Ok(first_rows(&values, shape, levels, flags.rows.unwrap_or(0) as usize));
        };
        let (size, mask) = read(path)?;
        if (size.height, size.width) != (shape.height, shape.width) {
            return Err(Error::new(
                Kind::BadInput,
                format!("the mask {} is {} × {}", path.display(), size.height, size.width),
            )
            .cause(format!("the picture is {} × {}", shape.height, shape.width))
            .help("a mask has a pixel for every pixel of the picture"));
        }
        let known = outside_of(&mask, size.channels, &values, shape, levels);
        let nothing = [(true, "drawn: no pixel of it is white"), (false, "kept: all of it is white")];
        match nothing.into_iter().find(|(kept, _)| known.iter().all(|level| level.is_some() == *kept)) {
            Some((_, what)) => {
                Err(Error::new(Kind::BadInput, format!("the mask {} leaves nothing to be {what}", path.display()))
                    .help("paint white what is to be drawn, and black what is to be kept"))
            }
            None => Ok(known),
        }
    }

    /// The folder of frames, as it will be: what is in it that is no frame of ours is told before anything is drawn or removed.
    fn frames(&self, folder: &Path, images: usize, request: &Generate, inputs: &[&Path]) -> Result<Frames> {
        if images > AT_A_TIME {
            return Err(Error::new(Kind::Usage, format!("--frames of {images} pictures"))
                .cause(format!("a frame shows pictures that are drawn side by side, {AT_A_TIME} at most"))
                .help(format!("draw fewer: -n {AT_A_TIME}")));
        }
        let place = request.output.and_then(user_file::place);
        if let Some((place, folder)) = place.zip(folder.canonicalize().ok())
            && place.starts_with(&folder)
        {
            return Err(Error::new(Kind::Usage, format!("{} lies among the frames", place.display()))
                .cause("a folder of frames holds nothing else")
                .help("write the picture beside the folder"));
        }
        let mut frames = Frames::open(folder)?;
        for earlier in frames.earlier() {
            output::check([&**earlier], &[inputs, &[&*self.source.path]].concat())?;
            self.source.spares_data([&**earlier])?;
        }
        frames.begin()?;
        Ok(frames)
    }
}

fn read(path: &Path) -> Result<(Shape, Vec<u8>)> {
    png::parse(&regular::read(path, MOST_PICTURE)?, &path.display().to_string())
}

/// Why what is drawn is not drawn from the model's distribution; `after` is the first sub-pixel that is kept after one that is drawn.
fn approximate(after: usize, shape: Shape) -> String {
    let pixel = after / shape.channels;
    format!(
        "approximate: the pixel in row {}, column {} is kept, and comes after some that are drawn. The model draws each pixel from those \
         before it: what is drawn fits what comes before it, and knows nothing of what is kept after it",
        pixel / shape.width,
        pixel % shape.width
    )
}
