//! The page as a client sees it that is no person.

use std::time::Duration;

use reqwest::{Client, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Set, Stage, availability, bad, good};
use synthetics::page::{Config, Page};

async fn one() -> Stage {
    let stage = Stage::of(Set::default()).await;
    for minute in 0..60 {
        stage.record(minute, 0, "tokyo", good(5));
    }
    stage
}

#[tokio::test]
async fn nothing_that_comes_from_outside_is_markup() {
    let mut slo = availability();
    slo.title = "<script>alert('title')</script>".to_owned();
    let stage = Stage::of(Set {
        slos: vec![slo],
        ..Set::default()
    })
    .await;
    stage.record(0, 0, "tokyo", bad("\"><img src=x onerror=alert('detail')>"));
    for path in ["/", "/checks/front", "/badge/availability.svg"] {
        let (status, html) = stage.get(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!html.contains("<script>alert"), "{path}: {html}");
        assert!(!html.contains("<img"), "{path}: {html}");
    }
    let (_, html) = stage.get("/").await;
    assert!(html.contains("&#60;script&#62;alert"), "{html}");
    assert!(html.contains("onerror=alert(&#39;detail&#39;)"), "{html}");
    // What can be asked for is not told back unescaped either.
    let (status, body) = stage.get("/checks/%3Cscript%3E").await;
    assert_eq!(status, 404);
    assert!(!body.contains("<script>"), "{body}");
}

#[tokio::test]
async fn every_route_is_described_and_answers() {
    let stage = one().await;
    let document = stage.json("/api/v1/openapi.json").await;
    let described: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    let routes = [
        "/api/v1/status",
        "/api/v1/slos",
        "/api/v1/slos/{name}",
        "/api/v1/checks",
        "/api/v1/locations",
        "/api/v1/alerts",
        "/api/v1/timeline",
        "/api/v1/failures",
        "/badge/{slo}.svg",
        "/metrics",
        "/livez",
        "/readyz",
    ];
    for route in routes {
        assert!(
            described.iter().any(|path| *path == route),
            "{route} is not described"
        );
        let path = route
            .replace("{name}", "availability")
            .replace("{slo}", "availability");
        let (status, body) = stage.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    assert_eq!(described.len(), routes.len(), "{described:?}");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_not_done_405() {
    let stage = one().await;
    for path in [
        "/api/v1/slos/none",
        "/badge/none.svg",
        "/badge/availability",
        "/checks/none",
        "/none",
        "/api/v1/none",
        "/static/../Cargo.toml",
        "/static/none.css",
    ] {
        assert_eq!(stage.get(path).await.0, 404, "{path}");
    }
    let url = |path: &str| format!("{}{path}", stage.page.url());
    for path in ["/", "/api/v1/slos", "/metrics", "/badge/availability.svg"] {
        let answer = Client::new()
            .post(url(path))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 405, "{path}");
        assert!(answer.headers().contains_key("allow"), "{path}");
        let head = Client::new().request(Method::HEAD, url(path)).send().await;
        let head = head.expect("an answer");
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(head.text().await.expect("a body"), "", "{path}");
    }
}

#[tokio::test]
async fn other_names_and_other_sites_are_refused_but_frames_of_this_machine_are_not() {
    let stage = one().await;
    let ask = |path: &str, name: &'static str, value: &'static str| {
        let url = format!("{}{path}", stage.page.url());
        async move {
            Client::new()
                .get(url)
                .header(name, value)
                .send()
                .await
                .expect("an answer")
        }
    };
    assert_eq!(ask("/", "host", "evil.example").await.status(), 403);
    assert_eq!(
        ask("/badge/availability.svg", "host", "evil.example")
            .await
            .status(),
        403
    );
    assert_eq!(
        ask("/api/v1/slos", "sec-fetch-site", "cross-site")
            .await
            .status(),
        403
    );
    assert_eq!(
        ask("/", "origin", "http://evil.example").await.status(),
        403
    );
    // A picture in somebody's README.
    let badge = ask("/badge/availability.svg", "sec-fetch-site", "cross-site").await;
    assert_eq!(badge.status(), 200);
    assert_eq!(
        badge.headers()["cross-origin-resource-policy"],
        "cross-origin"
    );
    assert_eq!(badge.headers()["cache-control"], "public, max-age=30");
    let page = ask("/?frame=console", "host", "localhost").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text().await.expect("a body");
    assert!(!html.contains("class=\"brand\""), "a frame in a frame");
    assert!(html.contains("availability"));
}

#[tokio::test]
async fn a_page_without_a_history_says_so_and_is_not_ready() {
    let page = Page::bind(Config::default()).await.expect("a free port");
    let get = |path: &str| {
        let url = format!("{}{path}", page.url());
        async move { sandbox::answer(Client::new().get(url)).await }
    };
    assert_eq!(get("/livez").await.0, 200);
    let (status, body) = get("/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("starting"), "{body}");
    let (status, html) = get("/").await;
    assert_eq!(status, 503);
    assert!(html.contains("The prober is starting"), "{html}");
    assert_eq!(get("/api/v1/slos").await.0, 503);
    assert_eq!(get("/metrics").await.0, 200);
    page.shutdown().await;
}

#[tokio::test]
async fn news_come_as_events_once_they_are_shown() {
    // In the background, as the prober has it.
    let stage = Stage::of(Set {
        pace: Duration::from_millis(50),
        ..Set::default()
    })
    .await;
    let mut stream = Client::new()
        .get(format!("{}/events", stage.page.url()))
        .send()
        .await
        .expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut next = async || {
        let chunk = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
        let chunk = chunk
            .expect("news in time")
            .expect("a stream")
            .expect("not its end");
        String::from_utf8(chunk.to_vec()).expect("text")
    };
    let first = next().await;
    assert!(first.contains("event: news"), "{first}");
    stage.record(60, 0, "tokyo", bad("gone"));
    let second = next().await;
    assert!(second.contains("event: news"), "{second}");
    let told: u64 = second
        .lines()
        .find_map(|line| line.strip_prefix("data: ")?.parse().ok())
        .expect("a number");
    let status = stage.json("/api/v1/status").await;
    let shown = status["changes"].as_u64().expect("a number");
    assert!(shown >= told && told > 0, "{shown} of {told} are shown");
    assert_eq!(status["checks"][0]["bad"], 1);
    // The end of the page is the end of the stream.
    stage.page.shutdown().await;
    let end = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
    assert!(matches!(end.expect("in time"), Ok(None) | Err(_)));
}

#[tokio::test]
async fn too_many_streams_are_refused_and_all_end_with_the_page() {
    let stage = one().await;
    let mut open = Vec::new();
    let client = Client::new();
    let url = format!("{}/events", stage.page.url());
    for _ in 0..64 {
        open.push(client.get(&url).send().await.expect("a stream"));
    }
    assert!(open.iter().all(|stream| stream.status() == 200));
    assert_eq!(
        client.get(&url).send().await.expect("an answer").status(),
        503
    );
    assert_eq!(
        stage.get("/").await.0,
        200,
        "the page itself is there for everybody"
    );
    drop(open);
    let free = || async {
        let again = client.get(&url).send().await.expect("an answer");
        (again.status() == 200).then_some(())
    };
    sandbox::eventually("a seat is free again", free).await;
    tokio::time::timeout(Duration::from_secs(5), stage.page.shutdown())
        .await
        .expect("it ends within its grace");
}

#[tokio::test]
async fn a_client_that_says_nothing_holds_up_nobody() {
    let stage = one().await;
    let address = stage.page.address();
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    slow.write_all(b"GET / HTTP/1.1\r\nHost: local")
        .await
        .expect("half a head");
    let (status, _) = tokio::time::timeout(Duration::from_secs(5), stage.get("/"))
        .await
        .expect("an answer in time");
    assert_eq!(status, 200);
    // A head without end is refused.
    let mut long = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "a".repeat(600_000)
    );
    let _ = long.write_all(head.as_bytes()).await;
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(5), long.read(&mut answer)).await;
    let read = read.expect("in time").unwrap_or(0);
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(
        read == 0 || text.contains(" 431 ") || text.contains(" 400 "),
        "{text}"
    );
}

