//! Values that are written as texts: durations, percentages, addresses. Each is a type that
//! reads itself, and a format in the schema, so that a mistake is found where it stands.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::clock::Timestamp;
use crate::probe::JsonPath;
use crate::probe::check::Endpoint;
use crate::probe::guard::Allowed;
use crate::slo::{Percent, Ratio, Target, Window};

/// Defines the types, and the table of their formats.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident($inner:ty) = $format:literal, $example:literal, $parse:path;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug)]
            pub(crate) struct $name(pub(crate) $inner);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    $parse(&text).map(Self).map_err(D::Error::custom)
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
                fn inline_schema() -> bool {
                    true
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    let types: &[&str] = if matches!($format, "factor" | "status") {
                        &["string", "number"]
                    } else {
                        &["string"]
                    };
                    let description = concat!($($doc),+).trim();
                    json_schema!({
                        "type": types,
                        "format": $format,
                        "description": description,
                        "examples": [$example],
                    })
                }
            }
        )+

        /// Whether `text` fits `format`; a format that is not in the table fits everything.
        ///
        /// # Errors
        /// What is wrong with it, with an example.
        pub(super) fn fits(format: &str, text: &str) -> Result<(), String> {
            match format {
                $($format => $parse(text).map(drop),)+
                _ => Ok(()),
            }
        }

        /// An example of `format`.
        pub(super) fn example(format: &str) -> Option<&'static str> {
            match format {
                $($format => Some($example),)+
                _ => None,
            }
        }
    };
}

texts! {
    /// A time with its unit: ms, s, m, h, d.
    Span(Duration) = "duration", "500ms", duration;
    /// A time with its unit, or 0s.
    Pause(Duration) = "pause", "0s", pause;
    /// A number of bytes with its unit: B, KiB, MiB.
    Size(usize) = "size", "1MiB", size;
    /// A percentage with its sign.
    Share(Percent) = "percent", "99.5%", percent;
    /// A percentage between 0 % and 100 %, with its sign; held exactly.
    TargetText(Target) = "target", "98%", target;
    /// A rolling window such as 7d, or calendar-day, calendar-week, calendar-month, calendar-quarter.
    WindowText(Window) = "window", "7d", window;
    /// A decimal number, held exactly.
    Factor(Ratio) = "factor", "14.4", factor;
    /// A short name: 1 to 40 lower-case letters, digits and dashes. It becomes a tag.
    NameText(String) = "name", "product-page", name;
    /// An address. `${NAME}` stands for a variable of the environment, `{{name}}` for a value of a journey.
    UrlText(String) = "url-template", "http://shop.example.com/", keep;
    /// A text. `${NAME}` stands for a variable of the environment, `{{name}}` for a value of a journey.
    TemplateText(String) = "template", "text", keep;
    /// A text that is never printed; `file:PATH` reads it from a file.
    SecretText(String) = "secret", "${TOKEN}", keep;
    /// Host and port.
    EndpointText(Endpoint) = "endpoint", "db.example.com:5432", endpoint;
    /// A host, a domain with `*.` before it, an address or a network.
    AllowedText(Allowed) = "allowed", "*.example.com", allowed;
    /// A regular expression.
    RegexText(regex::bytes::Regex) = "regular-expression", "order [0-9]+", regex;
    /// A JSONPath of names, indexes and wildcards.
    PathText(JsonPath) = "json-path", "$.items[*].id", json_path;
    /// The name of a header.
    HeaderText(http::HeaderName) = "header-name", "content-type", header;
    /// A request method.
    MethodText(http::Method) = "method", "GET", method;
    /// A status code, a range, or a class.
    StatusText(RangeInclusive<u16>) = "status", "200-299", status;
    /// A moment in UTC.
    Moment(Timestamp) = "moment", "2026-11-05T02:00:00Z", moment;
    /// A DNS name.
    DnsNameText(Name) = "dns-name", "shop.example.com", dns_name;
    /// A type of DNS records.
    RecordText(RecordType) = "record-type", "AAAA", record;
    /// A DNS response code.
    CodeText(ResponseCode) = "response-code", "NXDOMAIN", code;
}

fn keep(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Ten years: nothing here takes longer.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

fn pause(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text.trim());
    let duration = duration.map_err(|_| {
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if number {
            format!("`{text}` has no unit: write `{text}s` or `{text}ms`")
        } else {
            format!(
                "`{}` is no time: write a number with its unit, such as `500ms`, `30s` or `5m`",
                short(text)
            )
        }
    })?;
    if duration > LONGEST {
        return Err(format!("`{text}` is more than ten years"));
    }
    Ok(duration)
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = pause(text)?;
    if duration < Duration::from_millis(1) {
        return Err(format!("`{text}` is less than a millisecond"));
    }
    Ok(duration)
}

fn size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("B", 1)];
    const MOST: usize = 64 << 20;
    let error = || {
        format!(
            "`{}` is no size: write a whole number with its unit, `512B`, `64KiB` or `1MiB`",
            short(text)
        )
    };
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (unit, scale) = unit.ok_or_else(error)?;
    let number = text[..text.len() - unit.len()].trim();
    let number: usize = number.parse().map_err(|_| error())?;
    number
        .checked_mul(*scale)
        .filter(|size| *size <= MOST)
        .ok_or_else(|| format!("`{text}` is more than 64MiB, the most that is read of one answer"))
}

