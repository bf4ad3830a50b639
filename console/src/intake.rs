//! Log lines as the processes write them: one JSON object a line, with the attributes that Datadog's log intake knows.
//!
//! | what | the first of these keys that is there |
//! |---|---|
//! | time | `timestamp`, `@timestamp`, `date`: RFC 3339, or milliseconds since 1970 |
//! | severity | `status`, `severity`, `level` |
//! | service | `service`, `dd.service` |
//! | text | `message`, `msg` |
//! | trace | `trace_id`, or `dd.trace_id` if it has 32 digits |
//! | span | `span_id`, or `dd.span_id` in decimal |
//!
//! Every other key becomes an attribute. A line that is no JSON object is a text without severity.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value as Json};

use crate::otlp::{Attributes, Batch, LogRecord, Resource, Severity, SpanId, TraceId, Value};

/// A longer line is cut; what is cut off of JSON leaves text.
pub const LONGEST_LINE: usize = 64 * 1024;

/// Turns lines into log records. `service` is whose they are where they do not say; `now` is when where they do not.
#[must_use]
pub fn lines(body: &[u8], service: &str, now: SystemTime) -> Batch {
    let mut resources: HashMap<String, Arc<Resource>> = HashMap::new();
    let mut batch = Batch::default();
    let scope: Arc<str> = "".into();
    for line in body.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let line = line.get(..LONGEST_LINE).unwrap_or(line);
        let mut fields = match serde_json::from_slice::<Json>(line) {
            Ok(Json::Object(fields)) => fields,
            _ => Map::from_iter([(
                "message".to_owned(),
                Json::String(String::from_utf8_lossy(line).into_owned()),
            )]),
        };
        let named = text(&mut fields, &["service", "dd.service"]);
        fields.remove("dd.service");
        let named = named.unwrap_or_else(|| service.to_owned());
        let version = text(&mut fields, &["dd.version", "version"]);
        let env = text(&mut fields, &["dd.env", "env"]);
        let resource = resources
            .entry(named)
            .or_insert_with_key(|name| resource(name, version, env));
        batch.logs.push(record(
            fields,
            Arc::clone(resource),
            Arc::clone(&scope),
            now,
        ));
    }
    batch
}

fn resource(service: &str, version: Option<String>, env: Option<String>) -> Arc<Resource> {
    let mut attributes = vec![("service.name", service.to_owned())];
    attributes.extend(version.map(|version| ("service.version", version)));
    attributes.extend(env.map(|env| ("deployment.environment.name", env)));
    Arc::new(Resource {
        service: service.into(),
        attributes: attributes
            .into_iter()
            .map(|(key, value)| (key, Value::Text(value.into())))
            .collect(),
    })
}

fn record(
    mut fields: Map<String, Json>,
    resource: Arc<Resource>,
    scope: Arc<str>,
    now: SystemTime,
) -> LogRecord {
    let time =
        take(&mut fields, &["timestamp", "@timestamp", "date"]).and_then(|time| nanos(&time));
    let severity_text = text(&mut fields, &["status", "severity", "level"]).unwrap_or_default();
    let body = take(&mut fields, &["message", "msg"]).map_or(Value::Null, value);
    let trace_id = text(&mut fields, &["trace_id"]);
    let dd_trace_id = text(&mut fields, &["dd.trace_id"]);
    let span_id = text(&mut fields, &["span_id"]);
    let dd_span_id = text(&mut fields, &["dd.span_id"]);
    LogRecord {
        time_unix_nanos: time.unwrap_or_else(|| unix_nanos(now)),
        severity: severity(&severity_text),
        severity_text: severity_text.into(),
        body,
        attributes: fields
            .into_iter()
            .map(|(key, json)| (key, value(json)))
            .collect(),
        trace_id: trace_id.or(dd_trace_id).and_then(|id| id.parse().ok()),
        span_id: span_id
            .and_then(|id| id.parse().ok())
            .or_else(|| SpanId::from_bytes(&dd_span_id?.parse::<u64>().ok()?.to_be_bytes())),
        scope,
        resource,
        received_at: now,
    }
}

/// Takes the first key out that is there; the others stay.
fn take(fields: &mut Map<String, Json>, keys: &[&str]) -> Option<Json> {
    keys.iter().find_map(|key| fields.remove(*key))
}

