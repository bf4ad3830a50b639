//! HTTPS, HTTP/2, redirects and certificates, against servers with certificates of their own.

use std::time::Duration;

use http::{HeaderName, Version};
use synthetics::probe::check::{Endpoint, HttpVersion, TlsCheck};
use synthetics::probe::tls::{TlsClient, Trust};
use synthetics::probe::{
    Assertion, FailureKind, HeaderTest, Kind, Phase, Prober, Request, Template, TextTest,
};

use crate::probe::{check, guard, http, kind};
use crate::server::{Authority, Handler, answer, serve};

const DAY: i64 = 86_400;

/// Tells what was spoken.
const ECHO: Handler = |request, body| {
    let version = match request.version() {
        Version::HTTP_2 => "h2",
        _ => "h1",
    };
    let headers = request.headers();
    let text = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or(""))
    };
    let (host, key) = (text("host"), text("x-key"));
    let path = request
        .uri()
        .path_and_query()
        .map_or("", |path| path.as_str());
    let method = request.method();
    let body = format!("{version} {method} {path} host={host} key={key} body={body}");
    answer(200, &[("content-type", "text/plain")], &body)
};

fn contains(text: &str) -> Assertion {
    Assertion::Body(TextTest::Contains(text.into()))
}

fn get(url: &str, assertions: &[Assertion]) -> Request {
    let mut request = Request::get(url.parse().expect("an address"));
    request.assertions.extend_from_slice(assertions);
    request
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls() {
    let authority = Authority::new();
    let both = authority
        .serve(30 * DAY - 600, &["h2", "http/1.1"], ECHO)
        .await;
    let old = authority.serve(30 * DAY - 600, &["http/1.1"], ECHO).await;
    let prober = Prober::new(guard());
    for (address, version, spoken) in [
        (both, HttpVersion::Auto, Some("h2 GET /x?y=1")),
        (both, HttpVersion::One, Some("h1 GET /x?y=1")),
        (both, HttpVersion::Two, Some("h2 GET /x?y=1")),
        (old, HttpVersion::Auto, Some("h1 GET /x?y=1")),
        (old, HttpVersion::Two, None),
    ] {
        let request = Request {
            version,
            tls: Some(authority.client()),
            ..get(
                &format!("https://localhost:{}/x?y=1", address.port()),
                &[contains(spoken.unwrap_or_default())],
            )
        };
        let measurement = prober.probe(&http(request)).await;
        assert_eq!(measurement.is_good(), spoken.is_some(), "{measurement:?}");
        assert_eq!(measurement.phases.total(), measurement.duration);
        assert!(measurement.phases.get(Phase::Tls) > Duration::ZERO);
        if spoken.is_some() {
            assert_eq!(measurement.certificate_days, Some(29), "just under 30");
        }
    }
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_where_it_is_asked_for() {
    let address = serve(ECHO).await;
    let request = Request {
        version: HttpVersion::Two,
        ..get(&format!("http://{address}/"), &[contains("h2 GET /")])
    };
    let measurement = Prober::new(guard()).probe(&http(request)).await;
    assert!(measurement.is_good(), "{measurement:?}");
}

#[tokio::test]
async fn method_headers_and_body_arrive() {
    let address = serve(ECHO).await;
    let mut request = get(
        &format!("http://{address}/in"),
        &[
            contains("h1 PUT /in"),
            contains(&format!("host={address} key=k1 body={{\"a\":1}}")),
            Assertion::Header(
                HeaderName::from_static("content-type"),
                HeaderTest::Value(TextTest::Contains("plain".into())),
            ),
            Assertion::Latency(Duration::from_secs(5)),
        ],
    );
    request.method = http::Method::PUT;
    request.headers = vec![(HeaderName::from_static("x-key"), "k1".into())];
    request.body = Some(Template::literal("{\"a\":1}"));
    let measurement = Prober::new(guard()).probe(&http(request.clone())).await;
    assert!(measurement.is_good(), "{measurement:?}");
    request.assertions = vec![Assertion::Latency(Duration::from_nanos(1))];
    let measurement = Prober::new(guard()).probe(&http(request)).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Latency));
    assert!(measurement.answered, "too late, but whole");
}

#[tokio::test]
async fn untrusted_expired_and_misnamed_certificates_are_refused() {
    let authority = Authority::new();
    let good = authority.serve(30 * DAY, &[], ECHO).await;
    // Not to the second: whole days are rounded down, and time goes on.
    let expired = authority.serve(-2 * DAY + 600, &[], ECHO).await;
    let prober = Prober::new(guard());
    let probe = async |address: std::net::SocketAddr, tls: Option<TlsClient>| {
        let request = get(&format!("https://{address}/"), &[]);
        let measurement = prober.probe(&http(Request { tls, ..request })).await;
        let detail = measurement.failure.as_ref().map(|f| f.detail.clone());
        (kind(&measurement), detail.unwrap_or_default())
    };
    assert_eq!(probe(good, Some(authority.client())).await.0, None);
    let (refused, detail) = probe(good, None).await;
    assert_eq!(refused, Some(FailureKind::Tls), "{detail}");
    let (refused, detail) = probe(expired, Some(authority.client())).await;
    assert_eq!(refused, Some(FailureKind::Tls));
    assert!(detail.contains("expired"), "{detail}");
    let everybody = TlsClient::new(Trust::Everybody);
    assert_eq!(probe(expired, Some(everybody)).await.0, None);
    let mut misnamed = get(&format!("https://other.invalid:{}/", good.port()), &[]);
    misnamed.tls = Some(authority.client());
    let measurement = prober.probe(&http(misnamed)).await;
    assert_eq!(
        kind(&measurement),
        Some(FailureKind::Dns),
        "{measurement:?}"
    );
    let plain = serve(ECHO).await;
    let (refused, detail) = probe(plain, Some(authority.client())).await;
    assert_eq!(refused, Some(FailureKind::Tls), "{detail}");
}

