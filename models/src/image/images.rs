//! Pictures of one size as bytes, each perhaps of a class. Where they come from is in [`crate::image::data`]; what a model reads of
//! them is in [`crate::image::quantized`].

use std::fmt;

/// The size of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// H, rows.
    pub height: usize,
    /// W, columns.
    pub width: usize,
    /// C: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl Shape {
    /// The values of one picture, its dimensions: `H · W · C`.
    pub fn values(self) -> usize {
        self.height * self.width * self.channels
    }
}

impl fmt::Display for Shape {
    /// As a message says it: `28 × 28 grey`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = match self.channels {
            1 => "grey".to_owned(),
            3 => "RGB".to_owned(),
            channels => format!("of {channels} channels"),
        };
        write!(f, "{} × {} {colour}", self.height, self.width)
    }
}

/// Pictures of one size, 0 (black) to 255 (white) in each channel.
///
/// # Shapes
/// The values lie (N, H, W, C): picture after picture, in each the order in which a model predicts: row after row, in a row pixel
/// after pixel, in a pixel channel after channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    shape: Shape,
    values: Vec<u8>,
    labels: Option<Vec<u32>>,
    files: Option<Vec<String>>,
}

impl Images {
    /// Pictures without classes.
    ///
    /// # Panics
    /// If the shape is empty or the values are no whole number of pictures.
    #[track_caller]
    pub fn new(shape: Shape, values: Vec<u8>) -> Self {
        assert!(shape.values() > 0, "pictures of {shape} have no values");
        assert!(values.len().is_multiple_of(shape.values()), "{} values are no pictures of {shape}", values.len());
        Images { shape, values, labels: None, files: None }
    }

    /// These pictures, each of a class.
    ///
    /// # Panics
    /// If there is not one label for each.
    #[track_caller]
    pub fn with_labels(mut self, labels: Vec<u32>) -> Self {
        assert_eq!(labels.len(), self.len(), "one label for each picture");
        self.labels = Some(labels);
        self
    }

    /// These pictures, each from a file of its own; an empty name where a file holds many.
    ///
    /// # Panics
    /// If there is not one name for each.
    #[track_caller]
    pub fn with_files(mut self, files: Vec<String>) -> Self {
        assert_eq!(files.len(), self.len(), "one file for each picture");
        self.files = Some(files);
        self
    }

    /// How many pictures.
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The size of each.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// (N, H, W, C).
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// (H, W, C) of picture `i`.
    ///
    /// # Panics
    /// If there is no such picture.
    #[track_caller]
    pub fn image(&self, i: usize) -> &[u8] {
        &self.values[i * self.shape.values()..][..self.shape.values()]
    }

    /// The class of each, where they have classes.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The file that each came from, where pictures come from files of their own.
    pub fn files(&self) -> Option<&[String]> {
        self.files.as_deref()
    }

    /// Those at these places, in this order, with their labels and files.
    ///
    /// # Panics
    /// If there is no such picture.
    #[track_caller]
    pub fn chosen(&self, indices: &[usize]) -> Images {
        let values = indices.iter().flat_map(|&i| self.image(i)).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i]).collect());
        let files = self.files.as_ref().map(|files| indices.iter().map(|&i| files[i].clone()).collect());
        Images { shape: self.shape, values, labels, files }
    }

    /// (N, H, W, C), without a copy.
    pub fn into_values(self) -> Vec<u8> {
        self.values
    }

    /// The same pictures with every value changed.
    pub(super) fn map(mut self, change: impl Fn(u8) -> u8) -> Images {
        self.values.iter_mut().for_each(|value| *value = change(*value));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_its_rows_of_pixels_of_channels() {
        let shape = Shape { height: 2, width: 1, channels: 3 };
        let images = Images::new(shape, (0..12).collect()).with_labels(vec![4, 9]);
        let images = images.with_files(vec!["a.png".to_owned(), "b.png".to_owned()]);
        assert_eq!((images.len(), images.image(1)), (2, &[6, 7, 8, 9, 10, 11][..]));
        let turned = images.chosen(&[1, 0, 1]);
        assert_eq!((turned.image(0), turned.image(1)), (images.image(1), images.image(0)));
        assert_eq!(turned.labels(), Some(&[9, 4, 9][..]));
        assert_eq!(turned.files().unwrap(), ["b.png", "a.png", "b.png"]);
        assert_eq!(shape.to_string(), "2 × 1 RGB");
    }

    #[test]
    #[should_panic(expected = "5 values are no pictures of 2 × 1 grey")]
    fn a_part_of_a_picture_is_a_mistake_of_the_caller() {
        Images::new(Shape { height: 2, width: 1, channels: 1 }, vec![0; 5]);
    }
}
