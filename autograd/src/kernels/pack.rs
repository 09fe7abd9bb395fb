//! Copying pieces of a strided matrix into the order in which the block product reads them, and the buffers that hold them.
//!
//! A strip is a few lanes side by side: for each k in turn, one value per lane. A strip of A has 8 lanes (rows), a panel of B
//! has up to 48 (columns). What is done with strips is in `blocked` and `packed`.

use super::micro::{LANES, Lane};

/// Sixteen values on a cache-line boundary, so that no vector of a packed strip straddles two lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Line<T>([T; LANES]);

/// A buffer of at least `len` values, from this thread's store; [`give_back`] returns it. Its contents are arbitrary.
///
/// A thread that takes a second buffer before it returned the first simply gets another one.
pub(super) fn take<T: Lane>(len: usize) -> Vec<Line<T>> {
    let lines = len.div_ceil(LANES);
    let found = T::spare().with_borrow_mut(|spare| {
        // The smallest that is large enough; otherwise one that will be replaced anyway.
        let best = (0..spare.len()).min_by_key(|&i| (spare[i].len() < lines, spare[i].len()))?;
        Some(spare.swap_remove(best))
    });
    with_len(found.unwrap_or_default(), len)
}

/// Returns a buffer for the next product on this thread: fresh memory would cost page faults each time.
pub(super) fn give_back<T: Lane>(buffer: Vec<Line<T>>) {
    T::spare().with_borrow_mut(|spare| spare.push(buffer));
}

/// The buffer with room for `len` values; grows by allocating anew, because the old contents are of no use.
pub(super) fn with_len<T: Lane>(buffer: Vec<Line<T>>, len: usize) -> Vec<Line<T>> {
    let lines = len.div_ceil(LANES);
    if buffer.len() >= lines {
        return buffer;
    }
    drop(buffer);
    vec![Line::default(); lines]
}

/// Where a strip comes from: value `(k, lane)` is `from + k·step + lane·stride`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub from: *const T,
    pub step: usize,
    pub stride: usize,
}

/// Writes `depth × lanes` values of `source` to `out + k·width + lane`. Lanes from `lanes` to `width` are left as they are:
/// the block product never reads them.
///
/// # Safety
/// The source is valid to read at all these places, `out` to write.
pub(super) unsafe fn strip<T: Lane>(source: Source<T>, depth: usize, lanes: usize, width: usize, out: *mut T) {
    // SAFETY: k < depth and lane < lanes: the places the caller vouches for.
    unsafe {
        if source.stride == 1 {
            for k in 0..depth {
                std::ptr::copy_nonoverlapping(source.from.add(k * source.step), out.add(k * width), lanes);
            }
            return;
        }
        // A tile of 16 steps at a time reads whole cache lines where the steps are contiguous.
        for first in (0..depth).step_by(LANES) {
            for lane in 0..lanes {
                for k in first..depth.min(first + LANES) {
                    *out.add(k * width + lane) = *source.from.add(k * source.step + lane * source.stride);
                }
            }
        }
    }
}
