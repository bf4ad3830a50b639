//! Every mistake that a user makes in the first hour: what is told, where, and the mend.

use super::{SOUND, parse};

/// What stands in the sound file, what is put in its place, and then the line and column of the
/// first mistake, words of what is told, and words of the mend.
type Mistake = (
    &'static str,
    &'static str,
    (u32, u32),
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const STRUCTURE: &[Mistake] = &[
    // Keys.
    ("target: 98%", "tragets: 98%", (14, 5), "`tragets` is not known", "did you mean `target`"),
    ("slos:\n", "slo:\n", (12, 1), "`slo` is not known in the file", "did you mean `slos`"),
    ("status: 200", "Status: 200", (9, 16), "`Status` is not known in `expect`", "`status`"),
    ("    target: 98%\n", "", (13, 5), "has no `target`", "add `target:`"),
    ("version: 1\n", "", (1, 1), "has no `version`", "add `version:`"),
    ("version: 1", "version: 2", (1, 10), "`2` is not allowed", "the only one allowed is `1`"),
    ("    window: 7d", "    target: 97%", (15, 5), "`target` is here twice", "line 14"),
    // Shapes.
    ("  - name: tokyo", "  name: tokyo", (4, 3), "`locations` is a map here", "it takes a list"),
    ("checks: [page, port]", "checks: page", (17, 13), "`checks` is `page`", "a list"),
    ("checks: [page, port]", "checks: []", (17, 13), "`checks` is empty", "one entry at least"),
    ("    http:\n", "    http: GET\n    x:\n", (7, 11), "`http` is `GET`", "a map of `url`"),
    ("target: 98%", "target:", (14, 11), "`target` has no value", "`98%`"),
    ("target: 98%", "target: [98%]", (14, 14), "`target` is a list here", "a text"),
    // One of several.
    ("    availability: {}\n", "", (13, 5), "none of `availability`, `latency`, `success`", "add"),
    ("    availability: {}\n", "    availability: {}\n    success: {}\n", (17, 5), "`availability` and `success` do not go together", "keep one"),
    ("    tcp: {address: 'shop.test:22'}\n", "", (10, 5), "none of `http`, `journey`, `tcp`, `dns`, `tls`", "add"),
    ("    tcp: {", "    tpc: {", (11, 5), "`tpc` is not known", "did you mean `tcp`"),
    // YAML itself.
    ("    target: 98%", "\ttarget: 98%", (14, 1), "this is no YAML", "never with tabs"),
    ("name: page", "name: 'page", (0, 0), "this is no YAML", "quotes"),
    ("version: 1", "version: 1\n---\nversion: 1", (2, 1), "second document", "`---`"),
];

#[rustfmt::skip]
const VALUES: &[Mistake] = &[
    ("target: 98%", "target: 98", (14, 13), "no percent sign", "`98%`"),
    ("target: 98%", "target: 0.98", (14, 13), "write `98%`", "such as"),
    ("target: 98%", "target: 100%", (14, 13), "leaves nothing to judge", "such as"),
    ("target: 98%", "target: 98,5%", (14, 13), "`98,5%` is no percentage", "such as"),
    ("window: 7d", "window: week", (15, 13), "`week` is no window", "calendar-"),
    ("window: 7d", "window: 7", (15, 13), "`7` is no window", "such as `7d`"),
    ("interval: 10s", "interval: 10", (2, 22), "`10` has no unit: write `10s`", "such as"),
    ("interval: 10s", "interval: 10 seconds ago", (2, 22), "is no time", "such as"),
    ("name: page", "name: My Page", (6, 11), "write `my-page`", "such as"),
    ("address: 'shop.test:22'", "address: shop.test", (11, 20), "no host and port", "such as"),
    ("address: 'shop.test:22'", "address: 'shop.test:ssh'", (11, 20), "no host and port", "such as"),
    ("status: 200", "status: OK", (9, 24), "`OK` is no status", "such as"),
    ("status: 200", "status: [200, 2000]", (9, 30), "`2000` is no status", "such as"),
    ("expect: {status: 200}", "method: get", (8 + 1, 15), "did you mean `GET`", "such as"),
    ("expect: {status: 200}", "redirects: many", (9, 18), "`redirects` is `many`", "a whole number"),
    ("expect: {status: 200}", "redirects: 21", (9, 18), "`redirects` is 21", "from 0 to 20"),
    ("expect: {status: 200}", "version: 3", (9, 16), "`3` is not allowed", "`auto`, `1.1`, `2`"),
    ("expect: {status: 200}", "body_limit: 1MB", (9, 19), "`1MB` is no size", "such as `1MiB`"),
    ("expect: {status: 200}", "expect: {body: {matches: '('}}", (9, 32), "no regular expression", "such as"),
    ("expect: {status: 200}", "expect: {json: [{path: id}]}", (9, 30), "a path starts with `$`", "such as"),
    ("expect: {status: 200}", "trust: {ca: no-such.pem}", (9, 19), "`no-such.pem` cannot be read", "PEM"),
    ("tcp: {address: 'shop.test:22'}", "dns: {name: shop.test, record: AAAAA}", (11, 36), "did you mean `AAAA`", "such as"),
    ("availability: {}", "latency: {within: 100ms}\n    locations: all_up", (17, 16), "`all_up` is not allowed", "did you mean `all-up`"),
];

#[rustfmt::skip]
const MEANING: &[Mistake] = &[
    // Names.
    ("checks: [page, port]", "checks: [pag, port]", (17, 14), "there is no check `pag`", "did you mean `page`"),
    ("checks: [page, port]", "checks: [page, page]", (17, 20), "`page` is here twice", "count twice"),
    ("name: port", "name: page", (10, 11), "two of the name `page`", "line 6"),
    ("sinks:\n", "alerts: [{slo: availabilty}]\nsinks:\n", (18, 16), "no objective `availabilty`", "did you mean `availability`"),
    ("sinks:\n", "alerts: [{slo: availability, notify: [opps]}]\nsinks:\n", (18, 39), "no webhook `opps`", "did you mean `ops`"),
    // Times.
    ("timeout: 2s", "timeout: 11s", (6, 11), "a timeout of 11s is longer than the interval of 10s", "shorter"),
    ("timeout: 2s", "timeout: 4s, retries: {most: 2}", (6, 11), "up to 12s", "shorter"),
    // Burn alerts, by the rules of the semantics.
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h, factor: 50}]}]\nsinks:\n", (18, 56), "can never be exceeded", "below 50"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h, factor: 0.9}]}]\nsinks:\n", (18, 56), "must be at least 1", "at least 1"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 24h, budget: 10%}]}]\nsinks:\n", (18, 57), "must be at least 1", "at least 1"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 8d, factor: 2}]}]\nsinks:\n", (18, 44), "longer than the objective's window", "at most"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h, factor: 5}, {long: 60m, factor: 9}]}]\nsinks:\n", (18, 67), "an alert over this window already", "the lower factor"),
    // Maintenance.
    ("sinks:\n", "maintenance: [{name: x, from: 2026-11-08T02:00:00Z, until: 2026-11-08T01:00:00Z}]\nsinks:\n", (18, 60), "ends before it begins", "after `from`"),
    ("sinks:\n", "maintenance: [{name: x, from: tomorrow, until: 2026-11-08T01:00:00Z}]\nsinks:\n", (18, 31), "`tomorrow` is no moment", "in UTC"),
    ("webhooks:\n", "history: {retention: 6d}\n  webhooks:\n", (19, 24), "less than the longest window", "at least"),
    // Addresses.
    ("http://shop.test/page", "shop.test/page", (8, 12), "is no address", "http://host:port"),
    ("http://shop.test/page", "ftp://shop.test/page", (8, 12), "`ftp` is not probed", "http://host:port"),
    ("http://shop.test/page", "http://u:p@shop.test/", (8, 12), "with a password", "header"),
    ("version: 1\n", "version: 1\nnetwork: {allow: [shop.tset]}\n", (9, 12), "`shop.test` is not in `network.allow`", "- shop.test"),
    ("version: 1\n", "version: 1\nnetwork: {allow: [http://shop.test]}\n", (2, 19), "neither a host", "such as"),
    // Placeholders.
    ("http://shop.test/page", "http://shop.test/{{id}}", (8, 12), "no earlier step picks up `id`", "journey"),
    ("http://shop.test/page", "${NOBODY}/page", (8, 12), "no variable `NOBODY`", "default"),
    ("interval: 10s", "interval: '${NOBODY}'", (2, 22), "no variable `NOBODY`", "default"),
    ("url: http://hooks.test/x", "url: ${NOBODY}", (21, 12), "no variable `NOBODY`", "default"),
    ("url: http://hooks.test/x", "url: file:no-such-file", (21, 12), "`no-such-file` cannot be read", "set it"),
];

#[test]
fn mistakes_of_structure_are_told_with_their_place_and_mend() {
    STRUCTURE.iter().for_each(check);
}

#[test]
fn values_that_do_not_fit_are_told_with_their_place_and_mend() {
    VALUES.iter().for_each(check);
}

#[test]
fn what_does_not_go_together_is_told_with_its_place_and_mend() {
    MEANING.iter().for_each(check);
}

fn check((good, bad, place, message, help): &Mistake) {
    assert!(SOUND.contains(good), "{good}");
    let text = SOUND.replacen(good, bad, 1);
    let problems = parse(&text).expect_err(bad);
    let problem = &problems.problems()[0];
    let told = format!("{bad}: {problems}");
    assert!(problem.message.contains(message), "{told}");
    // Some messages show the mend themselves; nobody is left without one.
    let mend = problem.help.as_deref().expect("there is a mend");
    assert!(
        mend.contains(help) || problem.message.contains(help),
        "{told}"
    );
    if *place != (0, 0) {
        assert_eq!(problems.position(problem), *place, "{told}");
    }
    // A person sees the line itself.
    assert!(problems.render(false).contains("test.yaml:"), "{told}");
}
