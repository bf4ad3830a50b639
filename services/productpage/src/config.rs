//! What the service may be told, by flag or by variable.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;

/// The product page of the bookshop: server-rendered pages and the JSON interface.
#[derive(Parser, Clone, Debug)]
#[command(name = "productpage", version)]
pub struct Cli {
    /// The HTTP server.
    #[command(flatten)]
    pub server: web::Config,
    /// Host of the details service: `host[:port]`, or several separated by commas, asked in turn.
    #[arg(long, env = "DETAILS_HOSTNAME", default_value = "details", value_parser = hosts)]
    pub details_hostname: String,
    /// Port of the details service, where its host names none.
    #[arg(long, env = "DETAILS_SERVICE_PORT", default_value_t = 9080)]
    pub details_service_port: u16,
    /// Host of the reviews service, as for details.
    #[arg(long, env = "REVIEWS_HOSTNAME", default_value = "reviews", value_parser = hosts)]
    pub reviews_hostname: String,
    /// Port of the reviews service, where its host names none.
    #[arg(long, env = "REVIEWS_SERVICE_PORT", default_value_t = 9080)]
    pub reviews_service_port: u16,
    /// Host of the ratings service, as for details.
    #[arg(long, env = "RATINGS_HOSTNAME", default_value = "ratings", value_parser = hosts)]
    pub ratings_hostname: String,
    /// Port of the ratings service, where its host names none.
    #[arg(long, env = "RATINGS_SERVICE_PORT", default_value_t = 9080)]
    pub ratings_service_port: u16,
    /// Domain that is appended to the hosts' names.
    #[arg(long, env = "SERVICES_DOMAIN", default_value = "")]
    pub services_domain: String,
    /// Longest wait for one answer of a service behind this one.
    #[arg(long, env = "BACKEND_TIMEOUT", default_value = "3s", value_parser = positive)]
    pub backend_timeout: Duration,
    /// Extra calls of reviews for each product page, their answers ignored: for lessons on rate
    /// limits.
    #[arg(long, env = "FLOOD_FACTOR", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub flood_factor: u8,
    /// Secret that signs the session cookie, 32 bytes or more. Default: random at every start, which
    /// signs users out then. Several replicas need the same one.
    #[arg(long, env = "SESSION_KEY", hide_env_values = true)]
    pub session_key: Option<SessionKey>,
    /// Length of a session; a visit after half of it starts it anew.
    #[arg(long, env = "SESSION_TTL", default_value = "12h", value_parser = positive)]
    pub session_ttl: Duration,
    /// Marks cookies `Secure`: set it where browsers come over HTTPS.
    #[arg(long, env = "COOKIE_SECURE", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub cookie_secure: bool,
    /// Logs, traces and metrics.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

/// A secret of 32 bytes or more that never shows in logs.
#[derive(Clone)]
pub struct SessionKey(String);

/// A session key that is too short to be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a session key has {} bytes or more, this one has {length}; make one with `openssl rand -hex 32`, or leave it out",
    SessionKey::MIN_BYTES
)]
pub struct SessionKeyError {
    length: usize,
}

impl SessionKey {
    /// Shortest key, in bytes.
    pub const MIN_BYTES: usize = 32;

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl SessionKey {
    /// Refuses a key that is too short to be one.
    pub(crate) fn check(&self) -> Result<(), SessionKeyError> {
        match self.0.len() {
            length if length < Self::MIN_BYTES => Err(SessionKeyError { length }),
            _ => Ok(()),
        }
    }
}

/// Takes any text: what the parser of the command line refuses it prints, and this is a secret.
/// The server checks it.
impl FromStr for SessionKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// A list of hosts, not of addresses: `http://details` would be looked up as a name.
fn hosts(text: &str) -> Result<String, String> {
    let is_host = |host: &str| {
        let host = host.trim();
        !host.is_empty() && !host.contains(|c: char| c == '/' || c.is_whitespace())
    };
    match text.split(',').all(is_host) {
        true => Ok(text.to_owned()),
        false => Err("write `host`, `host:port`, or several separated by commas".into()),
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than 0".into()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_list_of_hosts_is_taken_whole_or_refused(text in "\\PC{0,30}|[a-z.:, /]{0,20}") {
            if let Ok(list) = hosts(&text) {
                prop_assert_eq!(&list, &text);
                prop_assert!(list.split(',').all(|host| !host.trim().is_empty()));
                prop_assert!(!list.contains('/'));
                let _ = web::Outbound::new(&list, 9080, "", Duration::from_secs(1));
            }
        }

        #[test]
        fn any_time_is_positive_or_refused(text in "\\PC{0,12}|[0-9]{1,12}(ns|ms|s|h|years)?") {
            if let Ok(time) = positive(&text) {
                prop_assert!(time > Duration::ZERO);
            }
        }

        #[test]
        fn a_key_is_long_enough_or_refused_and_shows_nowhere(text in "\\PC{3,50}") {
            let Ok(key) = text.parse::<SessionKey>();
            prop_assert_eq!(key.check().is_ok(), text.len() >= SessionKey::MIN_BYTES);
            prop_assert_eq!(format!("{key:?}"), "SessionKey(..)");
        }
    }
}