#[tokio::test]
async fn prometheus_can_read_the_metrics() {
    let stage = Stage::of(Set {
        checks: vec!["front", "quo\"te\\back\nline"],
        ..Set::default()
    })
    .await;
    for minute in 0..60 {
        stage.record(minute, 0, "tokyo", good(5));
        stage.record(minute, 1, "tokyo", bad("gone"));
    }
    stage.watch();
    let url = format!("{}/metrics", stage.page.url());
    let answer = Client::new().get(url).send().await.expect("an answer");
    let media_type = answer.headers()["content-type"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        media_type.starts_with("application/openmetrics-text"),
        "{media_type}"
    );
    let text = answer.text().await.expect("text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let sample =
        regex::Regex::new(r#"^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.eE+-]+$"#)
            .expect("a pattern");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(sample.is_match(line), "no sample: {line}");
    }
    for line in [
        "synthetics_probe_count_total{check=\"front\",location=\"tokyo\",outcome=\"good\"} 60",
        "synthetics_probe_count_total{check=\"quo\\\"te\\\\back\\nline\",location=\"tokyo\",outcome=\"status\"} 60",
        "synthetics_probe_duration_bucket{le=\"0.005\",check=\"front\",location=\"tokyo\",outcome=\"good\"} 60",
        "synthetics_slo_sli{slo=\"availability\"} 100.0",
        "synthetics_slo_target{slo=\"availability\"} 98.0",
        "synthetics_slo_budget_remaining{slo=\"availability\"} 100.0",
        "synthetics_slo_burn_rate{slo=\"availability\"} 0.0",
        "synthetics_slo_coverage{slo=\"availability\"} 100.0",
        "synthetics_alert_firing{slo=\"availability\",alert=\"1h\",severity=\"critical\"} 0.0",
        "synthetics_alert_burn_rate{slo=\"availability\",alert=\"1h\",severity=\"critical\",window=\"5m\"} 0.0",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no {line} in\n{text}"
        );
    }
}

#[tokio::test]
async fn a_badge_says_in_words_what_its_colour_says() {
    let stage = one().await;
    let (_, svg) = stage.get("/badge/availability.svg").await;
    // 60 minutes are too few for a verdict at 98 %.
    assert!(svg.contains("availability: ○ too little data yet"), "{svg}");
    for minute in 60..200 {
        stage.record(minute, 0, "tokyo", good(5));
    }
    let (_, svg) = stage.get("/badge/availability.svg").await;
    assert!(
        svg.contains("aria-label=\"availability: 100% ✓, budget 100%\""),
        "{svg}"
    );
    assert!(svg.contains("role=\"img\""), "{svg}");
}
