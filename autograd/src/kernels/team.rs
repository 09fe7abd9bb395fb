//! Fork and join in about a microsecond, for one generated symbol at a time.
//!
//! A symbol takes 20–60 µs, and rayon's workers sleep between two of them: waking them costs as much again. The members of a
//! [`Team`] spin for a while before they sleep, and each always does the same share, so that it finds its part of the weights in
//! its own cache. A member that the system does not let run in time is stood in for by the caller, so that on a busy machine a
//! round takes no longer than the work of all shares on one thread. For everything longer than a few hundred microseconds rayon is the right tool: it balances, this does not.

mod relay;

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a member spins for the next task before it sleeps: longer than the time between two symbols.
const SPIN: Duration = Duration::from_micros(200);

/// A few threads, the caller among them, that run one closure together.
#[derive(Debug)]
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

/// On a cache line of its own (and the one that is fetched with it): members count up their own at the same time.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Taken(AtomicUsize);

struct Shared {
    /// Counts tasks: a helper that sees a new number runs the task once.
    round: AtomicUsize,
    /// For each helper, the last round in which somebody began its share.
    begun: Vec<AtomicUsize>,
    /// Helpers' shares of this round that are not finished.
    running: AtomicUsize,
    stopping: AtomicBool,
    /// The task of this round: written only while no share runs, read only by whoever began one.
    task: UnsafeCell<&'static (dyn Fn(usize) + Sync)>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// For [`Team::run_shares`]: how many ranges of each member's share have been taken.
    taken: Vec<Taken>,
    started: Bell,
    finished: Bell,
}

// SAFETY: `task` is the one field that is not already Sync, and `Team::run` says why its uses never overlap.
unsafe impl Sync for Shared {}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("round", &self.round).finish_non_exhaustive()
    }
}

impl Team {
    /// A team of `threads` members: the caller of [`Team::run`] is member 0, and `threads − 1` threads are started.
    ///
    /// # Panics
    /// If `threads` is 0 or the system refuses a thread.
    pub fn new(threads: usize) -> Self {
        assert!(threads > 0, "team: at least the caller is a member");
        // Spinning while another member waits for this very core would only delay it.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let spin = if threads <= cores { SPIN } else { Duration::ZERO };
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            begun: (1..threads).map(|_| AtomicUsize::new(0)).collect(),
            running: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            task: UnsafeCell::new(&|_| {}),
            panic: Mutex::new(None),
            taken: (0..threads).map(|_| Taken::default()).collect(),
            started: Bell::new(spin),
            finished: Bell::new(spin),
        });
        let helpers = (1..threads)
            .map(|member| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("team-{member}"))
                    .spawn(move || shared.help(member))
                    .expect("team: the system refuses a thread")
            })
            .collect();
        Team { shared, helpers }
    }

    /// The number of members, the caller included.
    pub fn members(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Runs `task(0)` here and `task(1)`, `task(2)`, … on the other members, and returns when all are done.
    ///
    /// Each share is run exactly once; one that its member has not begun when the caller is done with its own, by the caller.
    ///
    /// # Panics
    /// If a member's call panics: with its payload, after all members are done.
    pub fn run(&mut self, task: impl Fn(usize) + Sync) {
        if self.helpers.is_empty() {
            return task(0);
        }
        let task: &(dyn Fn(usize) + Sync) = &task;
        // SAFETY: only the lifetime changes. Whoever runs a share uses the task between `begin` of this round and the decrement
        // of `running`, and this function neither returns nor unwinds before `running` is 0.
        let task_of_any_life =
            unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
        let shared = &*self.shared;
        // SAFETY: nobody reads the field now: all shares of the last round are finished, none of this round can be begun before
        // `round` is counted up, and `&mut self` excludes another caller.
        unsafe { *shared.task.get() = task_of_any_life };
        shared.running.store(self.helpers.len(), SeqCst);
        let round = shared.round.fetch_add(1, SeqCst) + 1;
        shared.started.ring();
        let own = catch_unwind(AssertUnwindSafe(|| task(0)));
        for member in 1..=self.helpers.len() {
            shared.share(member, round);
        }
        shared.finished.wait_until(|| shared.running.load(SeqCst) == 0);
        let others = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(payload) = own.err().or(others) {
            resume_unwind(payload);
        }
    }
}

