//! The checks and objectives of the bookshop: what is probed when nothing else is configured.

use std::time::Duration;

use serde_json::json;
use url::Url;

use crate::objective::{Indicator, Slo};
use crate::probe::{Assertion, Check, Guard, JsonExpectation, Kind, Request, Retries, TextTest};
use crate::slo::{Percent, Target};

/// Names of the checks, in the order of [`checks`].
const PRODUCTPAGE: usize = 0;
const HEALTH: usize = 1;
const API: [usize; 4] = [2, 3, 4, 5];

/// The six addresses of the shop, with what each must answer.
///
/// The product page answers 200 even while a backend is down, so its content is what counts.
#[must_use]
pub fn checks(target: &Url, timeout: Duration) -> Vec<Check> {
    let contains = |text: &str| Assertion::Body(TextTest::Contains(text.into()));
    let lacks = |text: &str| Assertion::Body(TextTest::Lacks(text.into()));
    use JsonExpectation::{Absent, Equals, Exists, NotEmpty};
    let check = |name: &str, path: &str, content: Vec<Assertion>| {
        let mut url = target.clone();
        url.set_path(&format!("{}{path}", target.path().trim_end_matches('/')));
        let mut request = Request::get(url);
        request.assertions.extend(content);
        Check {
            name: name.into(),
            kind: Kind::Http(Box::new(request)),
            timeout,
            retries: Retries::default(),
        }
    };
    vec![
        check(
            "productpage",
            "/productpage",
            vec![
                contains("The Comedy of Errors"),
                // Only there while details, or reviews, are.
                contains("ISBN-10"),
                contains("<blockquote"),
                lacks("data-unavailable=\"details\""),
                lacks("data-unavailable=\"reviews\""),
                // The same notices as the original Bookinfo pages have them.
                lacks("Error fetching product"),
            ],
        ),
        check(
            "health",
            "/health",
            vec![contains("Product page is healthy")],
        ),
        check(
            "api-products",
            "/api/v1/products",
            vec![
                json("$", NotEmpty),
                json("$[*].id", Exists),
                json("$[0].title", NotEmpty),
            ],
        ),
        check(
            "api-product",
            "/api/v1/products/0",
            vec![
                json("$.id", Equals(json!(0))),
                json("$.author", NotEmpty),
                json("$.error", Absent),
            ],
        ),
        check(
            "api-reviews",
            "/api/v1/products/0/reviews",
            vec![
                json("$.id", Equals(json!("0"))),
                json("$.reviews", NotEmpty),
                // Reviews answer 200 with this in place of the stars while ratings are down.
                json("$.reviews[*].rating.error", Absent),
            ],
        ),
        check(
            "api-ratings",
            "/api/v1/products/0/ratings",
            vec![
                json("$.id", Equals(json!(0))),
                json("$.ratings", NotEmpty),
                json("$.error", Absent),
            ],
        ),
    ]
}

/// Permits the target alone.
#[must_use]
pub fn guard(target: &Url) -> Guard {
    let mut guard = Guard::default();
    guard.name(target.host_str().unwrap_or_default());
    guard
}

fn json(path: &str, expectation: JsonExpectation) -> Assertion {
    Assertion::Json(path.parse().expect("a path of this file"), expectation)
}

/// The three objectives of the bookshop, latency under two limits.
#[must_use]
pub fn slos() -> Vec<Slo> {
    let all = || [PRODUCTPAGE, HEALTH].into_iter().chain(API).collect();
    let slo = |name: &str, title: &str, target, indicator, checks| Slo {
        title: title.into(),
        ..Slo::new(name, Target::whole(target), indicator, checks)
    };
    let latency = |ms| Indicator::Latency {
        within: Duration::from_millis(ms),
    };
    let availability = Indicator::Availability {
        min_good: Percent::HUNDRED,
    };
    vec![
        slo(
            "availability",
            "availability",
            98,
            availability,
            vec![PRODUCTPAGE, HEALTH],
        ),
        slo(
            "latency-100ms",
            "API latency <= 100 ms",
            95,
            latency(100),
            API.to_vec(),
        ),
        slo(
            "latency-500ms",
            "API latency <= 500 ms",
            95,
            latency(500),
            API.to_vec(),
        ),
        slo("success", "success ratio", 96, Indicator::Success, all()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::check::Address;

    #[test]
    fn every_objective_is_on_checks_that_exist() {
        let target = "http://shop.test/base/".parse().expect("an address");
        let checks = checks(&target, Duration::from_secs(1));
        let urls: Vec<_> = checks
            .iter()
            .map(|check| match &check.kind {
                Kind::Http(request) => match &request.address {
                    Address::Fixed(url) => url.path(),
                    Address::Template(_) => panic!("{} is not fixed", check.name),
                },
                _ => panic!("{} is no HTTP check", check.name),
            })
            .collect();
        assert_eq!(urls[PRODUCTPAGE], "/base/productpage");
        assert_eq!(urls[HEALTH], "/base/health");
        for check in API {
            assert!(urls[check].starts_with("/base/api/v1/products"));
        }
        for slo in slos() {
            assert!(slo.checks.iter().all(|check| *check < checks.len()));
        }
    }
}
