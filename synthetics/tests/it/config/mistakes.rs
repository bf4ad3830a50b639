//! Every mistake that a user makes in the first hour: what is told, where, and the mend.

use std::path::Path;

use synthetics::config::Config;

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
    ("    target: 98%", "   target: 98%", (14, 4), "this is no YAML", "further out than its neighbours"),
    ("    target: 98%", "     target: 98%", (14, 12), "this is no YAML", "further in than its neighbours"),
    ("url: http", "url:http", (9, 13), "this is no YAML", "no space after it"),
    ("checks: [page, port]", "checks: [page, port", (18, 6), "this is no YAML", "quotes and colons"),
    ("name: page", "name: *nobody", (6, 11), "unknown anchor", "`&name`"),
    ("name: page", "<<: 3\n    name: page", (6, 9), "takes in the keys of another map", "`<<: *name`"),
    ("http://shop.test/page", "\"http://shop.test/\\d\"", (8, 12), "unknown escape", "single quotes"),
    ("http://shop.test/page", "@shop", (8, 12), "unexpected character", "needs quotes"),
    ("sinks:\n", "slos:\n  - name: second\nsinks:\n", (18, 1), "`slos` is here twice", "line 12"),
    ("checks: [page, port]", "checks: page, port", (17, 13), "`checks` is `page, port`", "a list"),
    ("  - name: tokyo", "  - tokyo", (4, 5), "an entry of `locations` is `tokyo`", "a map of `name`"),
    ("    http:\n", "    htttp:\n", (7, 5), "`htttp` is not known", "did you mean `http`"),
    ("expect: {status: 200}", "expct: {status: 200}", (9, 7), "`expct` is not known", "did you mean `expect`"),
    ("expect: {status: 200}", "expect: {body: hello}", (9, 22), "`body` is `hello`", "a map of `contains`"),
    ("expect: {status: 200}", "expect: {json: {path: $.id}}", (9, 23), "`json` is a map here", "a list"),
    ("expect: {status: 200}", "headers: {accept: text/html}", (9, 17), "`headers` is a map here", "a list"),
    ("tcp: {address: 'shop.test:22'}", "tcp: 'shop.test:22'", (11, 10), "`tcp` is `shop.test:22`", "a map of `address`"),
    ("availability: {}", "availability: true", (16, 19), "`availability` is `true`", "a map of `up_from`"),
    ("availability: {}", "availability: {target: 98%}", (16, 20), "`target` is not known in `availability`", "`up_from`"),
    ("availability: {}", "latency: 100ms", (16, 14), "`latency` is `100ms`", "a map of `within`"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h}]}]\nsinks:\n", (18, 38), "none of `factor`, `budget`", "add"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h, factor: 2, budget: 10%}]}]\nsinks:\n", (18, 59), "do not go together", "keep one"),
];

