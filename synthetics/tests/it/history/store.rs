//! The table, on a real engine.

use std::sync::Arc;

use sandbox::Engine;
use synthetics::history::codec::ByCheck;
use synthetics::history::store::{
    Anchor, Claim, Holder, LocationRecord, MinuteItem, Retention, Saved, Store,
};
use synthetics::history::{HistoryError, Level, Minute, Series};

use super::{DAY, answer, bucket, now};

pub(crate) async fn table(engine: &Engine) -> Store {
    let store = Store::open(&engine.store_args(), None, 1, Retention::default())
        .await
        .expect("store arguments");
    store.create_table().await.expect("a table");
    store
}

pub(crate) fn holder(run: &str) -> Holder {
    Holder {
        run: run.into(),
        host: "web-1".into(),
        pid: 17,
        namespace: String::new(),
        since: now(),
    }
}

async fn ours(store: &Store, run: &str) -> LocationRecord {
    match store.claim("tokyo", &holder(run), false, None).await {
        Ok(Claim::Ours(record)) => record,
        other => panic!("{other:?}"),
    }
}

/// A minute in which the check `page` had so many good answers.
fn checks(minute: Minute, good: u64) -> ByCheck {
    let bucket = bucket(minute, (0..good).map(|n| answer(1_000 + n, None)));
    vec![("page".into(), Series::of(minute, &bucket))]
}

fn item(minute: Minute, good: u64) -> MinuteItem {
    MinuteItem {
        minute,
        checks: checks(minute, good),
        contains: None,
    }
}

async fn read(store: &Store, from: u64, until: u64) -> Vec<(u64, ByCheck)> {
    let mut all = Vec::new();
    let range = DAY.plus(from)..DAY.plus(until);
    let take = |minute: Minute, checks| all.push((minute.0 - DAY.0, checks));
    let read = store.read("tokyo", Level::Minute, range, take).await;
    read.expect("readable items");
    all
}

#[tokio::test]
async fn minutes_are_read_as_they_were_saved_and_in_order() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    store.create_table().await.expect("it may be there already");
    ours(&store, "a").await;
    for offset in [7, 5, 6, 59, 60] {
        let item = item(DAY.plus(offset), offset);
        let saved = store.save_minute("tokyo", "a", &item, now()).await;
        assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    }
    let expected = |offsets: &[u64]| -> Vec<_> {
        let one = |offset: &u64| (*offset, checks(DAY.plus(*offset), *offset));
        offsets.iter().map(one).collect()
    };
    assert_eq!(read(&store, 0, 100).await, expected(&[5, 6, 7, 59, 60]));
    assert_eq!(read(&store, 6, 60).await, expected(&[6, 7, 59]));
    assert_eq!(read(&store, 8, 59).await, []);
    assert_eq!(read(&store, 9, 9).await, []);
    assert_eq!(store.minute("tokyo", DAY).await.expect("a read"), None);
}

