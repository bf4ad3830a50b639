//! Checks as they are written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OneOrMany, Retries, some};
use crate::config::text::{
    CodeText, DnsNameText, EndpointText, HeaderText, MethodText, NameText, PathText, RecordText,
    RegexText, Size, Span, StatusText, TemplateText, UrlText,
};

/// Something to probe. Exactly one of http, journey, tcp, dns and tls says how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["http"]}, {"required": ["journey"]}, {"required": ["tcp"]},
    {"required": ["dns"]}, {"required": ["tls"]},
])))]
pub(in crate::config) struct Check {
    /// Short name, a tag.
    pub(in crate::config) name: NameText,
    /// From one probe to the next.
    pub(in crate::config) interval: Option<Span>,
    /// Longest time of one attempt.
    pub(in crate::config) timeout: Option<Span>,
    /// Attempts after a failure.
    pub(in crate::config) retries: Option<Retries>,
    /// One HTTP request.
    pub(in crate::config) http: Option<Request>,
    /// Several HTTP requests that carry cookies and values from one to the next.
    #[schemars(length(min = 1))]
    pub(in crate::config) journey: Option<Vec<Step>>,
    /// A TCP connection.
    pub(in crate::config) tcp: Option<Tcp>,
    /// A question to a name server.
    pub(in crate::config) dns: Option<Dns>,
    /// A TLS session and its certificate.
    pub(in crate::config) tls: Option<Tls>,
}

/// One HTTP request and what must come back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Request {
    /// Where to.
    pub(in crate::config) url: UrlText,
    /// Request method. Default: GET.
    pub(in crate::config) method: Option<MethodText>,
    /// Headers of the request.
    #[serde(default)]
    pub(in crate::config) headers: Vec<Header>,
    /// Body of the request.
    pub(in crate::config) body: Option<TemplateText>,
    /// Redirects that are followed, at most; with 0, a redirect is an answer. Default: 0.
    #[schemars(range(max = 20))]
    pub(in crate::config) redirects: Option<u8>,
    /// Version of HTTP. Default: auto.
    pub(in crate::config) version: Option<HttpVersion>,
    /// Whom to trust. Default: the system's certificate authorities.
    pub(in crate::config) trust: Option<Trust>,
    /// Most bytes of a body that are read.
    pub(in crate::config) body_limit: Option<Size>,
    /// What must come back. Without a status in it, 200 is expected.
    pub(in crate::config) expect: Option<Expect>,
}

/// A header of a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Header {
    /// Its name.
    pub(in crate::config) name: HeaderText,
    /// Its value, never printed.
    pub(in crate::config) value: TemplateText,
}

/// Version of HTTP.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(in crate::config) enum HttpVersion {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    One,
    /// HTTP/2, without TLS too.
    #[serde(rename = "2")]
    Two,
}

/// Whom to trust.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([{"required": ["ca"]}, {"required": ["everybody"]}])))]
pub(in crate::config) struct Trust {
    /// A PEM file with further certificate authorities, beside the configuration or absolute.
    pub(in crate::config) ca: Option<String>,
    /// Checks no certificate at all.
    pub(in crate::config) everybody: Option<bool>,
}

/// What must come back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Expect {
    /// Status codes, any of which will do.
    pub(in crate::config) status: Option<OneOrMany<StatusText>>,
    /// Longest time that is good, retries and all that came before left out.
    pub(in crate::config) latency: Option<Span>,
    /// Days that the certificate must last.
    pub(in crate::config) certificate_days: Option<u16>,
    /// Headers.
    #[serde(default)]
    pub(in crate::config) headers: Vec<HeaderTest>,
    /// The body.
    pub(in crate::config) body: Option<TextTests>,
    /// Values in a JSON body.
    #[serde(default)]
    pub(in crate::config) json: Vec<JsonTest>,
}

