use std::sync::Mutex;

use super::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn line(rate: f64, end: Option<Duration>) -> Line {
    Line::new(Schedule::new(rate, Duration::ZERO, end))
}

fn user(queue: &mut VecDeque<oneshot::Sender<Turn>>) -> oneshot::Receiver<Turn> {
    let (sender, ticket) = oneshot::channel();
    queue.push_back(sender);
    ticket
}

#[test]
fn a_free_user_waits_for_the_schedule() {
    let mut line = line(10.0, None);
    assert_eq!(line.next(ms(0)), (Next::Due(ms(0)), None));
    line.next += 1;
    assert_eq!(line.next(ms(3)), (Next::Later(ms(100)), None));
}

#[test]
fn a_turn_nobody_took_stays_due_since_its_date() {
    let mut line = line(10.0, None);
    line.next = 1;
    assert_eq!(line.next(ms(2_345)), (Next::Due(ms(100)), None));
}

#[test]
fn turns_beyond_patience_are_given_up_and_counted() {
    let mut line = line(10.0, None);
    let now = PATIENCE + ms(50);
    let (next, missed) = line.next(now);
    // Turns 0 to 100 were due by 10.05 s.
    assert_eq!(
        missed,
        Some(Missed {
            turns: 0..101,
            at: now
        })
    );
    assert_eq!(next, Next::Later(ms(10_100)));
}

#[test]
fn the_end_ends_it() {
    let mut line = line(10.0, Some(ms(200)));
    line.next = 2;
    assert_eq!(line.next(ms(150)), (Next::Over, None));
    let mut waiting = Waiting::default();
    let _ticket = user(&mut waiting.visiting);
    assert_eq!(line.serve(&mut waiting, ms(150)), Some(Next::Over));
}

#[test]
fn visits_under_way_go_first_and_who_left_loses_no_turn() {
    let mut line = line(10.0, None);
    let mut waiting = Waiting::default();
    let mut arriving = user(&mut waiting.arriving);
    drop(user(&mut waiting.visiting));
    let mut visiting = user(&mut waiting.visiting);
    assert_eq!(line.serve(&mut waiting, ms(0)), Some(Next::Later(ms(100))));
    assert_eq!(visiting.try_recv(), Ok(Turn { overdue: None }));
    assert!(arriving.try_recv().is_err(), "only one turn was due");
    assert_eq!(line.serve(&mut waiting, ms(100)), None);
    assert_eq!(arriving.try_recv(), Ok(Turn { overdue: None }));
    assert_eq!(line.next, 2);
}

#[test]
fn a_late_timer_is_not_the_shops_fault() {
    let mut line = line(1_000.0, None);
    let mut waiting = Waiting::default();
    let _ticket = user(&mut waiting.visiting);
    // The timer wakes 5 ms late: turn 0 goes to the one who waits, turns 1 to 5 find nobody.
    assert_eq!(line.serve(&mut waiting, ms(5)), None);
    // Taken at 7 ms, turn 1 is late by 2 ms and not by 6.
    assert_eq!(line.next(ms(7)), (Next::Due(ms(5)), None));
}

#[test]
fn no_turn_is_lost_or_given_twice_by_the_clock() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let missed = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&missed);
        let schedule = Schedule::new(2_000.0, Duration::ZERO, Some(ms(500)));
        let pacer = Pacer::new(Some(schedule), move |_, m| {
            *seen.lock().expect("no panic") += m.turns.end - m.turns.start;
        });
        let runner = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.run().await }
        });
        let users: Vec<_> = (0..5)
            .map(|n| {
                let pacer = Arc::clone(&pacer);
                tokio::spawn(async move {
                    let standing = [Standing::Arriving, Standing::Visiting][n % 2];
                    let mut turns = 0;
                    while pacer.turn(standing).await.is_some() {
                        turns += 1;
                        tokio::task::yield_now().await;
                    }
                    turns
                })
            })
            .collect();
        let mut turns = 0;
        for user in users {
            turns += user.await.expect("no panic");
        }
        let start = pacer.start_time().expect("started");
        assert_eq!(turns + *missed.lock().expect("no panic"), 1_000);
        assert!(
            start.elapsed() >= ms(499),
            "turns were given before their time"
        );
        // Where the users found the end by themselves, nobody has told it yet.
        pacer.close();
        runner.await.expect("no panic");
        assert_eq!(pacer.turn(Standing::Visiting).await, None);
    });
}

#[test]
fn closing_sends_everyone_home_and_counts_what_was_long_due() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let missed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&missed);
        let pacer = Pacer::new(
            Some(Schedule::new(0.001, Duration::ZERO, None)),
            move |_, m| seen.lock().expect("no panic").push(m),
        );
        assert!(pacer.turn(Standing::Arriving).await.is_some());
        let waits = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.turn(Standing::Visiting).await }
        });
        tokio::task::yield_now().await;
        pacer.close();
        assert_eq!(waits.await.expect("no panic"), None);
        assert!(missed.lock().expect("no panic").is_empty());
    });
    let mut line = line(10.0, None);
    line.next = 1;
    let late = line.give_up(ms(2_000) - TIMER_SLACK, ms(2_000));
    assert_eq!(
        late,
        Some(Missed {
            turns: 1..19,
            at: ms(2_000)
        })
    );
}

#[test]
fn without_a_schedule_there_is_no_waiting() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pacer = Pacer::new(None, |_, _| unreachable!("nothing can be missed"));
        for _ in 0..1_000 {
            assert_eq!(
                pacer.turn(Standing::Arriving).await,
                Some(Turn { overdue: None })
            );
        }
        pacer.close();
        assert_eq!(pacer.turn(Standing::Arriving).await, None);
    });
}
