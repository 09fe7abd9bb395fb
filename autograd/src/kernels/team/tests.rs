//! Teams of all sizes: every share once, sleepers woken, panics passed on.

use super::*;

#[test]
fn every_member_runs_every_task_once_even_with_more_members_than_cores() {
    for threads in [1, 2, 3, 16] {
        let mut team = Team::new(threads);
        let counts: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
        for round in 0..200 {
            team.run(|member| {
                counts[member].fetch_add(1, SeqCst);
            });
            assert!(counts.iter().all(|count| count.load(SeqCst) == round + 1), "{threads} threads, round {round}");
        }
    }
}

#[test]
fn shares_cover_every_number_once_whoever_runs_them() {
    for (threads, count, grain) in [(1, 10, 4), (2, 209, 4), (3, 2, 5), (5, 0, 1), (4, 1000, 1)] {
        let mut team = Team::new(threads);
        let visits: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        for round in 1..=50 {
            team.run_shares(count, grain, round % 2 == 0, |range| {
                assert!(range.len() <= grain);
                visits[range].iter().for_each(|visits| _ = visits.fetch_add(1, SeqCst));
            });
            assert!(visits.iter().all(|visits| visits.load(SeqCst) == round), "{threads} threads, {count} by {grain}");
        }
    }
}

#[test]
fn a_member_that_is_done_takes_from_the_share_of_one_that_is_not() {
    let mut team = Team::new(2);
    let by_caller = AtomicUsize::new(0);
    let caller = thread::current().id();
    team.run_shares(100, 1, false, |_| {
        if thread::current().id() == caller {
            by_caller.fetch_add(1, SeqCst);
        } else {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(by_caller.load(SeqCst) > 50, "the caller's own share is 50");
}

#[test]
fn members_run_at_the_same_time_on_threads_of_their_own() {
    let mut team = Team::new(3);
    let meeting = std::sync::Barrier::new(3);
    let threads = Mutex::new(Vec::new());
    team.run(|_| {
        meeting.wait(); // would wait for ever if one thread ran two shares one after the other
        threads.lock().unwrap().push(thread::current().id());
    });
    let threads = threads.into_inner().unwrap();
    assert!(threads.len() == 3 && threads[0] != threads[1] && threads[0] != threads[2] && threads[1] != threads[2]);
}

#[test]
fn members_that_went_to_sleep_wake_for_the_next_task() {
    let mut team = Team::new(2);
    for _ in 0..3 {
        thread::sleep(SPIN * 10);
        let count = AtomicUsize::new(0);
        team.run(|_| {
            count.fetch_add(1, SeqCst);
        });
        assert_eq!(count.into_inner(), 2);
    }
}

#[test]
fn a_caller_that_finishes_long_before_the_others_waits_for_them() {
    let mut team = Team::new(3);
    let count = AtomicUsize::new(0);
    team.run(|member| {
        thread::sleep(SPIN * 10 * member as u32);
        count.fetch_add(1, SeqCst);
    });
    assert_eq!(count.into_inner(), 3);
}

#[test]
fn a_panic_of_any_member_reaches_the_caller_and_the_team_stays_usable() {
    let mut team = Team::new(3);
    for bad in 0..3 {
        let outcome = catch_unwind(AssertUnwindSafe(|| team.run(|member| assert_ne!(member, bad, "member fails"))));
        let payload = outcome.expect_err("the panic is passed on");
        assert!(payload.downcast_ref::<String>().is_some_and(|text| text.contains("member fails")));
        team.run(|_| {});
    }
    assert!(catch_unwind(AssertUnwindSafe(|| team.run_shares(9, 1, false, |_| panic!("a range fails")))).is_err());
    team.run_shares(9, 1, false, |_| {});
}