/// What must hold for a header.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HeaderTest {
    /// Its name.
    pub(in crate::config) name: HeaderText,
    /// Whether it must be there at all. Default: yes.
    pub(in crate::config) present: Option<bool>,
    /// Its whole value.
    pub(in crate::config) is: Option<TemplateText>,
    /// In its value.
    pub(in crate::config) contains: Option<TemplateText>,
    /// Not in its value.
    pub(in crate::config) lacks: Option<TemplateText>,
    /// Matches somewhere in its value.
    pub(in crate::config) matches: Option<RegexText>,
}

/// What must hold for a text; all of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TextTests {
    /// Texts that are in it.
    pub(in crate::config) contains: Option<OneOrMany<TemplateText>>,
    /// Texts that are not in it.
    pub(in crate::config) lacks: Option<OneOrMany<TemplateText>>,
    /// Expressions that match somewhere in it.
    pub(in crate::config) matches: Option<OneOrMany<RegexText>>,
}

/// What must hold for the values that a path points at. Without a test, there must be one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct JsonTest {
    /// Which values.
    pub(in crate::config) path: PathText,
    /// Each is this value: any JSON value.
    #[serde(default, deserialize_with = "some")]
    pub(in crate::config) equals: Option<Value>,
    /// Each, as a text, is this.
    pub(in crate::config) is: Option<TemplateText>,
    /// Each, as a text, has this in it.
    pub(in crate::config) contains: Option<TemplateText>,
    /// Each, as a text, matches this.
    pub(in crate::config) matches: Option<RegexText>,
    /// Each has something in it.
    pub(in crate::config) not_empty: Option<bool>,
    /// There is none.
    pub(in crate::config) absent: Option<bool>,
}

/// One request of a journey.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Step {
    /// Short name.
    pub(in crate::config) name: NameText,
    /// The request.
    pub(in crate::config) http: Request,
    /// Values to pick up from the answer, for later steps.
    #[serde(default)]
    pub(in crate::config) capture: Vec<Capture>,
}

/// A value to pick up. Exactly one of json, header and body says where it stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["json"]}, {"required": ["header"]}, {"required": ["body"]},
])))]
pub(in crate::config) struct Capture {
    /// Its name: `{{name}}` in later steps.
    #[schemars(pattern("^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub(in crate::config) name: String,
    /// The first value that the path points at.
    pub(in crate::config) json: Option<PathText>,
    /// The value of this header.
    pub(in crate::config) header: Option<HeaderText>,
    /// The first group of the expression in the body, or its whole match.
    pub(in crate::config) body: Option<RegexText>,
}

/// A TCP connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tcp {
    /// Where to.
    pub(in crate::config) address: EndpointText,
    /// What to say first.
    pub(in crate::config) send: Option<TemplateText>,
    /// What must be heard within the first 4 KiB.
    pub(in crate::config) expect: Option<TemplateText>,
    /// Longest time that is good.
    pub(in crate::config) latency: Option<Span>,
}

/// A question to a name server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Dns {
    /// Name to ask for.
    pub(in crate::config) name: DnsNameText,
    /// Type of record. Default: A.
    pub(in crate::config) record: Option<RecordText>,
    /// Whom to ask. Default: the first name server of the system.
    pub(in crate::config) server: Option<EndpointText>,
    /// What the server must answer. Default: NOERROR.
    pub(in crate::config) code: Option<CodeText>,
    /// Records that must be among the answers.
    pub(in crate::config) answers: Option<OneOrMany<TemplateText>>,
    /// Longest time that is good.
    pub(in crate::config) latency: Option<Span>,
}

/// A TLS session and its certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tls {
    /// Where to.
    pub(in crate::config) address: EndpointText,
    /// Name that the certificate must be for. Default: the host.
    pub(in crate::config) server_name: Option<String>,
    /// Days that the certificate must last. Default: 14.
    pub(in crate::config) certificate_days: Option<u16>,
    /// Whom to trust. Default: the system's certificate authorities.
    pub(in crate::config) trust: Option<Trust>,
    /// Longest time that is good.
    pub(in crate::config) latency: Option<Span>,
}
