//! The file as it is written. Its JSON Schema comes from these types and their comments, and the
//! file is read by that schema, so editors and this program agree.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::text::{
    AllowedText, CodeText, DnsNameText, EndpointText, Factor, HeaderText, MethodText, Moment,
    NameText, PathText, Pause, RecordText, RegexText, SecretText, Share, Size, Span, StatusText,
    TargetText, TemplateText, UrlText, WindowText,
};

/// Checks, locations, objectives and sinks of the prober.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Version of this format: 1.
    #[schemars(extend("enum" = [1]))]
    #[expect(dead_code, reason = "there is one version, and the schema has it")]
    pub(super) version: u8,
    /// Where probes may go.
    pub(super) network: Option<Network>,
    /// What holds for every check that says nothing else.
    pub(super) defaults: Option<Defaults>,
    /// Places that probe. A prober runs as one of them.
    #[serde(default)]
    pub(super) locations: Vec<Location>,
    /// What is probed.
    #[schemars(length(min = 1))]
    pub(super) checks: Vec<Check>,
    /// What is promised.
    #[serde(default)]
    pub(super) slos: Vec<Slo>,
    /// When to raise an alarm. An objective without an entry here has the usual burn alerts.
    #[serde(default)]
    pub(super) alerts: Vec<Alert>,
    /// Declared downtime: time slices in it count as good, and requests are dropped.
    #[serde(default)]
    pub(super) maintenance: Vec<Maintenance>,
    /// Where results go.
    pub(super) sinks: Option<Sinks>,
}

/// Where probes may go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    /// Hosts, domains and networks that may be probed, redirected to, or resolved to. Without it,
    /// the hosts that the checks name. Link-local and metadata addresses must stand here as
    /// addresses in either case.
    pub(super) allow: Option<Vec<AllowedText>>,
}

/// What holds for every check that says nothing else.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    /// From one probe to the next. Default: 30s.
    pub(super) interval: Option<Span>,
    /// Longest time of one attempt, from resolving the name to the last byte. Default: 5s.
    pub(super) timeout: Option<Span>,
    /// Attempts after a failure. Default: none.
    pub(super) retries: Option<Retries>,
    /// Most bytes of a body that are read; a longer one is a failure. Default: 1MiB.
    pub(super) body_limit: Option<Size>,
}

/// Attempts after a failure. The last one has the final word; good after a retry is "degraded".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retries {
    /// How many, at most.
    #[schemars(range(max = 10))]
    pub(super) most: u32,
    /// From the end of one attempt to the start of the next. Default: 0s.
    pub(super) pause: Option<Pause>,
}

/// A place that probes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Location {
    /// Short name, a tag.
    pub(super) name: NameText,
    /// Name for people.
    pub(super) title: Option<String>,
    /// Makes one process play this place, for a demo. Its results are labelled as simulated.
    pub(super) simulated: Option<Simulated>,
}

/// What makes a place look far away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulated {
    /// Added to each round trip.
    pub(super) delay: Pause,
    /// Added on top, evenly spread between none and this. Default: 0s.
    pub(super) jitter: Option<Pause>,
    /// Share of connections that are lost. Default: 0%.
    pub(super) loss: Option<Share>,
}

/// Something to probe. Exactly one of http, journey, tcp, dns and tls says how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["http"]}, {"required": ["journey"]}, {"required": ["tcp"]},
    {"required": ["dns"]}, {"required": ["tls"]},
])))]
pub(super) struct Check {
    /// Short name, a tag.
    pub(super) name: NameText,
    /// From one probe to the next.
    pub(super) interval: Option<Span>,
    /// Longest time of one attempt.
    pub(super) timeout: Option<Span>,
    /// Attempts after a failure.
    pub(super) retries: Option<Retries>,
    /// One HTTP request.
    pub(super) http: Option<Request>,
    /// Several HTTP requests that carry cookies and values from one to the next.
    #[schemars(length(min = 1))]
    pub(super) journey: Option<Vec<Step>>,
    /// A TCP connection.
    pub(super) tcp: Option<Tcp>,
    /// A question to a name server.
    pub(super) dns: Option<Dns>,
    /// A TLS session and its certificate.
    pub(super) tls: Option<Tls>,
}

