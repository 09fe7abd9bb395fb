//! The caching allocator: contents, bounds, reuse, and many threads at once. Each test has an allocator of its own.

use super::blocks::CLASSES;
use super::*;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 4).expect("a size of a test")
}

/// A block with every byte set to `fill`, owned by a test.
struct Block<'a>(&'a CachingAllocator, *mut u8, Layout);

impl<'a> Block<'a> {
    fn new(allocator: &'a CachingAllocator, size: usize, fill: u8) -> Self {
        // SAFETY: the size is not zero, and all of it is written.
        unsafe {
            let block = allocator.alloc(layout(size));
            assert!(!block.is_null() && (size < LARGE || block.addr().is_multiple_of(64)));
            block.write_bytes(fill, size);
            Block(allocator, block, layout(size))
        }
    }

    fn zeroed(allocator: &'a CachingAllocator, size: usize) -> Self {
        // SAFETY: the size is not zero.
        Block(allocator, unsafe { allocator.alloc_zeroed(layout(size)) }, layout(size))
    }

    fn resize(mut self, size: usize) -> Self {
        // SAFETY: the block and its layout are those of the last allocation.
        self.1 = unsafe { self.0.realloc(self.1, self.2, size) };
        self.2 = layout(size);
        self
    }

    fn holds(&self, fill: u8, len: usize) -> bool {
        // SAFETY: a test asks only for bytes that were written.
        unsafe { std::slice::from_raw_parts(self.1, len) }.iter().all(|&byte| byte == fill)
    }
}

// SAFETY: the block has one owner.
unsafe impl Send for Block<'_> {}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `resize`.
        unsafe { self.0.dealloc(self.1, self.2) }
    }
}

#[test]
fn every_size_fits_the_smallest_class_that_holds_it() {
    for size in (LARGE..LARGE * 9).step_by(997).chain([LARGE, LARGE + 1, 1 << 24, (1 << 24) + 1, LARGEST]) {
        let class = class_of(size);
        assert!(class < CLASSES && capacity(class) >= size && capacity(class) - size <= size / 4 + 1, "{size}");
        assert!(capacity(class - 1) < size, "{size} fits a smaller class");
    }
}

#[test]
fn a_freed_block_is_handed_out_again_and_a_zeroed_one_is_zero() {
    let allocator = CachingAllocator::new();
    let first = Block::new(&allocator, 1 << 20, 7);
    let address = first.1;
    drop(first);
    let second = Block::zeroed(&allocator, (1 << 20) - 5);
    assert_eq!(second.1, address);
    assert!(second.holds(0, (1 << 20) - 5));
    let fresh = Block::zeroed(&allocator, 1 << 20);
    assert!(fresh.1 != address && fresh.holds(0, 1 << 20));
}

#[test]
fn small_or_strictly_aligned_blocks_are_not_kept() {
    let allocator = CachingAllocator::new();
    drop(Block::new(&allocator, LARGE - 1, 1));
    let strict = Layout::from_size_align(1 << 20, 4096).expect("valid");
    // SAFETY: the size is not zero; freed with the same layout.
    unsafe {
        let block = allocator.alloc(strict);
        assert!(block.addr().is_multiple_of(4096));
        allocator.dealloc(block, strict);
    }
    assert_eq!(allocator.usage(), Usage { live: 0, kept: 0, peak: 0 });
}

#[test]
fn resizing_keeps_the_contents_across_every_boundary() {
    let allocator = CachingAllocator::new();
    let sizes = [100, LARGE - 1, LARGE, LARGE + 1, 1 << 20, 1000, 3 << 20, (3 << 20) - 100, 5 << 20, LARGE, 10];
    let mut block = Block::new(&allocator, sizes[0], 3);
    for pair in sizes.windows(2) {
        block = block.resize(pair[1]);
        assert!(block.holds(3, pair[0].min(pair[1])), "{} → {}", pair[0], pair[1]);
        // SAFETY: the block has as many bytes.
        unsafe { block.1.write_bytes(3, pair[1]) };
    }
    drop(block);
    assert_eq!(allocator.usage().live, 0);
}