#[rustfmt::skip]
const VALUES: &[Mistake] = &[
    ("target: 98%", "target: 98", (14, 13), "no percent sign", "`98%`"),
    ("target: 98%", "target: 0.98", (14, 13), "write `98%`", "such as"),
    ("target: 98%", "target: 100%", (14, 13), "leaves nothing to judge", "such as"),
    ("target: 98%", "target: 98 percent", (14, 13), "`98 percent` is no percentage", "`98%`"),
    ("target: 98%", "target: 101%", (14, 13), "`101%` is more than 100%", "such as"),
    ("target: 98%", "target: -1%", (14, 13), "`-1%` is no percentage", "such as"),
    ("interval: 10s", "interval: 0s", (2, 22), "less than a millisecond", "such as"),
    ("interval: 10s", "interval: -5s", (2, 22), "`-5s` is no time", "`30s`"),
    ("timeout: 2s", "timeout: 2000", (2, 36), "`2000` has no unit", "`2000ms`"),
    ("version: 1", "version: 1.0", (1, 10), "`1.0` is not allowed", "did you mean `1`"),
    ("version: 1", "Version: 1", (1, 1), "`Version` is not known", "did you mean `version`"),
    ("availability: {}", "availability: {up_from: 100}", (16, 29), "no percent sign", "`100%`"),
    ("availability: {}", "latency: {within: 100}", (16, 23), "`100` has no unit", "`100ms`"),
    ("http://shop.test/page", "http://shop.test:99999/page", (8, 12), "invalid port number", "http://host:port"),
    ("address: 'shop.test:22'", "address: 'shop.test:99999'", (11, 20), "no host and port", "such as"),
    ("- name: ops", "- name: ops\n      format: teams", (21, 15), "`teams` is not allowed", "`json`, `slack`"),
    ("sinks:\n", "alerts: [{slo: availability, burn: [{long: 1h, factor: 14x}]}]\nsinks:\n", (18, 56), "`14x` is no factor", "`14.4`"),
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
    ("sinks:\n", "maintenance: [{name: x, from: 2026-11-08T02:00:00Z, until: 2026-11-08T03:00:00Z, every: 30m}]\nsinks:\n", (18, 89), "begins again before it has ended", "at least"),
    ("sinks:\n", "maintenance: [{name: x, from: 2026-11-08, until: 2026-11-09T00:00:00Z}]\nsinks:\n", (18, 31), "`2026-11-08` is no moment", "in UTC"),
    // Addresses.
    ("http://shop.test/page", "shop.test/page", (8, 12), "is no address", "http://host:port"),
    ("http://shop.test/page", "ftp://shop.test/page", (8, 12), "`ftp` is not probed", "http://host:port"),
    ("http://shop.test/page", "http://u:p@shop.test/", (8, 12), "with a password", "header"),
    ("http://shop.test/page", "http://169.254.169.254/latest", (8, 12), "`169.254.169.254` is not probed", "allow: ['169.254.169.254']"),
    ("version: 1\n", "version: 1\nnetwork: {allow: [shop.tset]}\n", (9, 12), "`shop.test` is not in `network.allow`", "- shop.test"),
    ("version: 1\n", "version: 1\nnetwork: {allow: [http://shop.test]}\n", (2, 19), "neither a host", "such as"),
    // Placeholders.
    ("http://shop.test/page", "http://shop.test/{{id}}", (8, 12), "no earlier step picks up `id`", "journey"),
    ("http://shop.test/page", "http://shop.test/${page", (8, 12), "`${` without `}`", "`$${`"),
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

#[test]
fn files_that_are_none_are_told_with_the_mend() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |path: &Path| Config::load(path, &super::environment);
    let file = folder.path().join("synthetics.yaml");
    let written = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("it can be written");
        load(&file)
    };
    let bom = "\u{feff}".as_bytes();
    assert!(
        written(&[bom, SOUND.as_bytes()].concat()).is_ok(),
        "a byte order mark"
    );
    assert!(
        written(SOUND.replace('\n', "\r\n").as_bytes()).is_ok(),
        "line ends of Windows"
    );
    let wrong = SOUND.replace("98%", "98").replace('\n', "\r\n");
    let wrong = written(&[bom, wrong.as_bytes()].concat()).expect_err("98");
    assert!(wrong.to_string().contains(":14:13: "), "{wrong}");
    let utf_16: Vec<u8> = SOUND.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, part) in [
        (&[0xff, 0xfe][..], "it is not in UTF-8: save it as that"),
        (&utf_16, "this is no YAML"),
        (
            &SOUND.replace("tokyo", "\u{1}").into_bytes(),
            "this is no YAML",
        ),
        (
            b"",
            "the file is empty; `synthetics config` prints one to start from",
        ),
        (
            b"# later\n",
            "the file is empty; `synthetics config` prints one to start from",
        ),
        (&[b'#'; 2 << 20], "it has more than 1048576 bytes"),
    ] {
        let told = written(bytes).expect_err(part).to_string();
        assert!(told.contains(part), "{part}: {told}");
    }
    let directory = load(folder.path()).expect_err("a directory").to_string();
    assert!(
        directory.contains("it is a directory: name the file in it"),
        "{directory}"
    );
    let nowhere = load(&folder.path().join("x.yaml"))
        .expect_err("no file")
        .to_string();
    assert!(nowhere.contains("x.yaml: No such file"), "{nowhere}");
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
