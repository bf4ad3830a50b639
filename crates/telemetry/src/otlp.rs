//! Spans as the bytes of an OTLP request, written straight from what the SDK holds.
//!
//! The message is `ExportTraceServiceRequest` of opentelemetry-proto 1. The library's own way there copies every
//! key and every value into a tree of messages first, which costs more than making the span. A property test holds
//! these bytes against that library.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

/// About what a span of a request takes.
const BYTES_PER_SPAN: usize = 400;
/// The bit that says that the next one means something, and the one that does (`SpanFlags` of the protocol).
const KNOWS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The body of a request that brings these spans.
pub(crate) fn request(resource: &Resource, spans: &[SpanData]) -> Vec<u8> {
    let mut out = Message(Vec::with_capacity(512 + spans.len() * BYTES_PER_SPAN));
    out.message(1, |out| {
        out.message(1, |out| {
            for (key, value) in resource {
                out.attribute(1, key.as_str(), value);
            }
        });
        // Almost always one, and never more than the program has libraries that make spans.
        let mut scopes: Vec<&InstrumentationScope> = Vec::new();
        for span in spans {
            let scope = &span.instrumentation_scope;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let is_only_one = scopes.len() == 1;
        for scope in scopes {
            out.message(2, |out| {
                out.message(1, |out| {
                    out.text(1, scope.name());
                    out.text(2, scope.version().unwrap_or_default());
                    out.attributes(3, scope.attributes());
                });
                for span in spans {
                    if is_only_one || span.instrumentation_scope == *scope {
                        out.message(2, |out| out.span(span));
                    }
                }
                out.text(3, scope.schema_url().unwrap_or_default());
            });
        }
        out.text(3, resource.schema_url().unwrap_or_default());
    });
    out.0
}

/// A protobuf message in the making. What has its default value is left out, as proto3 has it.
struct Message(Vec<u8>);

/// How a field's bytes are laid out (protobuf's wire types).
#[derive(Clone, Copy)]
enum Layout {
    Varint = 0,
    Eight = 1,
    Length = 2,
    Four = 5,
}

impl Message {
    fn span(&mut self, span: &SpanData) {
        self.context(&span.span_context, 1, 2, 3);
        if span.parent_span_id != SpanId::INVALID {
            self.bytes(4, &span.parent_span_id.to_bytes());
        }
        self.text(5, &span.name);
        self.number(
            6,
            match span.span_kind {
                SpanKind::Internal => 1,
                SpanKind::Server => 2,
                SpanKind::Client => 3,
                SpanKind::Producer => 4,
                SpanKind::Consumer => 5,
            },
        );
        self.time(7, span.start_time);
        self.time(8, span.end_time);
        self.attributes(9, &span.attributes);
        self.number(10, span.dropped_attributes_count.into());
        for event in span.events.iter() {
            self.message(11, |out| out.event(event));
        }
        self.number(12, span.events.dropped_count.into());
        for link in span.links.iter() {
            self.message(13, |out| out.link(link));
        }
        self.number(14, span.links.dropped_count.into());
        self.message(15, |out| match &span.status {
            Status::Unset => {}
            Status::Ok => out.number(3, 1),
            Status::Error { description } => {
                out.text(2, description);
                out.number(3, 2);
            }
        });
        self.flags(16, &span.span_context, span.parent_span_is_remote);
    }

    fn event(&mut self, event: &Event) {
        self.time(1, event.timestamp);
        self.text(2, &event.name);
        self.attributes(3, &event.attributes);
        self.number(4, event.dropped_attributes_count.into());
    }

    fn link(&mut self, link: &Link) {
        self.context(&link.span_context, 1, 2, 3);
        self.attributes(4, &link.attributes);
        self.number(5, link.dropped_attributes_count.into());
        self.flags(6, &link.span_context, link.span_context.is_remote());
    }

    fn context(&mut self, context: &SpanContext, trace_id: u32, span_id: u32, state: u32) {
        self.bytes(trace_id, &context.trace_id().to_bytes());
        self.bytes(span_id, &context.span_id().to_bytes());
        let header = context.trace_state().header();
        self.text(state, &header);
    }

    fn flags(&mut self, field: u32, context: &SpanContext, is_remote: bool) {
        let remote = if is_remote { IS_REMOTE } else { 0 };
        let flags = u32::from(context.trace_flags().to_u8()) | KNOWS_REMOTE | remote;
        self.tag(field, Layout::Four);
        self.0.extend_from_slice(&flags.to_le_bytes());
    }

    fn attributes<'a>(&mut self, field: u32, all: impl IntoIterator<Item = &'a KeyValue>) {
        for attribute in all {
            self.attribute(field, attribute.key.as_str(), &attribute.value);
        }
    }

    fn attribute(&mut self, field: u32, key: &str, value: &Value) {
        self.message(field, |out| {
            out.text(1, key);
            out.message(2, |out| out.value(value));
        });
    }

    /// One of several kinds: even a default value is written, since it says which kind it is.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.bytes(1, text.as_str().as_bytes()),
            Value::Bool(flag) => self.varint_field(2, u64::from(*flag)),
            Value::I64(number) => self.varint_field(3, number.cast_unsigned()),
            Value::F64(number) => self.eight(4, number.to_bits()),
            Value::Array(array) => self.message(5, |out| out.array(array)),
            _ => {} // a kind that the library does not have yet: a value without a kind
        }
    }

    fn array(&mut self, array: &Array) {
        let mut item = |value: Value| self.message(1, |out| out.value(&value));
        match array {
            Array::Bool(all) => all.iter().for_each(|flag| item(Value::Bool(*flag))),
            Array::I64(all) => all.iter().for_each(|number| item(Value::I64(*number))),
            Array::F64(all) => all.iter().for_each(|number| item(Value::F64(*number))),
            Array::String(all) => {
                all.iter()
                    .for_each(|text: &StringValue| item(Value::String(text.clone())));
            }
            _ => {}
        }
    }

    /// Nanoseconds since 1970; what was before counts as that.
    fn time(&mut self, field: u32, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        if nanoseconds != 0 {
            self.eight(field, nanoseconds);
        }
    }

    fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    fn number(&mut self, field: u32, number: u64) {
        if number != 0 {
            self.varint_field(field, number);
        }
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, Layout::Length);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn eight(&mut self, field: u32, bits: u64) {
        self.tag(field, Layout::Eight);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn varint_field(&mut self, field: u32, number: u64) {
        self.tag(field, Layout::Varint);
        self.varint(number);
    }

    /// A message within this one. Its length stands before it and is known only afterwards: one byte is kept
    /// free, which is enough for most, and larger ones are moved up.
    fn message(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        self.tag(field, Layout::Length);
        let at = self.0.len();
        self.0.push(0);
        fill(self);
        let end = self.0.len();
        let length = end - at - 1;
        if length < 0x80 {
            self.0[at] = length as u8;
            return;
        }
        let (length, width) = varint(length as u64);
        self.0.resize(end + width - 1, 0);
        self.0.copy_within(at + 1..end, at + width);
        self.0[at..at + width].copy_from_slice(&length[..width]);
    }

    #[inline]
    fn tag(&mut self, field: u32, layout: Layout) {
        self.varint(u64::from(field) << 3 | layout as u64);
    }

    #[inline]
    fn varint(&mut self, number: u64) {
        if number < 0x80 {
            self.0.push(number as u8); // nearly all of them
            return;
        }
        let (bytes, width) = varint(number);
        self.0.extend_from_slice(&bytes[..width]);
    }
}

/// Seven bits a byte, the lowest first; the number of bytes is the second part.
fn varint(mut number: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut width = 0;
    while number >= 0x80 {
        bytes[width] = (number & 0x7f) as u8 | 0x80;
        number >>= 7;
        width += 1;
    }
    bytes[width] = number as u8;
    (bytes, width + 1)
}

#[cfg(test)]
#[path = "otlp_tests.rs"]
mod tests;