#[test]
fn live_and_kept_blocks_never_hold_more_than_nine_eighths_of_what_was_live_at_once() {
    let allocator = CachingAllocator::new();
    let mut blocks = Vec::new();
    let mut state = 1u64;
    let (mut live, mut peak) = (0, 0);
    for _ in 0..2000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (state >> 33) as usize;
        if random.is_multiple_of(2) && !blocks.is_empty() {
            let block: Block = blocks.swap_remove(random / 2 % blocks.len());
            live -= capacity(class_of(block.2.size()));
        } else {
            let size = LARGE + random / 2 % (8 * LARGE);
            blocks.push(Block::new(&allocator, size, 1));
            live += capacity(class_of(size));
        }
        peak = peak.max(live);
        let usage = allocator.usage();
        assert_eq!((usage.live, usage.peak), (live, peak));
        assert!(usage.live + usage.kept <= peak + peak / 8, "{usage:?}");
    }
    blocks.clear();
    allocator.trim();
    assert_eq!(allocator.usage(), Usage { live: 0, kept: 0, peak: 0 });
}

#[test]
fn the_blocks_that_were_freed_longest_ago_go_first() {
    let allocator = CachingAllocator::new();
    let (a, b) = (Block::new(&allocator, 1 << 20, 1), Block::new(&allocator, 1 << 21, 1));
    let newer = b.1;
    drop(a);
    drop(b);
    let other = Block::new(&allocator, 3 << 18, 1); // of no kept class; the bound of 3⅜ MiB lets the newer one stay
    assert_eq!(allocator.usage().kept, 1 << 21);
    assert_eq!(Block::new(&allocator, 1 << 21, 1).1, newer);
    drop(other);
}

#[test]
fn many_threads_at_once_never_see_each_others_bytes() {
    let allocator = CachingAllocator::new();
    std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel::<Block>();
        let allocator = &allocator;
        for thread in 0..4u8 {
            let send = send.clone();
            scope.spawn(move || {
                let mut state = u64::from(thread) + 1;
                let mut held = Vec::new();
                for round in 0..300 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let size = LARGE / 2 + (state >> 40) as usize % (3 * LARGE);
                    let fill = thread * 60 + round as u8 % 60;
                    held.push((Block::new(allocator, size, fill), fill));
                    if held.len() > 4 {
                        let (block, fill) = held.swap_remove((state >> 33) as usize % held.len());
                        assert!(block.holds(fill, block.2.size()), "thread {thread} lost its bytes");
                        if round % 3 == 0 {
                            let grown = block.2.size() * 2;
                            let block = block.resize(grown);
                            assert!(block.holds(fill, grown / 2), "resizing lost bytes");
                        } else if round % 3 == 1 {
                            send.send(block).expect("the receiver waits"); // freed by another thread
                        }
                    }
                }
            });
        }
        drop(send);
        receive.into_iter().for_each(drop);
    });
    let usage = allocator.usage();
    assert_eq!(usage.live, 0);
    assert!(usage.kept <= usage.peak + usage.peak / 8);
}

/// Page faults of this thread.
#[cfg(target_os = "linux")]
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux has it");
    let after_name = stat.rsplit(')').next().expect("the name is in parentheses");
    after_name.split_whitespace().nth(7).and_then(|n| n.parse().ok()).expect("minflt is the tenth field")
}

#[cfg(target_os = "linux")]
#[test]
fn a_block_used_again_faults_no_page() {
    let allocator = CachingAllocator::new();
    drop(Block::new(&allocator, 64 << 20, 1));
    let before = faults();
    (0..10).for_each(|_| drop(Block::new(&allocator, 64 << 20, 1)));
    let faults = faults() - before;
    assert!(faults < 100, "{faults} page faults in ten uses of 16,384 pages");
}
