//! What is kept, what has to go, and waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use console::otlp::{Encoding, Signal, decode};
use console::store::{Clock, Source};
use console::{Limits, Store};
use prost::Message;

use crate::PATIENCE;
use crate::exports::traces;

/// A clock that stands still until it is moved.
fn clock() -> (Clock, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let read = Arc::clone(&seconds);
    (
        Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst))),
        seconds,
    )
}

fn take_traces(store: &Store) {
    let batch = decode(
        Signal::Traces,
        Encoding::Protobuf,
        &traces().encode_to_vec(),
        usize::MAX,
    )
    .unwrap();
    store.take_batch(Source::OtlpHttp, batch);
}

#[test]
fn what_is_too_old_goes_even_if_nothing_new_arrives() {
    let (clock, seconds) = clock();
    let store = Store::with_clock(
        Limits {
            age: Duration::from_secs(60),
            ..Limits::default()
        },
        clock,
    );
    store.take_datagram(Source::Udp, b"old:1|c\n_sc|x|0\n_e{1,1}:a|b");
    take_traces(&store);
    seconds.fetch_add(60, Ordering::SeqCst);
    store.take_datagram(Source::Udp, b"new:1|c");
    assert_eq!(
        store.stats().kept.total(),
        6,
        "sixty seconds are not more than sixty seconds"
    );

    seconds.fetch_add(1, Ordering::SeqCst);
    let stats = store.stats();
    assert_eq!(stats.kept.total(), 1);
    assert_eq!(
        (
            stats.dropped_for_age.spans,
            stats.dropped_for_age.total(),
            stats.dropped_for_memory.total()
        ),
        (2, 5, 0)
    );
    assert_eq!(store.metrics()[0].name(), "new");

    seconds.fetch_add(100, Ordering::SeqCst);
    assert_eq!(
        (store.stats().kept.total(), store.stats().bytes),
        (0, 0),
        "every byte is given back"
    );
}

#[test]
fn a_clock_that_goes_back_harms_nothing() {
    let (clock, seconds) = clock();
    let store = Store::with_clock(
        Limits {
            age: Duration::from_secs(60),
            ..Limits::default()
        },
        clock,
    );
    store.take_datagram(Source::Udp, b"a:1|c");
    seconds.store(0, Ordering::SeqCst);
    store.take_datagram(Source::Udp, b"b:1|c");
    assert_eq!(store.stats().kept.samples, 2);
}

#[test]
fn the_oldest_go_when_memory_runs_out_whatever_they_are() {
    let limits = Limits {
        bytes: 100_000,
        ..Limits::default()
    };
    let store = Store::new(limits);
    take_traces(&store);
    store.take_datagram(Source::Udp, b"_sc|first|0");
    for n in 0..5_000 {
        store.take_datagram(
            Source::Udp,
            format!("requests:{n}|c|#route:/{}", n % 50).as_bytes(),
        );
        assert!(store.stats().bytes <= limits.bytes);
    }
    let stats = store.stats();
    assert_eq!((stats.kept.spans, stats.kept.service_checks), (0, 0));
    assert_eq!(stats.kept.samples + stats.dropped_for_memory.samples, 5_000);
    assert_eq!(
        stats.received.total(),
        stats.kept.total() + stats.dropped_for_memory.total()
    );
    assert!(stats.kept.samples > 100, "{stats:?}");
    let kept: Vec<f64> = store
        .metrics()
        .iter()
        .map(|sample| sample.numbers()[0])
        .collect();
    let newest: Vec<f64> = (0..5_000).map(f64::from).skip(5_000 - kept.len()).collect();
    assert_eq!(kept, newest);
}

/// Series are shared by their samples and must not outlive them, or a sender with ever new tags would fill the memory.
#[test]
fn ever_new_series_stay_within_the_budget() {
    let limits = Limits {
        bytes: 100_000,
        ..Limits::default()
    };
    let store = Store::new(limits);
    for n in 0..5_000 {
        store.take_datagram(
            Source::Udp,
            format!("m{n}:1|c|#user:{n},session:{}", n * 7).as_bytes(),
        );
        assert!(store.stats().bytes <= limits.bytes);
    }
    assert!(store.stats().kept.samples > 50, "{:?}", store.stats());
}

#[test]
fn one_item_larger_than_the_budget_is_not_kept() {
    let store = Store::new(Limits {
        bytes: 500,
        ..Limits::default()
    });
    let event = format!("_e{{1000,1}}:{}|x", "a".repeat(1000));
    store.take_datagram(Source::Udp, event.as_bytes());
    let stats = store.stats();
    assert_eq!(
        (
            stats.kept.events,
            stats.dropped_for_memory.events,
            stats.bytes
        ),
        (0, 1, 0)
    );
}

#[test]
fn of_bad_packets_all_are_counted_and_the_last_are_kept() {
    let store = Store::new(Limits {
        bad_packets: 3,
        ..Limits::default()
    });
    for n in 0..100 {
        store.take_datagram(
            Source::Udp,
            format!("bad{n}{}", "x".repeat(4000)).as_bytes(),
        );
    }
    let bad = store.bad_packets();
    assert_eq!((bad.total, bad.last.len()), (100, 3));
    assert!(bad.last[2].excerpt.starts_with("bad99x"));
    assert!(bad.last.iter().all(|packet| packet.excerpt.len() <= 512));
}

#[test]
fn a_store_that_is_cleared_is_as_new() {
    let store = Store::new(Limits::default());
    store.take_datagram(Source::Udp, b"a:1|c\nbad");
    store.clear();
    assert_eq!(store.stats(), console::store::Stats::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_arrival_is_missed_by_those_who_wait() {
    const SENDERS: u64 = 4;
    const EACH: u64 = 500;
    let store = Store::new(Limits::default());
    let waiters: Vec<_> = (1..=8)
        .map(|n| {
            let store = store.clone();
            let wanted = n * SENDERS * EACH / 8;
            tokio::spawn(async move {
                store
                    .wait_for(PATIENCE, |seen| {
                        (seen.stats.received.samples >= wanted).then_some(())
                    })
                    .await
            })
        })
        .collect();
    for _ in 0..SENDERS {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..EACH {
                store.take_datagram(Source::Udp, b"tick:1|c");
                tokio::task::yield_now().await;
            }
        });
    }
    for waiter in waiters {
        waiter.await.unwrap().unwrap();
    }
}