fn text(fields: &mut Map<String, Json>, keys: &[&str]) -> Option<String> {
    match take(fields, keys)? {
        Json::String(text) if !text.is_empty() => Some(text),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unix_nanos(at: SystemTime) -> u64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn nanos(time: &Json) -> Option<u64> {
    match time {
        Json::String(text) => {
            let at: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(at.as_nanosecond()).ok()
        }
        Json::Number(millis) => millis.as_u64()?.checked_mul(1_000_000),
        _ => None,
    }
}

/// The names that loggers have for severities, in any case.
#[must_use]
pub fn severity(name: &str) -> Severity {
    match name.to_ascii_lowercase().as_str() {
        "trace" => Severity::Trace,
        "debug" => Severity::Debug,
        "info" | "information" | "informational" | "notice" | "ok" => Severity::Info,
        "warn" | "warning" => Severity::Warn,
        "error" | "err" => Severity::Error,
        "fatal" | "critical" | "crit" | "alert" | "emerg" | "emergency" | "panic" => {
            Severity::Fatal
        }
        _ => Severity::Unspecified,
    }
}

/// Nesting is bounded by the JSON reader (128 levels).
fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => number.as_f64().map_or(Value::Null, Value::Double),
        },
        Json::String(text) => Value::Text(text.into()),
        Json::Array(list) => Value::List(list.into_iter().map(value).collect()),
        Json::Object(map) => Value::Map(
            map.into_iter()
                .map(|(key, json)| (key, value(json)))
                .collect::<Attributes>(),
        ),
    }
}

/// The trace that a text names, in hexadecimal.
#[must_use]
pub fn trace_id(text: &str) -> Option<TraceId> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn one(line: &str) -> LogRecord {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut batch = lines(line.as_bytes(), "fallback", now);
        assert_eq!(batch.logs.len(), 1);
        batch.logs.remove(0)
    }

    #[test]
    fn a_line_of_ours_keeps_everything() {
        let log = one(
            r#"{"timestamp":"2026-11-20T10:00:00.250Z","status":"warn","service":"details","dd.service":"details","dd.version":"1.2","logger.name":"web","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","dd.trace_id":"0af7651916cd43dd8448eb211c80319c","dd.span_id":"13235353014750950193","message":"slow","duration_ms":12.5,"ok":true}"#,
        );
        assert_eq!(log.service(), "details");
        assert_eq!(log.severity, Severity::Warn);
        assert_eq!(log.body, *"slow");
        assert_eq!(log.time_unix_nanos, 1_795_168_800_250_000_000);
        assert_eq!(log.trace_id.unwrap(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(log.span_id.unwrap().to_u64(), 13_235_353_014_750_950_193);
        assert_eq!(log.attributes["duration_ms"].as_f64(), Some(12.5));
        assert_eq!(log.attributes["logger.name"], *"web");
        assert_eq!(log.resource.attributes["service.version"], *"1.2");
        assert_eq!(log.attributes.len(), 3);
    }

    #[test]
    fn text_is_taken_as_text() {
        let log = one("thread 'main' panicked");
        assert_eq!(log.service(), "fallback");
        assert_eq!(log.severity, Severity::Unspecified);
        assert_eq!(log.body, *"thread 'main' panicked");
        assert_eq!(log.time_unix_nanos, 1_700_000_000_000_000_000);
    }

    #[test]
    fn datadogs_own_ids_will_do() {
        let log = one(
            r#"{"dd.trace_id":"0af7651916cd43dd8448eb211c80319c","dd.span_id":"7","level":"ERROR"}"#,
        );
        assert!(log.trace_id.is_some());
        assert_eq!(log.span_id.unwrap().to_u64(), 7);
        assert_eq!(log.severity, Severity::Error);
        assert_eq!(one(r#"{"dd.trace_id":"123"}"#).trace_id, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_lines(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let filled = body.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count();
            prop_assert_eq!(lines(&body, "s", SystemTime::UNIX_EPOCH).logs.len(), filled);
        }

        #[test]
        fn any_field_of_any_type_is_taken(key in "(timestamp|status|service|message|trace_id|dd.span_id|x)", json in "(null|true|-?[0-9]{1,18}(\\.[0-9])?|\"[a-z0-9:-]{0,40}\"|\\[1\\]|\\{\"a\":1\\})") {
            let line = format!("{{\"{key}\":{json}}}");
            prop_assert_eq!(lines(line.as_bytes(), "s", SystemTime::UNIX_EPOCH).logs.len(), 1);
        }
    }
}
