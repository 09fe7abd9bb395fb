//! A global allocator that hands freed large blocks out again, with their pages.
//!
//! A training step asks for the same buffers as the one before. The system gives and takes such buffers as fresh pages, and a page
//! fault costs more than the arithmetic on the page. Small requests go to the system: its allocator is good at them.
//!
//! What is kept is bounded: live and kept blocks together never hold more than nine eighths of the largest sum that was ever live
//! at once, so the peak of the memory is at most an eighth above that of a program that keeps nothing. On Linux, large blocks ask
//! for pages of 2 MiB. When a request finds no block of its size and would break the bound, blocks that were freed longest ago go
//! back to the system. Sizes are rounded up to one of four classes per power of two (the excess is not touched, so it takes no
//! memory).

mod blocks;

use blocks::{ALIGNMENT, LARGEST, State, capacity, class_of, fresh, give_back, header};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes from which a block is kept: below, the system's allocator keeps pages itself.
pub const LARGE: usize = 1 << 16;

/// How much memory the large blocks take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In use.
    pub live: usize,
    /// Freed, and kept to be used again.
    pub kept: usize,
    /// The most that was ever in use at once (or since [`CachingAllocator::trim`]); `live + kept` stays below nine eighths of it.
    pub peak: usize,
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

fn is_large(layout: Layout) -> bool {
    (LARGE..=LARGEST).contains(&layout.size()) && layout.align() <= ALIGNMENT
}

impl CachingAllocator {
    /// An allocator that keeps nothing yet.
    pub const fn new() -> Self {
        CachingAllocator { locked: AtomicBool::new(false), state: UnsafeCell::new(State::new()) }
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
            (kept.cast::<u8>(), state.evict(state.bound()))
        });
        give_back(evicted);
        if !kept.is_null() {
            if zeroed {
                // SAFETY: the block has at least `size` bytes and is ours alone.
                unsafe { ptr::write_bytes(kept, 0, size) };
            }
            return kept;
        }
        let mut block = fresh(class, size, zeroed);
        if block.is_null() {
            give_back(self.with_state(|state| state.evict(0)));
            block = fresh(class, size, zeroed);
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
