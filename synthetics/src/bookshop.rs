//! The checks and objectives of the bookshop: what the built-in configuration comes to.

use std::time::Duration;

use url::Url;

use crate::config::{Config, ConfigError};
use crate::objective::Slo;
use crate::probe::Check;

/// The built-in configuration for a shop at `target`.
///
/// # Errors
/// Where the file takes no such target, one that is not HTTP for example, or no such timeout.
pub fn config(target: &Url, timeout: Duration) -> Result<Config, ConfigError> {
    let target = target.as_str().trim_end_matches('/').to_owned();
    let timeout = humantime::format_duration(timeout).to_string();
    let environment = move |name: &str| match name {
        "SYNTHETICS_TARGET" => Some(target.clone()),
        "SYNTHETICS_TIMEOUT" | "SYNTHETICS_INTERVAL" => Some(timeout.clone()),
        _ => None,
    };
    Config::built_in(&environment)
}

/// The six addresses of the shop, with what each must answer.
///
/// # Errors
/// As [`config`].
pub fn checks(target: &Url, timeout: Duration) -> Result<Vec<Check>, ConfigError> {
    let planned = config(target, timeout)?.checks;
    Ok(planned.into_iter().map(|planned| planned.check).collect())
}

/// The three objectives of the bookshop, latency under two limits.
#[must_use]
pub fn slos() -> Vec<Slo> {
    let config = Config::built_in(&|_| None);
    config
        .expect("the built-in file is part of the program, and tested with its defaults")
        .slos
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Kind;
    use crate::probe::check::Address;

    #[test]
    fn every_objective_is_on_checks_that_exist() {
        let target = "http://shop.test/base/".parse().expect("an address");
        let checks = checks(&target, Duration::from_secs(1)).expect("it is sound");
        let paths: Vec<_> = checks
            .iter()
            .map(|check| match &check.kind {
                Kind::Http(request) => match &request.address {
                    Address::Fixed(url) => url.path(),
                    Address::Template(_) => panic!("{} is not fixed", check.name),
                },
                _ => panic!("{} is no HTTP check", check.name),
            })
            .collect();
        assert_eq!(paths[..2], ["/base/productpage", "/base/health"]);
        assert!(
            paths[2..]
                .iter()
                .all(|path| path.starts_with("/base/api/v1/products"))
        );
        let mail = "mailto:shop@shop.test".parse().expect("an address");
        assert!(super::checks(&mail, Duration::from_secs(1)).is_err());
        for slo in slos() {
            assert!(slo.checks.iter().all(|check| *check < checks.len()));
        }
    }
}