/// One HTTP request and what must come back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// Where to.
    pub(super) url: UrlText,
    /// Request method. Default: GET.
    pub(super) method: Option<MethodText>,
    /// Headers of the request.
    #[serde(default)]
    pub(super) headers: Vec<Header>,
    /// Body of the request.
    pub(super) body: Option<TemplateText>,
    /// Redirects that are followed, at most; with 0, a redirect is an answer. Default: 0.
    #[schemars(range(max = 20))]
    pub(super) redirects: Option<u8>,
    /// Version of HTTP. Default: auto.
    pub(super) version: Option<HttpVersion>,
    /// Whom to trust. Default: the system's certificate authorities.
    pub(super) trust: Option<Trust>,
    /// Most bytes of a body that are read.
    pub(super) body_limit: Option<Size>,
    /// What must come back. Without a status in it, 200 is expected.
    pub(super) expect: Option<Expect>,
}

/// A header of a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Its name.
    pub(super) name: HeaderText,
    /// Its value, never printed.
    pub(super) value: TemplateText,
}

/// Version of HTTP.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) enum HttpVersion {
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
pub(super) struct Trust {
    /// A PEM file with further certificate authorities, beside the configuration or absolute.
    pub(super) ca: Option<String>,
    /// Checks no certificate at all.
    pub(super) everybody: Option<bool>,
}

/// What must come back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// Status codes, any of which will do.
    pub(super) status: Option<OneOrMany<StatusText>>,
    /// Longest time that is good, retries and all that came before left out.
    pub(super) latency: Option<Span>,
    /// Days that the certificate must last.
    pub(super) certificate_days: Option<u16>,
    /// Headers.
    #[serde(default)]
    pub(super) headers: Vec<HeaderTest>,
    /// The body.
    pub(super) body: Option<TextTests>,
    /// Values in a JSON body.
    #[serde(default)]
    pub(super) json: Vec<JsonTest>,
}

/// What must hold for a header.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderTest {
    /// Its name.
    pub(super) name: HeaderText,
    /// Whether it must be there at all. Default: yes.
    pub(super) present: Option<bool>,
    /// Its whole value.
    pub(super) is: Option<TemplateText>,
    /// In its value.
    pub(super) contains: Option<TemplateText>,
    /// Not in its value.
    pub(super) lacks: Option<TemplateText>,
    /// Matches somewhere in its value.
    pub(super) matches: Option<RegexText>,
}

/// What must hold for a text; all of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextTests {
    /// Texts that are in it.
    pub(super) contains: Option<OneOrMany<TemplateText>>,
    /// Texts that are not in it.
    pub(super) lacks: Option<OneOrMany<TemplateText>>,
    /// Expressions that match somewhere in it.
    pub(super) matches: Option<OneOrMany<RegexText>>,
}

/// What must hold for the values that a path points at. Without a test, there must be one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonTest {
    /// Which values.
    pub(super) path: PathText,
    /// Each is this value: any JSON value.
    #[serde(default, deserialize_with = "some")]
    pub(super) equals: Option<Value>,
    /// Each, as a text, is this.
    pub(super) is: Option<TemplateText>,
    /// Each, as a text, has this in it.
    pub(super) contains: Option<TemplateText>,
    /// Each, as a text, matches this.
    pub(super) matches: Option<RegexText>,
    /// Each has something in it.
    pub(super) not_empty: Option<bool>,
    /// There is none.
    pub(super) absent: Option<bool>,
}

/// One request of a journey.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Short name.
    pub(super) name: NameText,
    /// The request.
    pub(super) http: Request,
    /// Values to pick up from the answer, for later steps.
    #[serde(default)]
    pub(super) capture: Vec<Capture>,
}

/// A value to pick up. Exactly one of json, header and body says where it stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["json"]}, {"required": ["header"]}, {"required": ["body"]},
])))]
pub(super) struct Capture {
    /// Its name: `{{name}}` in later steps.
    #[schemars(pattern("^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub(super) name: String,
    /// The first value that the path points at.
    pub(super) json: Option<PathText>,
    /// The value of this header.
    pub(super) header: Option<HeaderText>,
    /// The first group of the expression in the body, or its whole match.
    pub(super) body: Option<RegexText>,
}

/// A TCP connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tcp {
    /// Where to.
    pub(super) address: EndpointText,
    /// What to say first.
    pub(super) send: Option<TemplateText>,
    /// What must be heard within the first 4 KiB.
    pub(super) expect: Option<TemplateText>,
    /// Longest time that is good.
    pub(super) latency: Option<Span>,
}

/// A question to a name server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dns {
    /// Name to ask for.
    pub(super) name: DnsNameText,
    /// Type of record. Default: A.
    pub(super) record: Option<RecordText>,
    /// Whom to ask. Default: the first name server of the system.
    pub(super) server: Option<EndpointText>,
    /// What the server must answer. Default: NOERROR.
    pub(super) code: Option<CodeText>,
    /// Records that must be among the answers.
    pub(super) answers: Option<OneOrMany<TemplateText>>,
    /// Longest time that is good.
    pub(super) latency: Option<Span>,
}

