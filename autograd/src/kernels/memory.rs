//! A global allocator that hands freed large blocks out again, with their pages.
//!
//! A training step asks for the same buffers as the one before. The system gives and takes such buffers as fresh pages, and a page
//! fault costs more than the arithmetic on the page. Small requests go to the system: its allocator is good at them.
//!
//! What is kept is bounded: live and kept blocks together never hold more than the largest sum that was ever live at once, so the
//! peak of the memory is that of a program that keeps nothing. When a request finds no block of its size and would break the
//! bound, blocks that were freed longest ago go back to the system. Sizes are rounded up to one of four classes per power of two
//! (the excess is not touched, so it takes no memory).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes from which a block is kept: below, the system's allocator keeps pages itself.
pub const LARGE: usize = 1 << 16;

/// Every large block begins at a multiple of a cache line, which is also the widest SIMD register.
const ALIGNMENT: usize = 64;

/// Room before a block for its [`Header`] and the alignment.
const MARGIN: usize = ALIGNMENT + size_of::<Header>();

/// Classes of sizes, up to 2⁴⁶ bytes.
const CLASSES: usize = 128;
const LARGEST: usize = 1 << 46;

/// The class of a size: e and q of the smallest `(q + 1)·2^(e−2) ≥ size`, 4 ≤ q < 8.
fn class_of(size: usize) -> usize {
    let e = (size - 1).ilog2() as usize;
    let q = (size - 1) >> (e - 2);
    (e - 15) * 4 + q - 4
}

/// The bytes of a block of a class.
fn capacity(class: usize) -> usize {
    (class % 4 + 5) << (class / 4 + 13)
}

/// Stands just before each large block.
struct Header {
    /// What the system returned, and gets back.
    base: *mut u8,
    class: usize,
}

/// Stands in a block while nobody uses it: its place in the list of its class and in the list of all kept blocks by age.
struct Kept {
    newer: *mut Kept,
    older: *mut Kept,
    newer_in_class: *mut Kept,
    older_in_class: *mut Kept,
}

/// How much memory the large blocks take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In use.
    pub live: usize,
    /// Freed, and kept to be used again.
    pub kept: usize,
    /// The most that was ever in use at once (or since [`CachingAllocator::trim`]): the bound of `live + kept`.
    pub peak: usize,
}

struct State {
    newest: *mut Kept,
    oldest: *mut Kept,
    newest_in_class: [*mut Kept; CLASSES],
    usage: Usage,
}

/// The allocator; install it with `#[global_allocator]`.
///
/// ```
/// use autograd::kernels::memory::CachingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CachingAllocator = CachingAllocator::new();
///
/// drop(vec![0u8; 1 << 20]);
/// assert!(ALLOCATOR.usage().kept >= 1 << 20);
/// ```
pub struct CachingAllocator {
    /// A lock of our own: those of the standard library may allocate.
    locked: AtomicBool,
    state: UnsafeCell<State>,
}

// SAFETY: `state` is only touched by `with_state`, under the lock; its pointers are to blocks that belong to the allocator.
unsafe impl Sync for CachingAllocator {}
// SAFETY: as above; nothing in it belongs to a thread.
unsafe impl Send for CachingAllocator {}