impl Team {
    /// Runs `task` on ranges that together are `0..count`, each of `grain` but the last ones of a share.
    ///
    /// Every member begins with its own share, the same at every call, so that it finds what belongs to these numbers in its own
    /// cache; one that is done before the others takes ranges of theirs, so that nobody waits for longer than one range takes.
    /// With `backward` each share is gone through from its end.
    ///
    /// # Panics
    /// If `grain` is 0, and as [`Team::run`].
    pub fn run_shares(&mut self, count: usize, grain: usize, backward: bool, task: impl Fn(Range<usize>) + Sync) {
        assert!(grain > 0, "team: ranges of nothing");
        let members = self.members();
        let share = |member: usize| count * member / members..count * (member + 1) / members;
        let shared = Arc::clone(&self.shared);
        shared.taken.iter().for_each(|taken| taken.0.store(0, SeqCst));
        self.run(|member| {
            for other in (0..members).map(|distance| (member + distance) % members) {
                let share = share(other);
                let ranges = share.len().div_ceil(grain);
                loop {
                    let range = shared.taken[other].0.fetch_add(1, SeqCst);
                    if range >= ranges {
                        break;
                    }
                    let range = if backward { ranges - 1 - range } else { range };
                    let start = share.start + range * grain;
                    task(start..share.end.min(start + grain));
                }
            }
        });
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stopping.store(true, SeqCst);
        self.shared.started.ring();
        for helper in self.helpers.drain(..) {
            // A helper catches the panics of its tasks, so that there is nothing to report here.
            let _ = helper.join();
        }
    }
}

impl Shared {
    fn help(&self, member: usize) {
        let mut done = 0;
        loop {
            self.started.wait_until(|| self.round.load(SeqCst) != done || self.stopping.load(SeqCst));
            if self.stopping.load(SeqCst) {
                return;
            }
            done = self.round.load(SeqCst);
            self.share(member, done);
        }
    }

    /// Runs a member's share of a round, unless somebody has begun it.
    fn share(&self, member: usize, round: usize) {
        // A thread that slept through whole rounds may come with an old number, and finds it taken.
        if self.begun[member - 1].compare_exchange(round - 1, round, SeqCst, SeqCst).is_err() {
            return;
        }
        // SAFETY: this round's caller wrote the task before it started the round, and waits for our decrement below.
        let task = unsafe { *self.task.get() };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| task(member))) {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
        }
        if self.running.fetch_sub(1, SeqCst) == 1 {
            self.finished.ring();
        }
    }
}

/// Waiting for a condition on atomics: spinning first, asleep later.
struct Bell {
    spin: Duration,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    fn new(spin: Duration) -> Self {
        Bell { spin, sleepers: AtomicUsize::new(0), lock: Mutex::new(()), rung: Condvar::new() }
    }

    /// Returns once `condition` holds; whoever makes it hold calls [`Bell::ring`] afterwards.
    fn wait_until(&self, condition: impl Fn() -> bool) {
        let begin = Instant::now();
        loop {
            // The clock is read rarely: the condition should be seen as soon as it holds.
            for _ in 0..100 {
                if condition() {
                    return;
                }
                std::hint::spin_loop();
            }
            if begin.elapsed() >= self.spin {
                break;
            }
        }
        // Either we see the condition after we announced ourselves, or the ringer sees us after it made the condition hold
        // (both orders are sequentially consistent); then it waits for the lock, which we leave only inside `wait`.
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, SeqCst);
        while !condition() {
            guard = self.rung.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, SeqCst);
    }

    fn ring(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.rung.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
