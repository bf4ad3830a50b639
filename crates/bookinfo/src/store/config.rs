//! Where the store is and how long to wait for it.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, StalledStreamProtectionConfig};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use clap::Args;

use super::schema::Tables;
use super::{Store, span};

/// One connection attempt. In a region it takes a millisecond; a second one fits into the attempt.
const CONNECT: Duration = Duration::from_millis(500);
/// One attempt, from sending to the end of the answer.
const ATTEMPT: Duration = Duration::from_millis(900);
/// The whole call with its retries: below the 2.5 s that reviews gives ratings and the 3 s that the page
/// gives reviews, so that the contract's error arrives and not a time-out.
const OPERATION: Duration = Duration::from_secs(2);
/// Attempts of one call, the first included; waits between them start at [`BACKOFF`] and double, with jitter.
const ATTEMPTS: u32 = 3;
const BACKOFF: Duration = Duration::from_millis(50);

/// Flags and variables of the store.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Store")]
pub struct StoreArgs {
    /// What the names of all tables begin with.
    #[arg(long, env = "TABLE_PREFIX", default_value = "bookwatch-")]
    pub table_prefix: String,
    /// Address of a DynamoDB that is not AWS's own, such as `http://127.0.0.1:8000`. Without
    /// credentials or a region in the environment, local ones are made up for it.
    #[arg(long, env = "DYNAMODB_ENDPOINT")]
    pub dynamodb_endpoint: Option<String>,
    /// The SDK's name for the same address.
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB", hide = true)]
    pub aws_endpoint_url_dynamodb: Option<String>,
}

/// Settings of the store that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No region, and no endpoint either.
    #[error("no AWS region: set AWS_REGION, or DYNAMODB_ENDPOINT for an engine of your own")]
    NoRegion,
    /// The endpoint is not an address.
    #[error("DYNAMODB_ENDPOINT `{0}` is not usable: write http://host:port or https://host")]
    Endpoint(String),
    /// A prefix that DynamoDB does not take in a table's name.
    #[error("TABLE_PREFIX `{0}` is not usable: letters, digits, `_`, `-` and `.`, at most 200")]
    Prefix(String),
}

/// Everything that is loaded once; opening stores from it costs little.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    sdk: SdkConfig,
    tables: Tables,
    server: span::Server,
    plain_http: bool,
}

impl StoreConfig {
    /// Reads the AWS configuration. No call to the store is made.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub async fn load(args: &StoreArgs) -> Result<Self, ConfigError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if args.table_prefix.len() > 200 || !args.table_prefix.chars().all(allowed) {
            return Err(ConfigError::Prefix(args.table_prefix.clone()));
        }
        let endpoint = [&args.dynamodb_endpoint, &args.aws_endpoint_url_dynamodb]
            .into_iter()
            .flatten()
            .find(|endpoint| !endpoint.is_empty());
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            )
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(BACKOFF),
            )
            // The time-outs above say it already, and cheaper.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
            if !has_credentials() {
                loader = loader
                    .credentials_provider(Credentials::new("local", "local", None, None, "local"));
            }
            if !has_region() {
                loader = loader.region(Region::from_static("us-east-1"));
            }
        }
        let sdk = loader.load().await;
        let region = sdk.region().ok_or(ConfigError::NoRegion)?.to_string();
        let (server, plain_http) = match endpoint {
            Some(endpoint) => {
                server_of(endpoint).ok_or_else(|| ConfigError::Endpoint(endpoint.clone()))?
            }
            None => (
                span::Server {
                    address: Arc::<str>::from(format!("dynamodb.{region}.amazonaws.com")).into(),
                    port: 443,
                },
                false,
            ),
        };
        Ok(Self {
            sdk,
            tables: Tables::with_prefix(&args.table_prefix),
            server,
            plain_http,
        })
    }

    /// A store with connections of its own.
    pub fn open(&self) -> Store {
        Store {
            client: self.client(),
            tables: self.tables.clone(),
            spans: span::Spans::of(self.server.clone()),
        }
    }

    /// The SDK's client as the store has it, with the same address, credentials and time-outs: for tables that
    /// are not the shop's.
    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        let http = match self.plain_http {
            true => HttpClientBuilder::new().build_http(),
            false => HttpClientBuilder::new()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .build_https(),
        };
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk)
            .http_client(http)
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }
}

/// Host and port of an endpoint, and whether it speaks plain HTTP.
fn server_of(endpoint: &str) -> Option<(span::Server, bool)> {
    let (plain, rest) = match endpoint.strip_prefix("http://") {
        Some(rest) => (true, rest),
        None => (false, endpoint.strip_prefix("https://")?),
    };
    let uri: http::Uri = endpoint.parse().ok()?;
    let address = uri
        .host()
        .filter(|host| !host.is_empty() && !rest.is_empty())?
        .to_owned();
    let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
    let server = span::Server {
        address: Arc::<str>::from(address).into(),
        port: i64::from(port),
    };
    Some((server, plain))
}

/// Whether the environment says where credentials come from, in any of the ways that AWS has.
fn has_credentials() -> bool {
    is_set(&[
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ])
}

fn has_region() -> bool {
    is_set(&["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"])
}

#[expect(
    clippy::disallowed_methods,
    reason = "the names are the SDK's own; only whether they are set is asked"
)]
fn is_set(names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_endpoint_has_a_host_and_a_port_or_is_none(text in "(https?://)?(\\PC{0,30}|[a-z0-9.:@/\\[\\]]{0,20})") {
            if let Some((server, plain)) = server_of(&text) {
                prop_assert!(!server.address.as_str().is_empty());
                prop_assert!((0..=65_535).contains(&server.port));
                prop_assert_eq!(plain, text.starts_with("http://"));
            }
        }
    }
}
