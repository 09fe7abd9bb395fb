//! Two members one behind the other: what has to be done in order, stage after stage, and what follows from each stage without being
//! waited for.

use super::Team;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Looks at the other's progress before the core is offered to somebody else: a stage takes a microsecond or less.
const LOOKS: usize = 10_000;

/// In place of a number of stages: leading panicked.
const ABANDONED: usize = usize::MAX;

/// How many stages have been led, on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Led(AtomicUsize);

/// Tells the follower that no more comes, when leading panics.
struct Abandon<'l>(&'l Led);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.0.store(ABANDONED, Ordering::Release);
    }
}

/// Stages of which each is one member's at a time.
struct Stages<S>(*mut S);

// SAFETY: a stage is used by one thread at a time, first the leader, then the follower.
unsafe impl<S: Send> Sync for Stages<S> {}

impl<S> Stages<S> {
    /// # Safety
    /// There is such a stage, and nobody else uses it while the reference lives.
    #[allow(clippy::mut_from_ref)] // the caller's promise
    unsafe fn at(&self, i: usize) -> &mut S {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.add(i) }
    }
}

impl Team {
    /// Calls `lead(i, stage)` for all stages in order, and `follow(i, stage)` for each after it was led, in order as well: on this thread
    /// one after the other where the team has one member, else on two threads at a time, of which the caller leads. What lies between
    /// the two calls of a stage, they hand over in it.
    ///
    /// # Panics
    /// As [`Team::run`].
    pub fn relay<S: Send>(
        &mut self,
        stages: &mut [S],
        mut lead: impl FnMut(usize, &mut S) + Send,
        mut follow: impl FnMut(usize, &mut S) + Send,
    ) {
        if self.members() == 1 {
            for (i, stage) in stages.iter_mut().enumerate() {
                lead(i, stage);
                follow(i, stage);
            }
            return;
        }
        let (count, led, stages) = (stages.len(), Led::default(), Stages(stages.as_mut_ptr()));
        // Each is called by one member: nobody waits for these locks.
        let (lead, follow) = (Mutex::new(lead), Mutex::new(follow));
        self.run(|member| match member {
            0 => {
                let lead = &mut *lead.lock().unwrap_or_else(PoisonError::into_inner);
                let abandon = Abandon(&led);
                for i in 0..count {
                    // SAFETY: the stage exists; its follower waits for the store below.
                    lead(i, unsafe { stages.at(i) });
                    led.0.store(i + 1, Ordering::Release);
                }
                std::mem::forget(abandon);
            }
            1 => {
                let follow = &mut *follow.lock().unwrap_or_else(PoisonError::into_inner);
                for i in 0..count {
                    let mut looks = 0;
                    while led.0.load(Ordering::Acquire) <= i {
                        looks += 1;
                        if looks < LOOKS { std::hint::spin_loop() } else { thread::yield_now() }
                    }
                    if led.0.load(Ordering::Acquire) == ABANDONED {
                        return;
                    }
                    // SAFETY: the stage exists, and its leader is done with it.
                    follow(i, unsafe { stages.at(i) });
                }
            }
            _ => {}
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn every_stage_is_led_and_then_followed_in_order() {
        for threads in [1, 2, 3, 8] {
            let mut team = Team::new(threads);
            let mut stages = vec![0_u64; 30];
            for round in 0..300 {
                let (mut last_led, mut last_followed) = (None, None);
                let lead = |i: usize, stage: &mut u64| {
                    assert_eq!(last_led.replace(i), i.checked_sub(1));
                    *stage = *stage * 3 + 1;
                };
                let follow = |i: usize, stage: &mut u64| {
                    assert_eq!(last_followed.replace(i), i.checked_sub(1));
                    *stage = *stage * 5 % 1001 + i as u64;
                };
                team.relay(&mut stages, lead, follow);
                assert_eq!((last_led, last_followed), (Some(29), Some(29)), "{threads} threads, round {round}");
            }
            let mut expected: Vec<u64> = vec![0; 30];
            for (i, stage) in expected.iter_mut().enumerate() {
                (0..300).for_each(|_| *stage = (*stage * 3 + 1) * 5 % 1001 + i as u64);
            }
            assert_eq!(stages, expected, "{threads} threads");
        }
    }

    #[test]
    fn a_leader_that_panics_is_heard_and_leaves_nobody_waiting() {
        for threads in [1, 2] {
            let mut team = Team::new(threads);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let followed = |i: usize, _: &mut ()| assert!(i < 2, "a stage is followed that was not led");
                team.relay(&mut [(); 4], |i, ()| assert!(i < 2, "stage 2 cannot be led"), followed);
            }));
            let payload = outcome.expect_err("the panic comes through");
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"stage 2 cannot be led"));
            let mut led = 0;
            team.relay(&mut [(); 4], |_, ()| led += 1, |_, ()| {});
            assert_eq!(led, 4, "the team goes on");
        }
    }
}