#[tokio::test]
async fn a_certificate_must_last() {
    let authority = Authority::new();
    let address = authority.serve(20 * DAY + 600, &["h2"], ECHO).await;
    // Not to the second: whole days are rounded down, and time goes on.
    let expired = authority.serve(-2 * DAY + 600, &[], ECHO).await;
    let prober = Prober::new(guard());
    let probe = async |address: std::net::SocketAddr, days, name: Option<&str>, tls| {
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port: address.port(),
        };
        let measurement = prober
            .probe(&check(Kind::Tls(TlsCheck {
                endpoint,
                server_name: name.map(str::to_owned),
                certificate_days: days,
                tls: Some(tls),
                latency: None,
            })))
            .await;
        assert_eq!(measurement.phases.total(), measurement.duration);
        (kind(&measurement), measurement.certificate_days)
    };
    let trusted = || authority.client();
    assert_eq!(probe(address, 20, None, trusted()).await, (None, Some(20)));
    let ends = (Some(FailureKind::Certificate), Some(20));
    assert_eq!(probe(address, 21, Some("localhost"), trusted()).await, ends);
    let wrong = probe(address, 1, Some("shop.invalid"), trusted()).await;
    assert_eq!(wrong.0, Some(FailureKind::Tls), "it is for another name");
    let everybody = TlsClient::new(Trust::Everybody);
    let over = (Some(FailureKind::Certificate), Some(-2));
    assert_eq!(probe(expired, 0, None, everybody).await, over);
}

/// `/a` -> `/b` -> `/c`; `/loop` to itself; `/away?URL` to there; `/file` to no web address.
const REDIRECTS: Handler = |request, body| {
    let to = |status, location: &str| answer(status, &[("location", location)], "moved");
    let query = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        "/a" => to(302, "/b"),
        "/b" => to(307, "c"),
        "/loop" => to(301, "/loop"),
        "/post" => to(303, "/c"),
        "/keep" => to(308, "/c"),
        "/away" => to(302, query),
        "/file" => to(302, "file:///etc/passwd"),
        _ => ECHO(request, body),
    }
};

#[tokio::test]
async fn redirects_are_followed_as_far_as_is_allowed() {
    let address = serve(REDIRECTS).await;
    let prober = Prober::new(guard());
    let probe = async |path: &str, redirects| {
        let mut request = get(&format!("http://{address}{path}"), &[]);
        request.redirects = redirects;
        prober.probe(&http(request)).await
    };
    let followed = probe("/a", 2).await;
    assert!(followed.is_good(), "{followed:?}");
    assert!(followed.phases.get(Phase::Redirect) > Duration::ZERO);
    assert_eq!(followed.phases.total(), followed.duration);
    let redirect = Some(FailureKind::Redirect);
    assert_eq!(kind(&probe("/a", 1).await), redirect);
    assert_eq!(kind(&probe("/loop", 9).await), redirect);
    assert_eq!(kind(&probe("/file", 9).await), redirect);
    let answer = probe("/a", 0).await;
    assert_eq!(
        (kind(&answer), answer.status),
        (Some(FailureKind::Status), Some(302))
    );
}

#[tokio::test]
async fn redirects_change_the_request_as_browsers_do() {
    let (here, there) = (serve(REDIRECTS).await, serve(ECHO).await);
    let prober = Prober::new(guard());
    let probe = async |path: &str, expected: &str| {
        let mut request = get(&format!("http://{here}{path}"), &[contains(expected)]);
        request.method = http::Method::POST;
        request.body = Some(Template::literal("b"));
        request.headers = vec![(HeaderName::from_static("x-key"), "secret".into())];
        request.redirects = 3;
        let measurement = prober.probe(&http(request)).await;
        assert!(measurement.is_good(), "{path}: {measurement:?}");
    };
    probe("/post", &format!("GET /c host={here} key=secret body=")).await;
    probe("/keep", &format!("POST /c host={here} key=secret body=b")).await;
    // To another host no header goes along that may hold a secret.
    let away = format!("/away?http://{there}/x");
    probe(&away, &format!("GET /x host={there} key= body=")).await;
}

#[tokio::test]
async fn a_redirect_does_not_lead_past_the_list() {
    let address = serve(REDIRECTS).await;
    let prober = Prober::new(guard());
    for target in ["http://169.254.169.254/", "http://192.0.2.1/"] {
        let mut request = get(&format!("http://{address}/away?{target}"), &[]);
        request.redirects = 3;
        let measurement = prober.probe(&http(request)).await;
        assert_eq!(kind(&measurement), Some(FailureKind::Forbidden), "{target}");
    }
}
