//! The parser against the grammar: what is good, what is bad and why, and that nothing makes it panic.

use console::dogstatsd::{
    Alert, Cardinality, CheckStatus, Error, Kind, Message, Priority, Reason, messages, parse,
};
use console::store::Source;
use console::{Limits, Store};

/// Name, type letter, numbers, rate, tags, container, time.
pub(crate) type Expected<'a> = (
    &'a str,
    &'a str,
    &'a [f64],
    f64,
    &'a [&'a str],
    Option<&'a str>,
    Option<i64>,
);

pub(crate) const GOOD: &[(&str, Expected<'_>)] = &[
    (
        "page.views:1|c",
        ("page.views", "c", &[1.0], 1.0, &[], None, None),
    ),
    (
        "fuel.level:0.5|g",
        ("fuel.level", "g", &[0.5], 1.0, &[], None, None),
    ),
    (
        "song.length:240|h|@0.5",
        ("song.length", "h", &[240.0], 0.5, &[], None, None),
    ),
    (
        "took:12.75|ms|#env:demo",
        ("took", "ms", &[12.75], 1.0, &["env:demo"], None, None),
    ),
    (
        "size:9|d|#a,b:c,d:e:f",
        ("size", "d", &[9.0], 1.0, &["a", "b:c", "d:e:f"], None, None),
    ),
    (
        "all:1|c|@0.25|#x:y|c:83c0|T1656581400",
        (
            "all",
            "c",
            &[1.0],
            0.25,
            &["x:y"],
            Some("83c0"),
            Some(1_656_581_400),
        ),
    ),
    (
        "order:1|c|T7|c:83c0|#x:y|@1",
        ("order", "c", &[1.0], 1.0, &["x:y"], Some("83c0"), Some(7)),
    ),
    (
        "new:2|g|c:ci-83c0,in-42",
        ("new", "g", &[2.0], 1.0, &[], Some("83c0"), None),
    ),
    (
        "old:2|g|c:cid-83c0",
        ("old", "g", &[2.0], 1.0, &[], Some("83c0"), None),
    ),
    (
        "inode:2|g|c:in-42",
        ("inode", "g", &[2.0], 1.0, &[], None, None),
    ),
    (
        "pack:1:2.5:-3|h",
        ("pack", "h", &[1.0, 2.5, -3.0], 1.0, &[], None, None),
    ),
    (
        "pack:1::2:|d",
        ("pack", "d", &[1.0, 2.0], 1.0, &[], None, None),
    ),
    (
        "minus:-4.5e3|g",
        ("minus", "g", &[-4500.0], 1.0, &[], None, None),
    ),
    ("plus:+4|g", ("plus", "g", &[4.0], 1.0, &[], None, None)),
    ("short:.5|g", ("short", "g", &[0.5], 1.0, &[], None, None)),
    (
        "unknown.fields:1|g|z:9||x",
        ("unknown.fields", "g", &[1.0], 1.0, &[], None, None),
    ),
    (
        "last:1|g|#a|#b",
        ("last", "g", &[1.0], 1.0, &["b"], None, None),
    ),
    (
        "no.tags:1|g|#",
        ("no.tags", "g", &[1.0], 1.0, &[], None, None),
    ),
    (
        "gaps:1|g|#,a,,b,",
        ("gaps", "g", &[1.0], 1.0, &["a", "b"], None, None),
    ),
    (
        "ümläut:1|g|#größe:ß",
        ("ümläut", "g", &[1.0], 1.0, &["größe:ß"], None, None),
    ),
    (
        "odd name!:1|g",
        ("odd name!", "g", &[1.0], 1.0, &[], None, None),
    ),
    ("_scored:1|g", ("", "", &[], 0.0, &[], None, None)),
];

#[test]
fn good_metrics() {
    for (line, (name, symbol, numbers, rate, tags, container, timestamp)) in GOOD {
        let parsed = parse(line.as_bytes());
        if name.is_empty() {
            // The Agent takes whatever begins with `_sc` for a service check; so do we.
            assert_eq!(
                parsed,
                Err(Error {
                    reason: Reason::Format
                }),
                "{line}"
            );
            continue;
        }
        let parsed = parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(parsed.ignored, None, "{line}");
        let Message::Metric(metric) = parsed.message else {
            panic!("{line}")
        };
        assert_eq!(metric.name, *name, "{line}");
        assert_eq!(metric.kind.symbol(), *symbol, "{line}");
        assert_eq!(metric.values.numbers(), *numbers, "{line}");
        assert!((metric.sample_rate - rate).abs() < f64::EPSILON, "{line}");
        assert_eq!(metric.tags.iter().collect::<Vec<_>>(), *tags, "{line}");
        assert_eq!(metric.origin.container_id, *container, "{line}");
        assert_eq!(metric.timestamp, *timestamp, "{line}");
    }
}

#[test]
fn origin_fields() {
    let Message::Metric(metric) =
        parse(b"m:1|g|c:ci-ab,in-7|e:it-false,cn-web,pu-1234|card:orchestrator")
            .unwrap()
            .message
    else {
        panic!("not a metric")
    };
    assert_eq!(metric.origin.container_id, Some("ab"));
    assert_eq!(metric.origin.inode, Some(7));
    assert_eq!(metric.origin.external_data, Some("it-false,cn-web,pu-1234"));
    assert_eq!(metric.origin.cardinality, Some(Cardinality::Orchestrator));
}

#[test]
fn a_set_keeps_its_member_as_text() {
    for member in ["ada", "12.50", "a:b:c", "NaN"] {
        let line = format!("users:{member}|s|#env:demo");
        let Message::Metric(metric) = parse(line.as_bytes()).unwrap().message else {
            panic!("not a metric")
        };
        assert_eq!(metric.kind, Kind::Set);
        assert_eq!(metric.values.member(), Some(member));
        assert!(metric.values.numbers().is_empty());
    }
}

const BAD: &[(&[u8], Reason)] = &[
    (b"gibberish", Reason::Format),
    (b"name:1", Reason::Format),
    (b"name|c", Reason::Name),
    (b":1|c", Reason::Name),
    (b"name:|c", Reason::Name),
    (b"name:|s", Reason::Name),
    (b"name:1|", Reason::Kind),
    (b"name:1|m", Reason::Kind),
    (b"name:1|C", Reason::Kind),
    (b"name:1|gg", Reason::Kind),
    (b"name:one|c", Reason::Value),
    (b"name:1,5|c", Reason::Value),
    (b"name: 1|c", Reason::Value),
    (b"name:1:x|d", Reason::Value),
    (b"name::::|d", Reason::Value),
    (b"name:NaN|g", Reason::ValueRange),
    (b"name:inf|g", Reason::ValueRange),
    (b"name:1e999|g", Reason::ValueRange),
    (b"name:1:-inf|d", Reason::ValueRange),
    (b"name:1|c|@", Reason::SampleRate),
    (b"name:1|c|@x", Reason::SampleRate),
    (b"name:1|c|@0", Reason::SampleRate),
    (b"name:1|c|@-0.5", Reason::SampleRate),
    (b"name:1|c|@1.5", Reason::SampleRate),
    (b"name:1|c|@NaN", Reason::SampleRate),
    (b"name:1|c|T", Reason::Timestamp),
    (b"name:1|c|T0", Reason::Timestamp),
    (b"name:1|c|T-5", Reason::Timestamp),
    (b"name:1|c|T1.5", Reason::Timestamp),
    (b"name:1|c|T99999999999999999999", Reason::Timestamp),
    (b"name:1|d|T5", Reason::TimestampKind),
    (b"name:x|s|T5", Reason::TimestampKind),
    (b"name\xff:1|c", Reason::NotUtf8),
    (b"name:1|c|#\xc3", Reason::NotUtf8),
    (b"_e{5,4}", Reason::EventHeader),
    (b"_e{5,4:title|text", Reason::EventHeader),
    (b"_e{5;4}:title|text", Reason::EventHeader),
    (b"_e{-5,4}:title|text", Reason::EventHeader),
    (b"_e{,4}:title|text", Reason::EventHeader),
    (
        b"_e{99999999999999999999,4}:title|text",
        Reason::EventHeader,
    ),
    (b"_e{0,4}:|text", Reason::EventTitle),
    (b"_e{6,4}:title|text", Reason::EventLength),
    (b"_e{5,5}:title|text", Reason::EventLength),
    (
        b"_e{18446744073709551615,18446744073709551615}:title|text",
        Reason::EventLength,
    ),
    (b"_e{5,4}:title", Reason::EventLength),
    ("_e{1,1}:ß|t".as_bytes(), Reason::EventLength),
    (b"_sc|name", Reason::Format),
    (b"_sc", Reason::Format),
    (b"_sc||0", Reason::Name),
    (b"_sc|name|4", Reason::CheckStatus),
    (b"_sc|name|", Reason::CheckStatus),
    (b"_sc|name|00", Reason::CheckStatus),
];

#[test]
fn bad_messages_are_refused_for_their_reason() {
    for (line, reason) in BAD {
        assert_eq!(
            parse(line).map_err(|error| error.reason),
            Err(*reason),
            "{}",
            String::from_utf8_lossy(line)
        );
    }
}

#[test]
fn events() {
    let line = "_e{7,12}:größe|line 1\\nend!|d:1500|h:web-1|k:deploy|p:low|s:ci|t:error|#env:demo,x|c:ci-9";
    let Message::Event(event) = parse(line.as_bytes()).unwrap().message else {
        panic!("not an event")
    };
    assert_eq!((&*event.title, &*event.text), ("größe", "line 1\nend!"));
    assert_eq!(
        (event.timestamp, event.hostname, event.aggregation_key),
        (Some(1500), Some("web-1"), Some("deploy"))
    );
    assert_eq!(
        (event.priority, event.alert, event.source_type),
        (Priority::Low, Alert::Error, Some("ci"))
    );
    assert_eq!(event.tags.iter().collect::<Vec<_>>(), ["env:demo", "x"]);
    assert_eq!(event.origin.container_id, Some("9"));

    let Message::Event(plain) = parse(b"_e{1,0}:a|").unwrap().message else {
        panic!("not an event")
    };
    assert_eq!(
        (&*plain.title, &*plain.text, plain.priority, plain.alert),
        ("a", "", Priority::Normal, Alert::Info)
    );
    // Lengths are bytes, and hold whatever stands inside them.
    let Message::Event(tricky) = parse(b"_e{3,5}:a|b|c|d:e|t:warning").unwrap().message else {
        panic!("not an event")
    };
    assert_eq!(
        (&*tricky.title, &*tricky.text, tricky.alert),
        ("a|b", "c|d:e", Alert::Warning)
    );
}

#[test]
fn service_checks() {
    let line = b"_sc|db.up|1|d:1500|h:web-1|#env:demo|e:cn-x|card:low|m:slow: 900 ms";
    let Message::ServiceCheck(check) = parse(line).unwrap().message else {
        panic!("not a check")
    };
    assert_eq!(
        (check.name, check.status, check.timestamp),
        ("db.up", CheckStatus::Warning, Some(1500))
    );
    assert_eq!(
        (check.hostname, check.message),
        (Some("web-1"), Some("slow: 900 ms"))
    );
    assert_eq!(
        (check.origin.external_data, check.origin.cardinality),
        (Some("cn-x"), Some(Cardinality::Low))
    );
}

#[test]
fn a_broken_field_costs_the_field_only() {
    let ignored: [(&str, Reason); 6] = [
        ("_e{1,1}:a|b|t:fatal", Reason::EventAlert),
        ("_e{1,1}:a|b|p:high", Reason::EventPriority),
        ("_e{1,1}:a|b|d:now", Reason::Timestamp),
        ("_sc|x|0|d:now", Reason::Timestamp),
        ("_sc|x|0|card:all", Reason::Cardinality),
        ("m:1|g|card:", Reason::Cardinality),
    ];
    let store = Store::new(Limits::default());
    for (line, reason) in ignored {
        assert_eq!(
            parse(line.as_bytes()).unwrap().ignored,
            Some(reason),
            "{line}"
        );
        store.take_datagram(Source::Udp, line.as_bytes());
    }
    let stats = store.stats();
    assert_eq!(
        (
            stats.kept.events,
            stats.kept.service_checks,
            stats.kept.samples,
            stats.bad
        ),
        (3, 2, 1, 6)
    );
    assert_eq!(
        store.bad_packets().by_reason.get("ignored_timestamp"),
        Some(&2)
    );
}

#[test]
fn lines_end_as_the_agent_has_it() {
    let lines: Vec<_> = messages(b"\n\na:1|c\r\nb:1|c\n\r\nc:1|c").collect();
    assert_eq!(lines, [&b"a:1|c"[..], b"b:1|c", b"c:1|c"]);
    assert_eq!(messages(b"").count(), 0);
}

#[test]
fn a_datagram_that_is_too_long_gives_its_whole_lines() {
    let store = Store::new(Limits::default());
    let lines = vec!["orders:1|c"; 1000].join("\n");
    store.take_datagram(Source::Unix, lines.as_bytes());
    assert_eq!(
        store.metrics().len(),
        console::dogstatsd::MAX_DATAGRAM / "orders:1|c\n".len()
    );
    assert_eq!(
        store.bad_packets().by_reason.keys().collect::<Vec<_>>(),
        [&"oversize"]
    );
}