fn percent(text: &str) -> Result<Percent, String> {
    text.parse()
        .map_err(|error: crate::slo::PercentError| error.to_string())
}

fn target(text: &str) -> Result<Target, String> {
    text.parse()
        .map_err(|error: crate::slo::PercentError| error.to_string())
}

fn window(text: &str) -> Result<Window, String> {
    text.parse()
        .map_err(|error: crate::slo::window::WindowError| error.to_string())
}

fn factor(text: &str) -> Result<Ratio, String> {
    let error = || {
        format!(
            "`{}` is no factor: write a decimal number such as `14.4`",
            short(text)
        )
    };
    Ratio::parse_decimal(text.trim()).ok_or_else(error)
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=40).contains(&text.len()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    let mended = name_of(text);
    let hint = if mended.is_empty() {
        String::new()
    } else {
        format!("; write `{mended}`")
    };
    Err(format!(
        "`{}` becomes a tag, so it has 1 to 40 lower-case letters, digits and dashes{hint}",
        short(text)
    ))
}

/// A name that is near to a text; empty where there is nothing to make one of.
pub(crate) fn name_of(text: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mended: String = text
        .to_lowercase()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(40)
        .collect();
    mended.trim_matches('-').to_owned()
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let error = || {
        format!(
            "`{}` is no host and port: write `host:port`, such as `db.example.com:5432`",
            short(text)
        )
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
    let port = port
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(error)?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let sound = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            matches!(host.parse(), Ok(Allowed::Host(_) | Allowed::Network(_)))
                && !host.contains([':', '/'])
        }
    };
    if !sound {
        return Err(error());
    }
    let host = bare.unwrap_or(host).to_owned();
    Ok(Endpoint { host, port })
}

fn allowed(text: &str) -> Result<Allowed, String> {
    text.parse()
        .map_err(|error: crate::probe::guard::AllowedError| error.to_string())
}

fn regex(text: &str) -> Result<regex::bytes::Regex, String> {
    let regex = regex::bytes::RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build();
    regex.map_err(|error| {
        // The last line says what; those above draw where, which is no good in one line.
        let text = error.to_string();
        let what = text.lines().last().unwrap_or_default().trim();
        format!(
            "this is no regular expression: {}",
            what.trim_start_matches("error: ")
        )
    })
}

fn json_path(text: &str) -> Result<JsonPath, String> {
    text.parse()
        .map_err(|error: crate::probe::json_path::JsonPathError| error.to_string())
}

fn header(text: &str) -> Result<http::HeaderName, String> {
    let error = |_| format!("`{}` cannot be the name of a header", short(text));
    text.to_ascii_lowercase().parse().map_err(error)
}

fn method(text: &str) -> Result<http::Method, String> {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if METHODS.contains(&text) {
        return text.parse().map_err(|_| format!("`{text}` is no method"));
    }
    Err(format!(
        "`{}` is no method: {}",
        short(text),
        super::problem::suggest(text, METHODS)
    ))
}

fn status(text: &str) -> Result<RangeInclusive<u16>, String> {
    let error = || {
        format!(
            "`{}` is no status: write `200`, `200-299` or `2xx`",
            short(text)
        )
    };
    let code = |text: &str| {
        let code: u16 = text.trim().parse().map_err(|_| error())?;
        if (100..=599).contains(&code) {
            Ok(code)
        } else {
            Err(error())
        }
    };
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().map_err(|_| error())?;
        if !(1..=5).contains(&class) {
            return Err(error());
        }
        return Ok(class * 100..=class * 100 + 99);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = code(first)?..=code(last)?;
    if range.is_empty() {
        Err(error())
    } else {
        Ok(range)
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let time = humantime::parse_rfc3339(text).map_err(|_| {
        format!(
            "`{}` is no moment: write it in UTC, as `2026-11-05T02:00:00Z`",
            short(text)
        )
    })?;
    Ok(time.into())
}

fn dns_name(text: &str) -> Result<Name, String> {
    let mut name = Name::from_ascii(text)
        .ok()
        .filter(|_| !text.is_empty() && !text.contains([' ', ':', '/']))
        .ok_or_else(|| format!("`{}` is no DNS name", short(text)))?;
    name.set_fqdn(true);
    Ok(name)
}

fn record(text: &str) -> Result<RecordType, String> {
    const TYPES: [&str; 10] = [
        "A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT",
    ];
    let upper = text.to_ascii_uppercase();
    if TYPES.contains(&upper.as_str()) {
        return upper
            .parse()
            .map_err(|_| format!("`{text}` is no type of records"));
    }
    Err(format!(
        "`{}` is no type of records: {}",
        short(text),
        super::problem::suggest(text, TYPES)
    ))
}

fn code(text: &str) -> Result<ResponseCode, String> {
    const CODES: [(&str, ResponseCode); 4] = [
        ("NOERROR", ResponseCode::NoError),
        ("NXDOMAIN", ResponseCode::NXDomain),
        ("SERVFAIL", ResponseCode::ServFail),
        ("REFUSED", ResponseCode::Refused),
    ];
    let upper = text.to_ascii_uppercase();
    let found = CODES.iter().find(|(name, _)| *name == upper);
    found.map(|(_, code)| *code).ok_or_else(|| {
        let names = CODES.map(|(name, _)| name);
        format!(
            "`{}` is no response code: {}",
            short(text),
            super::problem::suggest(text, names)
        )
    })
}

/// At most 60 characters of a text, for a message.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
