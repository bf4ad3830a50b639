use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let text = || ".{0,9}|x{120,140}".prop_map(StringValue::from);
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        (-1e9..1e9).prop_map(Value::F64),
        text().prop_map(Value::String),
        vec(any::<bool>(), 0..3).prop_map(|all| Value::Array(Array::Bool(all))),
        vec(any::<i64>(), 0..3).prop_map(|all| Value::Array(Array::I64(all))),
        vec(-1e9..1e9, 0..3).prop_map(|all| Value::Array(Array::F64(all))),
        vec(text(), 0..3).prop_map(|all| Value::Array(Array::String(all))),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(("[a-z.]{0,12}", value()), 0..6).prop_map(|all| {
        let pairs = all.into_iter();
        pairs.map(|(k, v)| KeyValue::new(k, v)).collect()
    })
}

fn context() -> impl Strategy<Value = SpanContext> {
    (
        any::<u128>(),
        any::<u64>(),
        any::<u8>(),
        any::<bool>(),
        "[a-z]{0,5}",
    )
        .prop_map(|(trace, span, flags, is_remote, state)| {
            let state = match state.as_str() {
                "" => TraceState::default(),
                text => TraceState::from_key_value([(text, "1")]).unwrap(),
            };
            let (trace, span) = (TraceId::from(trace), SpanId::from(span));
            SpanContext::new(trace, span, TraceFlags::new(flags), is_remote, state)
        })
}

fn time() -> impl Strategy<Value = SystemTime> {
    (0..u64::MAX / 2).prop_map(|ns| UNIX_EPOCH + Duration::from_nanos(ns))
}

fn kind() -> impl Strategy<Value = SpanKind> {
    prop_oneof![
        Just(SpanKind::Internal),
        Just(SpanKind::Server),
        Just(SpanKind::Client),
        Just(SpanKind::Producer),
        Just(SpanKind::Consumer),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        ".{0,9}".prop_map(Status::error),
    ]
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    ("[ab]", "[01]{0,1}", attributes()).prop_map(|(name, version, attributes)| {
        let scope = InstrumentationScope::builder(name).with_attributes(attributes);
        match version.as_str() {
            "" => scope.build(),
            _ => scope
                .with_version(version)
                .with_schema_url("http://s")
                .build(),
        }
    })
}

prop_compose! {
    fn event()(time in time(), name in ".{0,9}", attributes in attributes(), dropped in 0..3_u32) -> Event {
        Event::new(name, time, attributes, dropped)
    }
}

prop_compose! {
    fn link()(context in context(), attributes in attributes(), dropped in 0..3_u32) -> Link {
        Link::new(context, attributes, dropped)
    }
}

prop_compose! {
    fn span()(
        span_context in context(),
        parent in prop_oneof![Just(0), any::<u64>()],
        parent_span_is_remote: bool,
        (span_kind, status, instrumentation_scope) in (kind(), status(), scope()),
        name in ".{0,200}",
        (start_time, end_time) in (time(), time()),
        attributes in attributes(),
        dropped in 0..3_u32,
        (all_events, all_links) in (vec(event(), 0..3), vec(link(), 0..3)),
    ) -> SpanData {
        let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
        (events.events, events.dropped_count) = (all_events, dropped);
        (links.links, links.dropped_count) = (all_links, dropped);
        SpanData {
            span_context,
            parent_span_id: SpanId::from(parent),
            parent_span_is_remote,
            span_kind,
            name: Cow::Owned(name),
            start_time,
            end_time,
            attributes,
            dropped_attributes_count: dropped,
            events,
            links,
            status,
            instrumentation_scope,
        }
    }
}

proptest! {
    #[test]
    fn the_bytes_say_what_the_librarys_own_say(
        spans in vec(span(), 0..5),
        attributes in attributes(),
        schema in any::<bool>(),
    ) {
        let resource = Resource::builder_empty();
        let resource = match schema {
            true => resource.with_schema_url(attributes, "http://schema").build(),
            false => resource.with_attributes(attributes).build(),
        };
        let ours = ExportTraceServiceRequest::decode(&request(&resource, &spans)[..]).unwrap();
        let of_resource = ResourceAttributesWithSchema::from(&resource);
        let theirs = group_spans_by_resource_and_scope(spans, &of_resource);
        prop_assert_eq!(ours.resource_spans, theirs);
    }

    #[test]
    fn a_varint_is_read_back(number: u64) {
        let (bytes, width) = varint(number);
        let read = bytes[..width].iter().rev().fold(0, |sum: u64, byte| sum << 7 | u64::from(byte & 0x7f));
        prop_assert_eq!(read, number);
    }
}
