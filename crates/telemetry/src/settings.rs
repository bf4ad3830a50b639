//! What a program may be told about its telemetry, by flag or by the standard variables.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::headers::HeaderList;

/// Default of `OTEL_EXPORTER_OTLP_TIMEOUT`, by the OpenTelemetry specification.
const OTLP_TIMEOUT_MS: u64 = 10_000;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `pretty` on a terminal, `json` elsewhere.
    #[default]
    Auto,
    /// One JSON object a line, with the attributes that the Datadog Agent knows.
    Json,
    /// For people.
    Pretty,
}

/// Flags and variables that every program takes.
///
/// `DD_*` names win over `OTEL_*` names where both say the same thing. What the OpenTelemetry SDK
/// reads by itself (`OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_TRACES_SAMPLER`, ...) is left to it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Telemetry")]
pub struct Settings {
    /// Service name; the default is the program's own.
    #[arg(long, env = "DD_SERVICE", global = true)]
    pub dd_service: Option<String>,
    /// Environment, such as `demo` or `prod`.
    #[arg(long, env = "DD_ENV", global = true)]
    pub dd_env: Option<String>,
    /// Version of the service; the default is the program's own.
    #[arg(long, env = "DD_VERSION", global = true)]
    pub dd_version: Option<String>,
    /// More tags, as `key:value` separated by commas or spaces.
    #[arg(long, env = "DD_TAGS", global = true)]
    pub dd_tags: Option<String>,
    /// Host of the Datadog Agent, or of anything that listens as it does.
    #[arg(long, env = "DD_AGENT_HOST", global = true)]
    pub dd_agent_host: Option<String>,
    /// Where DogStatsD listens: `udp://host:port` or `unix:///path`. Default: `udp://<agent host>:8125`.
    #[arg(long, env = "DD_DOGSTATSD_URL", global = true)]
    pub dd_dogstatsd_url: Option<String>,
    /// UDP port of DogStatsD, where no URL is given.
    #[arg(long, env = "DD_DOGSTATSD_PORT", default_value_t = 8125, global = true)]
    pub dd_dogstatsd_port: u16,
    /// Sends no metrics at all.
    #[arg(long, env = "DD_DOGSTATSD_DISABLE", num_args = 0..=1, default_value_t = false, default_missing_value = "true", global = true)]
    pub dd_dogstatsd_disable: bool,
    /// Uid of the pod, which lets the agent find the origin of UDP metrics.
    #[arg(long, env = "DD_ENTITY_ID", global = true)]
    pub dd_entity_id: Option<String>,
    /// Service name by OpenTelemetry; `DD_SERVICE` wins.
    #[arg(long, env = "OTEL_SERVICE_NAME", hide = true, global = true)]
    pub otel_service_name: Option<String>,
    /// Attributes of the process, as `key=value` separated by commas.
    #[arg(long, env = "OTEL_RESOURCE_ATTRIBUTES", global = true)]
    pub otel_resource_attributes: Option<String>,
    /// Base address of the OTLP receiver. Default: `http://<agent host>:4318`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// Whole address for traces, taken as it is.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", global = true)]
    pub otlp_traces_endpoint: Option<String>,
    /// OTLP protocol; `http/protobuf` is the only one.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", global = true)]
    pub otlp_protocol: Option<String>,
    /// OTLP protocol for traces; `http/protobuf` is the only one.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        hide = true,
        global = true
    )]
    pub otlp_traces_protocol: Option<String>,
    /// Headers for the OTLP receiver, as `name=value` separated by commas, values percent-encoded.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        hide_env_values = true,
        global = true
    )]
    pub otlp_headers: Option<HeaderList>,
    /// Headers for traces, instead of those for all.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        hide = true,
        hide_env_values = true,
        global = true
    )]
    pub otlp_traces_headers: Option<HeaderList>,
    /// Compression of what is sent; there is none.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_COMPRESSION",
        hide = true,
        global = true
    )]
    pub otlp_compression: Option<String>,
    /// Compression of traces; there is none.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
        hide = true,
        global = true
    )]
    pub otlp_traces_compression: Option<String>,
    /// Longest time for one batch of spans to be taken, in milliseconds; 0 is the default.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_TIMEOUT",
        default_value_t = OTLP_TIMEOUT_MS,
        global = true
    )]
    pub otlp_timeout: u64,
    /// Where traces go: `otlp` or `none`.
    #[arg(
        long,
        env = "OTEL_TRACES_EXPORTER",
        default_value = "otlp",
        global = true
    )]
    pub otel_traces_exporter: String,
    /// Makes no spans at all.
    #[arg(long, env = "OTEL_SDK_DISABLED", num_args = 0..=1, default_value_t = false, default_missing_value = "true", global = true)]
    pub otel_sdk_disabled: bool,
    /// Longest wait before a batch of spans is sent, in milliseconds.
    #[arg(
        long,
        env = "OTEL_BSP_SCHEDULE_DELAY",
        default_value_t = 1000,
        global = true
    )]
    pub otel_bsp_schedule_delay: u64,
    /// Form of the log lines on standard output.
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_enum,
        default_value = "auto",
        global = true
    )]
    pub log_format: LogFormat,
    /// No colours where this is set to anything.
    #[arg(long, env = "NO_COLOR", hide = true, global = true)]
    pub log_no_color: Option<std::ffi::OsString>,
    /// What is logged, as `tracing` filter directives.
    #[arg(long, env = "RUST_LOG", default_value = "info", global = true)]
    pub log_filter: String,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// `DD_DOGSTATSD_URL` has another form than `udp://host:port` or `unix:///path`.
    #[error(
        "DD_DOGSTATSD_URL `{0}` is not usable: write `udp://host:port` or `unix:///path/to/socket`"
    )]
    DogstatsdUrl(String),
    /// A protocol that this program does not speak.
    #[error(
        "OTLP protocol `{0}` is not supported: use `http/protobuf` (port 4318 of the agent), or leave it out"
    )]
    Protocol(String),
    /// An exporter that this program does not have.
    #[error("OTEL_TRACES_EXPORTER `{0}` is not supported: use `otlp` or `none`")]
    Exporter(String),
    /// An address that is reached with TLS.
    #[error(
        "OTLP endpoint `{0}` is not supported: give the plain http:// address of an agent or collector"
    )]
    Scheme(String),
    /// An address that cannot be one.
    #[error("OTLP endpoint `{0}` is not usable: write http://host:port")]
    Endpoint(String),
    /// A compression that this program does not have.
    #[error("OTLP compression `{0}` is not supported: leave it out, or write `none`")]
    Compression(String),
    /// A list of headers that is none. It is not shown, since it may hold a key.
    #[error(
        "OTEL_EXPORTER_OTLP_HEADERS is not usable: write name=value, several separated by commas, values percent-encoded"
    )]
    Headers,
    /// The log filter does not parse.
    #[error("RUST_LOG `{0}` is not a list of filter directives such as `info,web=debug`")]
    LogFilter(String),
}