#[tokio::test]
async fn only_the_holder_writes_and_no_run_overwrites_another() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let save = async |run: &str, item: &MinuteItem| {
        store
            .save_minute("tokyo", run, item, now())
            .await
            .expect("a save")
    };
    assert_eq!(
        save("a", &item(DAY, 1)).await,
        Saved::NotHeld,
        "nobody holds it yet"
    );
    let first = ours(&store, "a").await;
    assert_eq!(save("a", &item(DAY, 1)).await, Saved::Done);
    assert_eq!(
        save("a", &item(DAY, 2)).await,
        Saved::Done,
        "its own minute grows"
    );

    // A second one is told who was there first, and takes over only from the dead.
    let theirs = store.claim("tokyo", &holder("b"), false, None).await;
    assert!(
        matches!(&theirs, Ok(Claim::Theirs(record)) if record == &first),
        "{theirs:?}"
    );
    assert_eq!(save("b", &item(DAY, 9)).await, Saved::NotHeld);
    assert!(store.beat("tokyo", "a", 2, false).await.expect("a beat"));
    let alive = store
        .claim("tokyo", &holder("b"), false, Some(&first))
        .await;
    assert!(
        matches!(alive, Ok(Claim::Theirs(_))),
        "its beat has moved: {alive:?}"
    );
    let dead = LocationRecord { beat: 2, ..first };
    let taken = store.claim("tokyo", &holder("b"), true, Some(&dead)).await;
    let Ok(Claim::Ours(record)) = taken else {
        panic!("{taken:?}");
    };
    assert!(record.simulated);
    assert!(
        !store.beat("tokyo", "a", 3, false).await.expect("a beat"),
        "it is told"
    );
    assert_eq!(
        save("a", &item(DAY, 3)).await,
        Saved::NotHeld,
        "and writes no more"
    );

    // What the first one saved is kept, unless the second one has added it to its own.
    assert_eq!(save("b", &item(DAY, 9)).await, Saved::Another);
    let (run, kept) = store
        .minute("tokyo", DAY)
        .await
        .expect("a read")
        .expect("it is there");
    assert_eq!((run.as_str(), kept), ("a", checks(DAY, 2)));
    let both = MinuteItem {
        contains: Some(run),
        ..item(DAY, 11)
    };
    assert_eq!(save("b", &both).await, Saved::Done);
    assert_eq!(read(&store, 0, 1).await, [(0, checks(DAY, 11))]);

    // One that gives it up leaves no wait behind.
    assert!(store.beat("tokyo", "b", 2, true).await.expect("a beat"));
    ours(&store, "c").await;
}

#[tokio::test]
async fn of_many_that_want_a_location_one_gets_it() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    for round in 0..10 {
        let claims = (0..8).map(|n| {
            let (store, run) = (store.clone(), format!("{round}-{n}"));
            tokio::spawn(async move {
                let name = format!("place-{round}");
                let claim = store.claim(&name, &holder(&run), false, None).await;
                matches!(claim.expect("a claim"), Claim::Ours(_))
            })
        });
        let mut winners = 0;
        for claim in claims.collect::<Vec<_>>() {
            winners += usize::from(claim.await.expect("a task"));
        }
        assert_eq!(winners, 1);
    }
    let locations = store.locations().await.expect("a read");
    assert_eq!(locations.len(), 10);
}

#[tokio::test]
async fn many_checks_go_into_several_items_and_come_back_whole() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    ours(&store, "a").await;
    let minute = DAY.plus(1);
    let bucket = bucket(minute, (0..20).map(|n| answer(1 << n, None)));
    let series = Series::of(minute, &bucket);
    // Several hundred kilobytes: more than an item takes.
    let many: ByCheck = (0..5_000)
        .map(|n| (Arc::from(format!("check-{n:04}")), series.clone()))
        .collect();
    for minute in [minute, minute.plus(1)] {
        let move_to = |(name, series): &(Arc<str>, Series)| {
            (
                Arc::clone(name),
                Series {
                    first: minute,
                    ..series.clone()
                },
            )
        };
        let item = MinuteItem {
            minute,
            checks: many.iter().map(move_to).collect(),
            contains: None,
        };
        let saved = store.save_minute("tokyo", "a", &item, now()).await;
        assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    }
    let found = read(&store, 1, 2).await;
    assert_eq!(found.len(), 1, "the next minute is not in it");
    assert_eq!(found[0].1, many);
}

#[tokio::test]
async fn what_is_rolled_up_is_noted_in_the_same_breath() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    ours(&store, "a").await;
    let hour = (Level::Hour, DAY);
    let parts = checks(DAY.plus(3), 4);
    let rolled: ByCheck = parts
        .iter()
        .map(|(name, part)| (Arc::clone(name), Series::roll_up(Level::Hour, DAY, [part])))
        .collect();
    let saved = store
        .save_rolled_up("tokyo", "b", hour, &rolled, now())
        .await;
    assert!(matches!(saved, Ok(Saved::NotHeld)), "{saved:?}");
    let saved = store
        .save_rolled_up("tokyo", "a", hour, &rolled, now())
        .await;
    assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    let record = store
        .location("tokyo")
        .await
        .expect("a read")
        .expect("it is there");
    assert_eq!(
        (record.hours_until, record.days_until),
        (DAY.plus(60), Minute(0))
    );
    let mut found = Vec::new();
    let range = DAY..DAY.plus(1);
    store
        .read("tokyo", Level::Hour, range, |minute, checks| {
            found.push((minute, checks))
        })
        .await
        .expect("a read");
    assert_eq!(found, [(DAY, rolled)]);
    let skipped = store
        .skip_rolled_up("tokyo", "a", Level::Day, DAY.plus(1_440))
        .await;
    assert!(matches!(skipped, Ok(Saved::Done)), "{skipped:?}");
    // A restart finds how far it got.
    let claim = store
        .claim("tokyo", &holder("b"), false, Some(&record))
        .await;
    let Ok(Claim::Ours(record)) = claim else {
        panic!("{claim:?}");
    };
    assert_eq!(
        (record.hours_until, record.days_until),
        (DAY.plus(60), DAY.plus(1_440))
    );
}

