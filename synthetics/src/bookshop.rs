//! The checks and objectives of the bookshop: what is probed when nothing else is configured.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::objective::{Indicator, Slo};
use crate::probe::{Assertion, Check, JsonExpectation};
use crate::slo::{Percent, Target};

/// Most bytes that are read of a page or an API answer of the shop.
const BODY_LIMIT: usize = 1 << 20;

/// Names of the checks, in the order of [`checks`].
const PRODUCTPAGE: usize = 0;
const HEALTH: usize = 1;
const API: [usize; 4] = [2, 3, 4, 5];

/// The six addresses of the shop, with what each must answer.
///
/// The product page answers 200 even while a backend is down, so its content is what counts.
#[must_use]
pub fn checks(target: &Url, timeout: Duration) -> Vec<Check> {
    use Assertion::{BodyContains, BodyLacks};
    use JsonExpectation::{Absent, Equals, Exists, NotEmpty};
    let check = |name: &str, path: &str, content: Vec<Assertion>| {
        let mut assertions = vec![Assertion::Status(200..=200)];
        assertions.extend(content);
        let mut url = target.clone();
        url.set_path(&format!("{}{path}", target.path().trim_end_matches('/')));
        Check {
            name: name.into(),
            method: Method::GET,
            url,
            assertions,
            timeout,
            body_limit: BODY_LIMIT,
        }
    };
    vec![
        check(
            "productpage",
            "/productpage",
            vec![
                BodyContains("The Comedy of Errors".into()),
                // Only there while details, or reviews, are.
                BodyContains("ISBN-10".into()),
                BodyContains("<blockquote".into()),
                BodyLacks("data-unavailable=\"details\"".into()),
                BodyLacks("data-unavailable=\"reviews\"".into()),
                // The same notices as the original Bookinfo pages have them.
                BodyLacks("Error fetching product".into()),
            ],
        ),
        check(
            "health",
            "/health",
            vec![BodyContains("Product page is healthy".into())],
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

    #[test]
    fn every_objective_is_on_checks_that_exist() {
        let target = "http://shop.test/base/".parse().expect("an address");
        let checks = checks(&target, Duration::from_secs(1));
        let urls: Vec<_> = checks.iter().map(|check| check.url.path()).collect();
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
