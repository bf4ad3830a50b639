//! Feeds the DogStatsD parser and the store with inputs made from the grammar and then damaged: `cargo bench -p console --bench fuzz`,
//! or with a number of inputs and a seed `.. --bench fuzz -- 10000000 1`. It ends at the first panic, or with how many there were of each kind.

#![expect(clippy::print_stdout, reason = "its result is its output")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot go on should stop there"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use console::dogstatsd::{self, Message};
use console::store::Source;
use console::{Limits, Store};

/// Xorshift (Marsaglia 2003): good enough to choose, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const NAMES: &[&str] = &[
    "my_metric",
    "a",
    "http.server.request.count",
    "é.ü",
    "",
    "x y",
    "_e",
    "_sc",
    "a{b}",
];
const NUMBERS: &[&str] = &[
    "1",
    "-1",
    "0",
    "1.5",
    "1e3",
    "1e400",
    "-1e-400",
    "NaN",
    "inf",
    "+7",
    "",
    "18446744073709551616",
    "0x1",
    "1:2:3",
    "::",
    "1:",
    "٣",
];
const KINDS: &[&str] = &["c", "g", "ms", "h", "d", "s", "m", "", "cc"];
const FIELDS: &[&str] = &[
    "@0.5",
    "@0",
    "@2",
    "@",
    "#a:b,c",
    "#",
    "#,",
    "#:",
    "#a:b:c,é:ü",
    "T1656581400",
    "T-1",
    "T",
    "c:ci-abc",
    "c:in-12345",
    "c:in-x",
    "c:",
    "e:it-false,cn-x,pu-y",
    "card:low",
    "card:none",
    "card:much",
    "d:1",
    "d:x",
    "h:host",
    "k:key",
    "p:low",
    "p:high",
    "s:src",
    "t:error",
    "t:x",
    "m:message",
    "",
    "z:z",
];

/// A message as the grammar has it, more or less.
fn message(dice: &mut Dice) -> Vec<u8> {
    let mut text = match dice.below(8) {
        0 => {
            let (title, body) = (*dice.one(NAMES), *dice.one(NAMES));
            let off = dice.below(12);
            let length = if off == 0 {
                dice.below(1 << 20)
            } else {
                title.len()
            };
            format!("_e{{{length},{}}}:{title}|{body}", body.len())
        }
        1 => format!(
            "_sc|{}|{}",
            dice.one(NAMES),
            dice.one(&["0", "1", "2", "3", "4", "", "-1"])
        ),
        _ => format!(
            "{}:{}|{}",
            dice.one(NAMES),
            dice.one(NUMBERS),
            dice.one(KINDS)
        ),
    };
    for _ in 0..dice.below(6) {
        text.push('|');
        let field: &&str = dice.one(FIELDS);
        text.push_str(field);
    }
    text.into_bytes()
}

/// Damages it: bytes changed, put in, taken out, cut off, or doubled.
fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    const SIGNS: &[u8] = b"|:,#@{}_\n\\\0\xff\xc3\x80eTc0-";
    for _ in 0..dice.below(5) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => bytes.insert(at, *dice.one(SIGNS)),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = *dice.one(SIGNS),
            3 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            4 => bytes.truncate(at),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
        }
    }
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse::<u64>().ok());
    let inputs = numbers.next().unwrap_or(10_000_000);
    let seed = numbers.next().unwrap_or(0x9e37_79b9_7f4a_7c15).max(1);
    let mut dice = Dice(seed);
    let store = Store::new(Limits {
        bytes: 4 << 20,
        ..Limits::default()
    })
    .with_aggregates();
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    let started = Instant::now();
    for input in 0..inputs {
        let mut bytes = message(&mut dice);
        if dice.below(4) > 0 {
            damage(&mut dice, &mut bytes);
        }
        for line in dogstatsd::messages(&bytes) {
            let outcome = match dogstatsd::parse(line) {
                Ok(parsed) => match parsed.message {
                    Message::Metric(metric) => {
                        let numbers = metric.values.numbers();
                        assert!(
                            numbers.iter().all(|n| n.is_finite()) && !metric.name.is_empty(),
                            "{line:?}"
                        );
                        assert!(
                            metric.sample_rate > 0.0 && metric.sample_rate <= 1.0,
                            "{line:?}"
                        );
                        "metric"
                    }
                    Message::Event(event) => {
                        assert!(!event.title.is_empty(), "{line:?}");
                        "event"
                    }
                    Message::ServiceCheck(_) => "service check",
                },
                Err(error) => error.reason.code(),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        // The store and its figures see a part of them: names without end, values of every size.
        if input % 8 == 0 {
            store.take_datagram(Source::Udp, &bytes);
        }
    }
    let stats = store.stats();
    assert!(
        stats.bytes <= 4 << 20,
        "the store keeps to its budget: {stats:?}"
    );
    println!(
        "{inputs} inputs of seed {seed} in {:.1} s, no panic",
        started.elapsed().as_secs_f64()
    );
    for (outcome, count) in outcomes {
        println!("{count:>10} {outcome}");
    }
}