/// Who sends: the unified service tags and what else goes on everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) service: String,
    pub(crate) env: Option<String>,
    pub(crate) version: String,
    /// `DD_TAGS`, split.
    pub(crate) tags: Vec<(String, String)>,
}

/// Where metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dogstatsd {
    Udp(String),
    Unix(PathBuf),
}

impl Settings {
    pub(crate) fn identity(&self, default_service: &str, default_version: &str) -> Identity {
        let attribute = |name: &str| {
            self.otel_resource_attributes
                .as_deref()
                .unwrap_or_default()
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let non_empty = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
        Identity {
            service: non_empty(&self.dd_service)
                .or_else(|| non_empty(&self.otel_service_name))
                .or_else(|| attribute("service.name"))
                .unwrap_or_else(|| default_service.to_owned()),
            env: non_empty(&self.dd_env)
                .or_else(|| attribute("deployment.environment.name"))
                .or_else(|| attribute("deployment.environment")),
            version: non_empty(&self.dd_version)
                .or_else(|| attribute("service.version"))
                .unwrap_or_else(|| default_version.to_owned()),
            tags: split_tags(self.dd_tags.as_deref().unwrap_or_default()),
        }
    }

    pub(crate) fn dogstatsd(&self) -> Result<Dogstatsd, InitError> {
        let host = self.agent_host();
        let Some(url) = self.dd_dogstatsd_url.as_deref().filter(|u| !u.is_empty()) else {
            return Ok(Dogstatsd::Udp(host_port(host, self.dd_dogstatsd_port)));
        };
        let refuse = || InitError::DogstatsdUrl(url.to_owned());
        if let Some(path) = url.strip_prefix("unix://") {
            return match path.starts_with('/') {
                true => Ok(Dogstatsd::Unix(path.into())),
                false => Err(refuse()),
            };
        }
        let rest = url.strip_prefix("udp://").ok_or_else(refuse)?;
        match rest.rsplit_once(':') {
            _ if rest.is_empty() || rest.contains('/') => Err(refuse()),
            Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
                port.parse::<u16>().map_err(|_| refuse())?;
                Ok(Dogstatsd::Udp(rest.to_owned()))
            }
            Some(("", _)) => Err(refuse()),
            _ => Ok(Dogstatsd::Udp(format!("{rest}:{}", self.dd_dogstatsd_port))),
        }
    }

