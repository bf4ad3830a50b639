//! Who may ask: a page that shows traces and takes log lines is not for every site that a browser has open.
//!
//! A host name in the `Host` header must be `localhost` or one that was allowed, or else another site's name may have been pointed at this
//! machine (DNS rebinding). An address stands for itself. A request that says where it comes from (`Origin`, `Sec-Fetch-Site`) must come
//! from these pages.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No `Host` header, and no other name.
    #[error("the request does not say which host it is for")]
    NoHost,
    /// A name that is not ours, or several.
    #[error("{0:?} is not a name of this page; start it with --allow-host to make it one")]
    Host(String),
    /// It comes from a page that is not ours.
    #[error("requests from other sites are not answered")]
    Origin,
}

/// The names that a page goes by.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    names: Vec<String>,
}

impl Guard {
    /// A guard that knows these names, beside addresses and `localhost`.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        let names = names
            .iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        Self {
            names: names.collect(),
        }
    }

    /// Looks at a request's head. `authority` is that of its target, if there is one (HTTP/1.1 to a proxy, HTTP/2).
    ///
    /// # Errors
    /// [`Refused`] says why it is not to be answered.
    pub fn check(
        &self,
        method: &Method,
        headers: &HeaderMap,
        authority: Option<&str>,
    ) -> Result<(), Refused> {
        let host = self.check_host(headers, authority)?;
        if let Some(origin) = headers.get(ORIGIN) {
            let ours = origin
                .to_str()
                .ok()
                .and_then(|origin| origin.split_once("://"))
                .is_some_and(|(_, from)| from.eq_ignore_ascii_case(host));
            if !ours {
                return Err(Refused::Origin);
            }
        }
        // Following a link from elsewhere to a page is fine; fetching or posting from elsewhere is not.
        let fetch = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let foreign = matches!(fetch("sec-fetch-site"), Some("cross-site" | "same-site"));
        let navigation = fetch("sec-fetch-mode") == Some("navigate") && method == Method::GET;
        if foreign && !navigation {
            return Err(Refused::Origin);
        }
        Ok(())
    }

    /// Looks at the name alone that a request is for: enough for what anybody may see. Gives that
    /// name.
    ///
    /// # Errors
    /// [`Refused`] says why it is not to be answered.
    pub fn check_host<'r>(
        &self,
        headers: &'r HeaderMap,
        authority: Option<&'r str>,
    ) -> Result<&'r str, Refused> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (authority, hosts.next()) {
            (Some(authority), _) => authority,
            (None, Some(host)) => host.to_str().map_err(|_| Refused::NoHost)?,
            (None, None) => return Err(Refused::NoHost),
        };
        if hosts.next().is_some() || !self.is_ours(name_of(host)) {
            return Err(Refused::Host(host.chars().take(100).collect()));
        }
        Ok(host)
    }

    fn is_ours(&self, name: &str) -> bool {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        bare.parse::<IpAddr>().is_ok() || name == "localhost" || self.names.contains(&name)
    }
}

/// Without the port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|digit| digit.is_ascii_digit()) && !name.is_empty() =>
        {
            // The last group of an IPv6 address is no port.
            if name.contains(':') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, headers: &[(&str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        Guard::new(&["Console.Example".to_owned()]).check(&method, &map, None)
    }

    #[test]
    fn our_names_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "10.1.2.3",
            "console.example:80",
            "localhost.",
        ] {
            assert_eq!(check(Method::GET, &[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "",
            ":80",
            "evil:1:2",
            "1234:evil",
        ] {
            assert!(
                matches!(check(Method::GET, &[("host", host)]), Err(Refused::Host(_))),
                "{host}"
            );
        }
        assert_eq!(check(Method::GET, &[]), Err(Refused::NoHost));
        assert!(
            check(
                Method::GET,
                &[("host", "localhost"), ("host", "evil.example")]
            )
            .is_err()
        );
    }

    #[test]
    fn other_sites_may_link_and_no_more() {
        let host = ("host", "localhost:8080");
        let link = [
            host,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ];
        assert_eq!(check(Method::GET, &link), Ok(()));
        assert_eq!(check(Method::POST, &link), Err(Refused::Origin));
        assert_eq!(
            check(
                Method::GET,
                &[
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "no-cors")
                ]
            ),
            Err(Refused::Origin)
        );
        assert_eq!(
            check(Method::POST, &[host, ("origin", "http://localhost:8080")]),
            Ok(())
        );
        for origin in [
            "http://localhost:9080",
            "null",
            "http://evil.example",
            "http://localhost",
        ] {
            assert_eq!(
                check(Method::GET, &[host, ("origin", origin)]),
                Err(Refused::Origin),
                "{origin}"
            );
        }
    }
}
