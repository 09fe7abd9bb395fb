//! How the kernel of a convolution lies over its input: sizes and places, never arithmetic.

use crate::kernels::convolution::{Tap, Window};
use std::rc::Rc;

/// How a convolution's kernel lies over its input: by default densely, without padding.
///
/// ```
/// use autograd::{Convolution, Tensor};
/// let x = Tensor::<f32>::ones(&[1, 1, 4, 4]);
/// let w = Tensor::ones(&[1, 1, 3, 3]);
/// assert_eq!(x.conv2d(&w, None, &Convolution::default()).shape(), [1, 1, 2, 2]);
/// // Zeros all around keep the size; of the kernel only what lies above the middle row is there.
/// let above = Convolution::default().padded([1, 1], [1, 1]).only(&[3, 3], |at| at[0] < 1);
/// assert_eq!(x.conv2d(&w, None, &above).to_vec()[..8], [0.0, 0.0, 0.0, 0.0, 2.0, 3.0, 3.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    dilation: [usize; 2],
    /// Zeros before and after, of each axis; where negative, so many rows or columns are left out.
    padding: [[isize; 2]; 2],
    /// Which places of the kernel are multiplied, in row-major order; all, where none is named.
    live: Option<Rc<[bool]>>,
    pub(super) relu: bool,
}

impl Default for Convolution {
    fn default() -> Self {
        Convolution { dilation: [1; 2], padding: [[0; 2]; 2], live: None, relu: false }
    }
}

impl Convolution {
    /// Zeros above and below, and to the left and right. A negative number leaves out rows or columns of the input instead: with a
    /// kernel of two rows, `[2, -1]` reads the two rows strictly above.
    pub fn padded(self, rows: [isize; 2], columns: [isize; 2]) -> Self {
        Convolution { padding: [rows, columns], ..self }
    }

    /// Places of the kernel so many rows and columns apart.
    ///
    /// # Panics
    /// If a distance is 0.
    #[track_caller]
    pub fn dilated(self, dilation: [usize; 2]) -> Self {
        assert!(!dilation.contains(&0), "convolution: dilation {dilation:?}");
        Convolution { dilation, ..self }
    }

    /// Of a kernel of this height and width only the places `[row, column]` that `live` says: the weight of the others is not read,
    /// and its gradient is exactly 0. Nothing is multiplied there.
    pub fn only(self, kernel: &[usize; 2], live: impl Fn([usize; 2]) -> bool) -> Self {
        let places = (0..kernel[0]).flat_map(|y| (0..kernel[1]).map(move |x| [y, x]));
        Convolution { live: Some(places.map(live).collect()), ..self }
    }

    /// Of the ReLU of the input, `max(x, 0)`: in place of an op of its own, whose output would go through memory once more.
    pub fn of_relu(self) -> Self {
        Convolution { relu: true, ..self }
    }

    /// The height and width of the output.
    #[track_caller]
    pub(super) fn output(&self, input: &[usize], kernel: &[usize]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let padding = self.padding[axis][0].checked_add(self.padding[axis][1]);
            let size = padding.and_then(|padding| input[axis].checked_add_signed(padding));
            let reach = kernel[axis].checked_sub(1).and_then(|steps| steps.checked_mul(self.dilation[axis]));
            let output = size.zip(reach).and_then(|(size, reach)| size.checked_sub(reach));
            output.filter(|&output| output > 0 || input[axis] == 0).unwrap_or_else(|| {
                panic!(
                    "conv2d: kernel {kernel:?} dilated {:?} over input {input:?} padded {:?}",
                    self.dilation, self.padding
                )
            })
        })
    }

    /// The places of the kernel that are multiplied, in row-major order.
    pub(super) fn places(&self, kernel: &[usize]) -> Vec<usize> {
        let places = kernel[0] * kernel[1];
        match &self.live {
            None => (0..places).collect(),
            Some(live) => {
                assert_eq!(live.len(), places, "conv2d: places of a kernel of {kernel:?}");
                (0..places).filter(|&place| live[place]).collect()
            }
        }
    }

    /// What those places read.
    pub(super) fn window(
        &self,
        places: &[usize],
        kernel_width: usize,
        input: [usize; 2],
        output: [usize; 2],
    ) -> Window {
        Window::new(places.iter().map(|&place| self.tap(place, kernel_width)).collect(), input, output)
    }

    /// What a place of the kernel reads.
    fn tap(&self, place: usize, kernel_width: usize) -> Tap {
        let at = |axis: usize, index: usize| (index * self.dilation[axis]) as isize - self.padding[axis][0];
        Tap { down: at(0, place / kernel_width), right: at(1, place % kernel_width) }
    }

    /// The places of a kernel of this height and width that are multiplied, by their numbers in row-major order, which is the order
    /// in which they are added up, and what each of them reads: for whoever computes a convolution piece by piece.
    ///
    /// ```
    /// use autograd::Convolution;
    /// let above = Convolution::default().padded([1, 1], [1, 1]).only(&[3, 3], |at| at[0] < 1);
    /// assert_eq!(above.taps(&[3, 3]).map(|(place, tap)| (place, tap.down, tap.right)).last(), Some((2, -1, 1)));
    /// ```
    ///
    /// # Panics
    /// If places were named for a kernel of another size.
    #[track_caller]
    pub fn taps(&self, kernel: &[usize; 2]) -> impl Iterator<Item = (usize, Tap)> {
        self.places(kernel).into_iter().map(|place| (place, self.tap(place, kernel[1])))
    }

    /// Steps between the places of the kernel, down and to the right.
    pub fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// Whether the input is replaced by its ReLU.
    pub fn is_of_relu(&self) -> bool {
        self.relu
    }
}