#[tokio::test]
async fn clocks_of_another_speed_have_a_history_of_their_own() {
    let engine = Engine::start().await;
    let real = table(&engine).await;
    let fast = Store::open(&engine.store_args(), None, 600, Retention::default())
        .await
        .expect("store arguments");
    ours(&real, "a").await;
    let saved = real.save_minute("tokyo", "a", &item(DAY, 1), now()).await;
    assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    assert_eq!(fast.locations().await.expect("a read"), []);
    assert_eq!(read(&fast, 0, 9).await, []);
    let anchor = Anchor {
        real: now(),
        shown: now(),
    };
    assert_eq!(fast.anchor(anchor).await.expect("a write"), anchor);
    let later = Anchor {
        real: DAY.plus(9).start(),
        shown: DAY.plus(9).start(),
    };
    assert_eq!(
        fast.anchor(later).await.expect("a read"),
        anchor,
        "the first one stays"
    );
}

#[tokio::test]
async fn errors_are_told_apart_and_say_the_mend() {
    let engine = Engine::start().await;
    let store = Store::open(&engine.store_args(), None, 1, Retention::default())
        .await
        .expect("store arguments");
    let missing = store.locations().await.expect_err("there is no table");
    assert!(
        matches!(missing, HistoryError::NoTable { .. }),
        "{missing:?}"
    );
    assert!(missing.to_string().contains("--create-table"), "{missing}");
    assert!(!missing.may_pass());
    let saved = store.save_minute("tokyo", "a", &item(DAY, 1), now()).await;
    assert!(
        matches!(saved, Err(HistoryError::NoTable { .. })),
        "{saved:?}"
    );
    engine.stop().await;
    let away = store.locations().await.expect_err("nobody answers");
    assert!(away.may_pass(), "{away:?}");
}

#[tokio::test]
async fn items_have_a_time_to_live_by_their_level() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    ours(&store, "a").await;
    let minute = item(DAY, 1);
    let saved = store.save_minute("tokyo", "a", &minute, now()).await;
    assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    let rolled = minute.checks.into_iter();
    let rolled = rolled.map(|(name, part)| (name, Series::roll_up(Level::Hour, DAY, [&part])));
    let hour = (Level::Hour, DAY);
    let saved = store
        .save_rolled_up("tokyo", "a", hour, &rolled.collect(), now())
        .await;
    assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    // As the table has it, and not as the store reads it.
    let config = bookinfo::store::StoreConfig::load(&engine.store_args()).await;
    let client = config.expect("store arguments").client();
    let days = async |pk: &str| {
        use aws_sdk_dynamodb::types::AttributeValue::S;
        let found = client
            .get_item()
            .table_name(store.table())
            .key("pk", S(pk.into()))
            .key("sk", S(DAY.to_string()))
            .send()
            .await
            .expect("a read");
        let expires = found.item.expect("it is there")["expires_at"].clone();
        let expires: u64 = expires.as_n().expect("a number").parse().expect("seconds");
        (expires - now().as_micros() / 1_000_000) / 86_400
    };
    assert_eq!(days("minute#tokyo").await, 8);
    assert_eq!(days("hour#tokyo").await, 100);
    let live = client
        .describe_time_to_live()
        .table_name(store.table())
        .send()
        .await
        .expect("a description");
    let live = live.time_to_live_description.expect("it has one");
    assert_eq!(live.attribute_name(), Some("expires_at"));
}