impl State {
    /// Puts a block at the front of both lists.
    ///
    /// # Safety
    /// `block` is a large block of this class that nobody uses.
    unsafe fn keep(&mut self, block: *mut Kept, class: usize) {
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
    unsafe fn unlink(&mut self, block: *mut Kept, class: usize) {
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
    fn evict(&mut self, bound: usize) -> *mut Kept {
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

    fn add_live(&mut self, size: usize) {
        self.usage.live += size;
        self.usage.peak = self.usage.peak.max(self.usage.live);
    }
}

/// The header of a large block.
fn header(block: *mut u8) -> *mut Header {
    block.wrapping_sub(size_of::<Header>()).cast()
}

/// What the system is asked for, for a block of this class. (16 is what its plain, lazily zeroed path promises.)
fn system_layout(class: usize) -> Layout {
    Layout::from_size_align(capacity(class) + MARGIN, 16).expect("far below the largest size")
}

/// A fresh block of the system; null if it has none.
fn fresh(class: usize, zeroed: bool) -> *mut u8 {
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
        block
    }
}

/// Gives evicted blocks, linked by `older`, back to the system.
fn give_back(mut evicted: *mut Kept) {
    while !evicted.is_null() {
        // SAFETY: evicted blocks are in no list any more; their base and class are those of `fresh`.
        unsafe {
            let (next, Header { base, class }) = ((*evicted).older, header(evicted.cast()).read());
            System.dealloc(base, system_layout(class));
            evicted = next;
        }
    }
}

fn is_large(layout: Layout) -> bool {
    (LARGE..=LARGEST).contains(&layout.size()) && layout.align() <= ALIGNMENT
}

impl CachingAllocator {
    /// An allocator that keeps nothing yet.
    pub const fn new() -> Self {
        let usage = Usage { live: 0, kept: 0, peak: 0 };
        let newest_in_class = [null_mut(); CLASSES];
        let state = State { newest: null_mut(), oldest: null_mut(), newest_in_class, usage };
        CachingAllocator { locked: AtomicBool::new(false), state: UnsafeCell::new(state) }
    }

    /// How much memory the large blocks take now.
    pub fn usage(&self) -> Usage {
        self.with_state(|state| state.usage)
    }

    /// Gives all kept blocks back to the system, and forgets the peak: for the end of a phase that needed much.
    pub fn trim(&self) {
        let evicted = self.with_state(|state| {
            let evicted = state.evict(0);
            state.usage.peak = state.usage.live;
            evicted
        });
        give_back(evicted);
    }

    /// `f` must neither panic nor allocate.
    fn with_state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let mut spins = 0u32;
        while self.locked.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spins += 1;
            // The holder needs some nanoseconds, unless it lost its core.
            if spins.is_multiple_of(64) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        // SAFETY: the lock is ours, and `f` cannot come back here.
        let result = f(unsafe { &mut *self.state.get() });
        self.locked.store(false, Ordering::Release);
        result
    }

    /// A block for a large layout: a kept one of its class, else a fresh one.
    fn large(&self, size: usize, zeroed: bool) -> *mut u8 {
        let class = class_of(size);
        let bytes = capacity(class);
        let (kept, evicted) = self.with_state(|state| {
            let kept = state.newest_in_class[class];
            if !kept.is_null() {
                // SAFETY: the head of a class is in the lists.
                unsafe { state.unlink(kept, class) };
            }
            state.add_live(bytes);
            // A fresh block may push what is kept over the bound; a kept one cannot.
            (kept.cast::<u8>(), state.evict(state.usage.peak))
        });
        give_back(evicted);
        if !kept.is_null() {
            if zeroed {
                // SAFETY: the block has at least `size` bytes and is ours alone.
                unsafe { ptr::write_bytes(kept, 0, size) };
            }
            return kept;
        }
        let mut block = fresh(class, zeroed);
        if block.is_null() {
            give_back(self.with_state(|state| state.evict(0)));
            block = fresh(class, zeroed);
        }
        if block.is_null() {
            self.with_state(|state| state.usage.live -= bytes);
        }
        block
    }
}

impl Default for CachingAllocator {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: small layouts are the system's alone. A large block has `capacity(class) ≥ size` bytes at a multiple of 64, belongs to one
// owner from `large` to `dealloc`, and every size and alignment decides alone, in the same way each time, which of the two it is.
unsafe impl GlobalAlloc for CachingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return self.large(layout.size(), false);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return self.large(layout.size(), true);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !is_large(layout) {
            // SAFETY: the caller's promise; small blocks are the system's.
            return unsafe { System.dealloc(block, layout) };
        }
        // SAFETY: the caller gives back a block of `large`, which nobody uses any more.
        unsafe {
            let class = (*header(block)).class;
            self.with_state(|state| {
                state.usage.live -= capacity(class);
                state.keep(block.cast(), class);
            });
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size, rounded up to the alignment, does not overflow.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (is_large(layout), is_large(new_layout)) {
            // SAFETY: the caller's promise; small blocks are the system's.
            (false, false) => return unsafe { System.realloc(block, layout, new_size) },
            (true, true) if class_of(layout.size()) == class_of(new_size) => return block,
            _ => {}
        }
        // SAFETY: the new block is fresh, so the two do not overlap, and both hold what is copied.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests;