    /// `None` where traces are switched off.
    pub(crate) fn traces_endpoint(&self) -> Result<Option<String>, InitError> {
        match self.otel_traces_exporter.as_str() {
            "none" => return Ok(None),
            "otlp" | "" => {}
            other => return Err(InitError::Exporter(other.to_owned())),
        }
        if self.otel_sdk_disabled {
            return Ok(None);
        }
        let protocol = self
            .otlp_traces_protocol
            .as_deref()
            .or(self.otlp_protocol.as_deref());
        match protocol {
            None | Some("" | "http/protobuf") => {}
            Some(other) => return Err(InitError::Protocol(other.to_owned())),
        }
        let whole = self.otlp_traces_endpoint.clone().filter(|e| !e.is_empty());
        let endpoint = whole.unwrap_or_else(|| {
            let base = self
                .otlp_endpoint
                .clone()
                .filter(|e| !e.is_empty())
                .unwrap_or_else(|| format!("http://{}", host_port(self.agent_host(), 4318)));
            format!("{}/v1/traces", base.trim_end_matches('/'))
        });
        if !endpoint.starts_with("http://") {
            return Err(InitError::Scheme(endpoint));
        }
        match endpoint.parse::<ureq::http::Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(Some(endpoint)),
            _ => Err(InitError::Endpoint(endpoint)),
        }
    }

    /// What goes along with each batch of spans.
    pub(crate) fn otlp_headers(&self) -> Result<Vec<(String, String)>, InitError> {
        let compression = [&self.otlp_traces_compression, &self.otlp_compression];
        match compression.into_iter().flatten().next().map(String::as_str) {
            None | Some("" | "none") => {}
            Some(other) => return Err(InitError::Compression(other.to_owned())),
        }
        let list = self
            .otlp_traces_headers
            .as_ref()
            .or(self.otlp_headers.as_ref());
        list.map_or(Some(Vec::new()), HeaderList::parse)
            .ok_or(InitError::Headers)
    }

    pub(crate) fn otlp_timeout(&self) -> Duration {
        Duration::from_millis(match self.otlp_timeout {
            0 => OTLP_TIMEOUT_MS,
            limit => limit,
        })
    }

    pub(crate) fn schedule_delay(&self) -> Duration {
        Duration::from_millis(self.otel_bsp_schedule_delay)
    }

    fn agent_host(&self) -> &str {
        self.dd_agent_host
            .as_deref()
            .filter(|h| !h.is_empty())
            .unwrap_or("127.0.0.1")
    }
}

/// `host:port`, with brackets round an IPv6 address.
fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Splits `DD_TAGS`; a word without a colon is a tag with an empty value.
fn split_tags(tags: &str) -> Vec<(String, String)> {
    tags.split([',', ' '])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(|tag| tag.split_once(':').unwrap_or((tag, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
