//! The blocks of the caching allocator: classes of sizes, the header before each block, and the lists of those that are kept.
//!
//! Not thread-safe: the allocator holds a lock around every use of [`State`].

use super::Usage;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;

/// Every large block begins at a multiple of a cache line, which is also the widest SIMD register.
pub(super) const ALIGNMENT: usize = 64;

/// Room before a block for its [`Header`] and the alignment.
const MARGIN: usize = ALIGNMENT + size_of::<Header>();

/// The largest size that has a class: 2⁴⁶ bytes, or a quarter of a smaller address space.
pub(super) const LARGEST: usize = 1 << if usize::BITS == 64 { 46 } else { usize::BITS - 2 };
/// Classes of sizes.
pub(super) const CLASSES: usize = class_of(LARGEST) + 1;

/// The class of a size: e and q of the smallest `(q + 1)·2^(e−2) ≥ size`, 4 ≤ q < 8.
pub(super) const fn class_of(size: usize) -> usize {
    let e = (size - 1).ilog2() as usize;
    let q = (size - 1) >> (e - 2);
    (e - 15) * 4 + q - 4
}

/// The bytes of a block of a class.
pub(super) fn capacity(class: usize) -> usize {
    (class % 4 + 5) << (class / 4 + 13)
}

/// Stands just before each large block.
pub(super) struct Header {
    /// What the system returned, and gets back.
    pub(super) base: *mut u8,
    pub(super) class: usize,
}

/// Stands in a block while nobody uses it: its place in the list of its class and in the list of all kept blocks by age.
pub(super) struct Kept {
    newer: *mut Kept,
    older: *mut Kept,
    newer_in_class: *mut Kept,
    older_in_class: *mut Kept,
}

pub(super) struct State {
    newest: *mut Kept,
    oldest: *mut Kept,
    pub(super) newest_in_class: [*mut Kept; CLASSES],
    pub(super) usage: Usage,
}

impl State {
    pub(super) const fn new() -> Self {
        let usage = Usage { live: 0, kept: 0, peak: 0 };
        State { newest: null_mut(), oldest: null_mut(), newest_in_class: [null_mut(); CLASSES], usage }
    }

    /// Puts a block at the front of both lists.
    ///
    /// # Safety
    /// `block` is a large block of this class that nobody uses.
    pub(super) unsafe fn keep(&mut self, block: *mut Kept, class: usize) {
        let head = &mut self.newest_in_class[class];
        // SAFETY: the caller gives the block, which has room for `Kept`; those in the lists are kept blocks.
        unsafe {
            block.write(Kept {
                newer: null_mut(),
                older: self.newest,
                newer_in_class: null_mut(),
                older_in_class: *head,
            });
            match self.newest.as_mut() {
                Some(next) => next.newer = block,
                None => self.oldest = block,
            }
            if let Some(next) = head.as_mut() {
                next.newer_in_class = block;
            }
        }
        (self.newest, *head) = (block, block);
        self.usage.kept += capacity(class);
    }

    /// Takes a block out of both lists.
    ///
    /// # Safety
    /// `block` is in the lists, and of this class.
    pub(super) unsafe fn unlink(&mut self, block: *mut Kept, class: usize) {
        // SAFETY: the caller's block is kept, and so are those its links name.
        unsafe {
            let Kept { newer, older, newer_in_class, older_in_class } = block.read();
            *newer.as_mut().map_or(&mut self.newest, |newer| &mut newer.older) = older;
            *older.as_mut().map_or(&mut self.oldest, |older| &mut older.newer) = newer;
            let head = &mut self.newest_in_class[class];
            *newer_in_class.as_mut().map_or(head, |newer| &mut newer.older_in_class) = older_in_class;
            if let Some(older) = older_in_class.as_mut() {
                older.newer_in_class = newer_in_class;
            }
        }
        self.usage.kept -= capacity(class);
    }

    /// Takes the oldest blocks out until at most `bound` bytes are live or kept; returns them, linked by `older`.
    pub(super) fn evict(&mut self, bound: usize) -> *mut Kept {
        let mut evicted = null_mut();
        while self.usage.kept > 0 && self.usage.live + self.usage.kept > bound {
            let block = self.oldest;
            // SAFETY: something is kept, so the oldest exists, with its header before it.
            unsafe {
                self.unlink(block, (*header(block.cast())).class);
                (*block).older = evicted;
            }
            evicted = block;
        }
        evicted
    }

    /// What live and kept blocks may hold together.
    ///
    /// An eighth above the peak: within a bound of the peak itself, a step whose buffers are of many sizes gives back in its second
    /// half what it needs again in its first.
    pub(super) fn bound(&self) -> usize {
        self.usage.peak + self.usage.peak / 8
    }

    pub(super) fn add_live(&mut self, size: usize) {
        self.usage.live += size;
        self.usage.peak = self.usage.peak.max(self.usage.live);
    }
}

/// The header of a large block.
pub(super) fn header(block: *mut u8) -> *mut Header {
    block.wrapping_sub(size_of::<Header>()).cast()
}

/// What the system is asked for, for a block of this class. (16 is what its plain, lazily zeroed path promises.)
fn system_layout(class: usize) -> Layout {
    Layout::from_size_align(capacity(class) + MARGIN, 16).expect("far below the largest size")
}

/// A fresh block of the system, for `size` bytes at first; null if it has none.
pub(super) fn fresh(class: usize, size: usize, zeroed: bool) -> *mut u8 {
    let layout = system_layout(class);
    // SAFETY: the layout's size is not zero. The block begins after the header, at a multiple of `ALIGNMENT` that lies at
    // most `MARGIN` behind the base, so header and capacity fit what was asked for.
    unsafe {
        let base = if zeroed { System.alloc_zeroed(layout) } else { System.alloc(layout) };
        if base.is_null() {
            return base;
        }
        let block = base.add(size_of::<Header>());
        let block = block.add(block.align_offset(ALIGNMENT));
        header(block).write(Header { base, class });
        ask_for_huge_pages(block, size);
        block
    }
}

/// Asks for 2 MiB pages where a block covers them whole, so that it takes no more memory than it uses: a training step walks
/// through more 4 KiB pages than the processor remembers.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(block: *mut u8, size: usize) {
    const HUGE: usize = 2 << 20;
    let first = block.wrapping_add(block.align_offset(HUGE));
    let len = (size + block.addr()).saturating_sub(first.addr()) / HUGE * HUGE;
    if len > 0 {
        // SAFETY: whole pages of a block of ours; the advice changes no contents, and where it is not taken nothing is lost.
        unsafe { libc::madvise(first.cast(), len, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: *mut u8, _: usize) {}

/// Gives evicted blocks, linked by `older`, back to the system.
pub(super) fn give_back(mut evicted: *mut Kept) {
    while !evicted.is_null() {
        // SAFETY: evicted blocks are in no list any more; their base and class are those of `fresh`.
        unsafe {
            let (next, Header { base, class }) = ((*evicted).older, header(evicted.cast()).read());
            System.dealloc(base, system_layout(class));
            evicted = next;
        }
    }
}