/// A TLS session and its certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// Where to.
    pub(super) address: EndpointText,
    /// Name that the certificate must be for. Default: the host.
    pub(super) server_name: Option<String>,
    /// Days that the certificate must last. Default: 14.
    pub(super) certificate_days: Option<u16>,
    /// Whom to trust. Default: the system's certificate authorities.
    pub(super) trust: Option<Trust>,
    /// Longest time that is good.
    pub(super) latency: Option<Span>,
}

/// A promise. Exactly one of availability, latency and success says what is good.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["availability"]}, {"required": ["latency"]}, {"required": ["success"]},
])))]
pub(super) struct Slo {
    /// Short name, a tag.
    pub(super) name: NameText,
    /// Name for people.
    pub(super) title: Option<String>,
    /// Share that must be good.
    pub(super) target: TargetText,
    /// What it is judged over. Default: 7d.
    pub(super) window: Option<WindowText>,
    /// Checks that it is measured on.
    #[schemars(length(min = 1))]
    pub(super) checks: Vec<NameText>,
    /// Time slices of a minute: good is a minute that is up.
    pub(super) availability: Option<Availability>,
    /// Requests: good is a whole answer in time, right or wrong.
    pub(super) latency: Option<Latency>,
    /// Requests: good is a right answer.
    #[expect(dead_code, reason = "that it is there says it all")]
    pub(super) success: Option<Success>,
    /// How several locations become one, for time slices. Default: all-up.
    pub(super) locations: Option<Rule>,
}

/// Time slices.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Availability {
    /// Share of a minute's probes that must be good for the minute to be up. Default: 100%.
    pub(super) up_from: Option<Share>,
}

/// Answers in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Latency {
    /// The limit, included.
    pub(super) within: Span,
}

/// Right answers. There is nothing to set: write `{}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Success {}

/// How several locations become one.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rule {
    /// Any location down is down.
    AllUp,
    /// More than half of the locations must be up.
    Majority,
    /// The probes of all locations are summed.
    Pooled,
}

/// Alarms of one objective.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Alert {
    /// Which objective.
    pub(super) slo: NameText,
    /// Windows and factors. Default: the usual ones for the window of the objective.
    pub(super) burn: Option<Vec<Burn>>,
    /// Webhooks to tell. Default: all of them.
    pub(super) notify: Option<Vec<NameText>>,
}

/// Fires while both the long window and a twelfth of it burn faster than the factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([{"required": ["factor"]}, {"required": ["budget"]}])))]
pub(super) struct Burn {
    /// The long window.
    pub(super) long: Span,
    /// Burn rate that is too fast.
    pub(super) factor: Option<Factor>,
    /// The same as a share of the budget that is spent within the long window.
    pub(super) budget: Option<Share>,
}

/// Declared downtime.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Maintenance {
    /// What for.
    pub(super) name: String,
    /// Its start.
    pub(super) from: Moment,
    /// Its end.
    pub(super) until: Moment,
    /// From one start to the next, such as 7d. Default: once.
    pub(super) every: Option<Span>,
    /// Objectives that it is for. Default: all of them.
    pub(super) slos: Option<Vec<NameText>>,
}

/// Where results go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sinks {
    /// Metrics to the Datadog Agent, or any StatsD server that knows its dialect.
    pub(super) dogstatsd: Option<Dogstatsd>,
    /// Minutes of every check in DynamoDB.
    pub(super) history: Option<History>,
    /// Where alerts are posted.
    #[serde(default)]
    pub(super) webhooks: Vec<Webhook>,
}

/// Metrics to the Datadog Agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dogstatsd {
    /// Whether metrics go out; where to is said by DD_DOGSTATSD_URL or DD_AGENT_HOST. Default: yes.
    pub(super) enabled: bool,
}

/// Minutes of every check in DynamoDB.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    /// Name of the table. Default: synthetics.
    #[schemars(pattern("^[A-Za-z0-9_.-]{3,255}$"))]
    pub(super) table: Option<String>,
    /// How long minutes are kept; at least the longest window. Default: 400d.
    pub(super) retention: Option<Span>,
}

/// Where alerts are posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    /// Short name.
    pub(super) name: NameText,
    /// Address; often a secret, and never printed.
    pub(super) url: SecretText,
    /// Form of the message. Default: json.
    pub(super) format: Option<WebhookFormat>,
}

/// Form of a message.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum WebhookFormat {
    /// All that is known, as JSON.
    Json,
    /// A text, as Slack and what understands it take it.
    Slack,
}

/// One value, or a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Keeps `null` apart from nothing.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
