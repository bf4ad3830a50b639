//! What holds for every input: nothing panics, nothing is lost uncounted, and what is written by the grammar is read back.

use console::dogstatsd::{Kind, Message, messages, parse};
use console::otlp::{self, Encoding, Signal, decode, weigh};
use console::store::Source;
use console::{Limits, Store};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message as _;

use crate::bounds::empty_spans;
use crate::exports::traces;
use crate::grammar::GOOD;

/// The estimate must not fall behind what is really built, or the limit would be none.
#[test]
fn the_estimate_covers_what_is_kept() {
    for body in [empty_spans(10_000), traces().encode_to_vec()] {
        let estimate = weigh(Signal::Traces, Encoding::Protobuf, &body).unwrap();
        let request = ExportTraceServiceRequest::decode(&*body).unwrap();
        let spans: usize = request
            .resource_spans
            .iter()
            .flat_map(|r| &r.scope_spans)
            .map(|s| s.spans.len())
            .sum();
        assert!(
            estimate >= spans * (size_of::<Span>() + size_of::<otlp::Span>()),
            "{estimate}"
        );
        let json = serde_json::to_vec(&request).unwrap();
        assert!(weigh(Signal::Traces, Encoding::Json, &json).unwrap() >= spans * size_of::<Span>());
    }
}

/// Text that is near the grammar, so that it gets further into the parser than noise does.
fn near() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[a-z.]{0,6}",
        "[0-9.e+-]{0,6}",
        Just(":".to_owned()),
        Just("|".to_owned()),
        Just("_e{".to_owned()),
        Just("_sc|".to_owned()),
        Just("}:".to_owned()),
        Just(",".to_owned()),
        Just("|#".to_owned()),
        Just("|@".to_owned()),
        Just("|T".to_owned()),
        Just("|c:ci-".to_owned()),
        Just("|e:".to_owned()),
        Just("|card:low".to_owned()),
        Just("\\n".to_owned()),
        Just("\n".to_owned()),
        Just("ß".to_owned()),
        Just("|ms".to_owned()),
        Just("|g".to_owned()),
    ];
    prop_oneof![
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat().into_bytes()),
        // Good lines with one byte changed.
        (0..GOOD.len(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(line, at, byte)| {
            let mut bytes = GOOD[line].0.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_what_is_taken_makes_sense(bytes in near()) {
        if let Ok(parsed) = parse(&bytes) {
            match parsed.message {
                Message::Metric(metric) => {
                    prop_assert!(!metric.name.is_empty());
                    prop_assert!(metric.sample_rate > 0.0 && metric.sample_rate <= 1.0);
                    prop_assert!(metric.values.numbers().iter().all(|number| number.is_finite()));
                    prop_assert!(metric.values.member().is_some() == (metric.kind == Kind::Set));
                    prop_assert!(metric.timestamp.is_none_or(|seconds| seconds > 0));
                }
                Message::Event(event) => prop_assert!(!event.title.is_empty()),
                Message::ServiceCheck(check) => prop_assert!(!check.name.is_empty()),
            }
        }
    }

    #[test]
    fn every_line_is_either_kept_or_counted_as_bad(datagram in near()) {
        let store = Store::new(Limits::default());
        store.take_datagram(Source::Udp, &datagram);
        let refused = messages(&datagram).filter(|line| parse(line).is_err()).count() as u64;
        let ignored = messages(&datagram).filter(|line| parse(line).is_ok_and(|p| p.ignored.is_some())).count() as u64;
        let stats = store.stats();
        prop_assert_eq!(stats.kept.total() + refused, messages(&datagram).count() as u64);
        prop_assert_eq!(stats.bad, refused + ignored);
    }

    #[test]
    fn what_is_written_by_the_grammar_is_read_back(
        name in "[a-zA-Z][a-zA-Z0-9_.]{0,20}",
        numbers in proptest::collection::vec(-1e300..1e300_f64, 1..5),
        symbol in prop::sample::select(vec!["c", "g", "ms", "h", "d"]),
        rate in 0.001..=1.0_f64,
        tags in proptest::collection::vec("[a-z]{1,5}(:[a-z0-9/]{0,5})?", 0..4),
        container in proptest::option::of("[0-9a-f]{64}"),
    ) {
        let values: Vec<String> = numbers.iter().map(f64::to_string).collect();
        let mut line = format!("{name}:{}|{symbol}|@{rate}", values.join(":"));
        if !tags.is_empty() {
            line += &format!("|#{}", tags.join(","));
        }
        if let Some(container) = &container {
            line += &format!("|c:{container}");
        }
        let parsed = parse(line.as_bytes()).unwrap();
        let Message::Metric(metric) = parsed.message else { panic!("not a metric") };
        prop_assert_eq!(metric.name, name);
        prop_assert_eq!(metric.kind.symbol(), symbol);
        prop_assert_eq!(metric.values.numbers(), numbers);
        prop_assert_eq!(metric.sample_rate.to_bits(), rate.to_bits());
        prop_assert_eq!(metric.tags.iter().collect::<Vec<_>>(), tags);
        prop_assert_eq!(metric.origin.container_id, container.as_deref());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_body_makes_the_decoder_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let good = [traces().encode_to_vec(), serde_json::to_vec(&traces()).unwrap()];
        for signal in Signal::ALL {
            for encoding in [Encoding::Protobuf, Encoding::Json] {
                let _ = decode(signal, encoding, &noise, 1 << 20);
                for body in &good {
                    let mut body = body.clone();
                    let at = at.index(body.len());
                    body[at] = byte;
                    let _ = decode(signal, encoding, &body, 1 << 20);
                }
            }
        }
        // What the decoder takes, the estimate takes.
        let cut = &good[0][..cut.index(good[0].len())];
        if ExportTraceServiceRequest::decode(cut).is_ok() {
            prop_assert!(weigh(Signal::Traces, Encoding::Protobuf, cut).is_ok());
        }
    }
}
