//! The HTTP probe against servers that misbehave.

use std::time::Duration;

use synthetics::probe::{
    Check, FailureKind, Far, Guard, Kind, Measurement, Phase, Prober, Request, Retries,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::shop::{Behaviour, Shop};

fn request(url: &str) -> Request {
    Request {
        body_limit: 1_000,
        ..Request::get(url.parse().expect("an address"))
    }
}

pub(crate) fn check(kind: Kind) -> Check {
    Check {
        name: "test".into(),
        kind,
        timeout: Duration::from_secs(5),
        retries: Retries::default(),
    }
}

pub(crate) fn http(request: Request) -> Check {
    check(Kind::Http(Box::new(request)))
}

/// Permits this machine by address and by name, and names of tests.
pub(crate) fn guard() -> Guard {
    let allowed = ["127.0.0.0/8", "::1", "*.invalid"];
    Guard::new(allowed.map(|text| text.parse().expect(text)).into())
}

async fn probe(url: &str) -> Measurement {
    Prober::new(guard()).probe(&http(request(url))).await
}

pub(crate) fn kind(measurement: &Measurement) -> Option<FailureKind> {
    measurement.failure.as_ref().map(|failure| failure.kind)
}

/// A server that answers each connection with these bytes, and closes it.
async fn raw(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    url
}

#[tokio::test]
async fn a_right_answer_is_good_and_timed() {
    let shop = Shop::start().await;
    shop.set("/health", Behaviour::Slow(Duration::from_millis(50)));
    let measurement = probe(&format!("{}/health", shop.url)).await;
    assert!(measurement.is_good(), "{measurement:?}");
    assert!(measurement.answered);
    assert_eq!(measurement.status, Some(200));
    assert!(measurement.duration >= Duration::from_millis(50));
}

#[tokio::test]
async fn the_body_is_read_up_to_its_limit_only() {
    let shop = Shop::start().await;
    shop.set("/at", Behaviour::Answer(200, "x".repeat(1_000)));
    shop.set("/above", Behaviour::Answer(200, "x".repeat(1_001)));
    let at = probe(&format!("{}/at", shop.url)).await;
    assert!(at.is_good(), "{at:?}");
    let above = probe(&format!("{}/above", shop.url)).await;
    assert_eq!(kind(&above), Some(FailureKind::TooLarge));
    assert_eq!(above.status, Some(200));
}

#[tokio::test]
async fn broken_answers_are_told_apart() {
    let garbage = probe(&raw(b"this is not HTTP\r\n\r\n").await).await;
    assert_eq!(kind(&garbage), Some(FailureKind::Protocol), "{garbage:?}");
    let nothing = probe(&raw(b"").await).await;
    assert_eq!(kind(&nothing), Some(FailureKind::Protocol), "{nothing:?}");
    let half = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let half = probe(&half).await;
    assert_eq!(kind(&half), Some(FailureKind::Protocol), "{half:?}");
    assert!(!half.answered);
    let name = probe("http://no-such-name.invalid/").await;
    assert_eq!(kind(&name), Some(FailureKind::Dns), "{name:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let url =
        raw(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .await;
    let measurement = probe(&url).await;
    assert_eq!(measurement.status, Some(302));
    assert_eq!(kind(&measurement), Some(FailureKind::Status));
}

#[tokio::test]
async fn a_body_that_trickles_times_out_as_a_whole() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one connection");
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
            .await;
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let check = Check {
        timeout: Duration::from_millis(300),
        ..http(request(&url))
    };
    let measurement = Prober::new(guard()).probe(&check).await;
    assert_eq!(
        kind(&measurement),
        Some(FailureKind::Timeout),
        "{measurement:?}"
    );
    assert!(!measurement.answered);
    assert_eq!(measurement.status, Some(200), "the head did come");
    let transfer = measurement.phases.get(Phase::Transfer);
    assert!(transfer >= Duration::from_millis(200), "{measurement:?}");
    assert_eq!(measurement.phases.total(), measurement.duration);
}

#[tokio::test]
async fn phases_sum_to_the_total_and_say_where_the_time_went() {
    let shop = Shop::start().await;
    shop.set("/slow", Behaviour::Slow(Duration::from_millis(80)));
    let measurement = probe(&format!("{}/slow", shop.url)).await;
    assert_eq!(measurement.phases.total(), measurement.duration);
    let first_byte = measurement.phases.get(Phase::FirstByte);
    assert!(first_byte >= Duration::from_millis(80), "{measurement:?}");
    assert!(measurement.phases.get(Phase::Connect) > Duration::ZERO);
    for phase in [Phase::Redirect, Phase::Tls] {
        assert_eq!(measurement.phases.get(phase), Duration::ZERO, "{phase:?}");
    }
}

#[tokio::test]
async fn what_is_not_on_the_list_is_not_asked() {
    let shop = Shop::start().await;
    let mut guard = Guard::default();
    guard.name("shop.test");
    let prober = Prober::new(guard);
    for url in [
        format!("{}/health", shop.url),
        "http://localhost:1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
        "http://other.test/".to_owned(),
    ] {
        let measurement = prober.probe(&http(request(&url))).await;
        assert_eq!(kind(&measurement), Some(FailureKind::Forbidden), "{url}");
    }
    assert_eq!(shop.seen().0, 0);
}

#[tokio::test]
async fn a_retry_has_the_final_word_and_the_first_attempt_is_kept() {
    // The first connection breaks, the second is answered.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let answers: [&[u8]; 2] = [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"];
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    let pause = Duration::from_millis(1);
    let check = Check {
        retries: Retries { most: 2, pause },
        ..http(request(&url))
    };
    let measurement = Prober::new(guard()).probe(&check).await;
    assert!(
        measurement.is_good() && measurement.is_degraded(),
        "{measurement:?}"
    );
    let earlier: Vec<_> = measurement.earlier.iter().map(|a| a.failure.kind).collect();
    assert_eq!(earlier, [FailureKind::Protocol]);
    assert_eq!(check.longest(), Duration::from_millis(15_002));

    // With nobody there, all attempts fail, and the last one is told.
    let measurement = Prober::new(guard()).probe(&check).await;
    assert_eq!(measurement.earlier.len(), 2);
    assert_eq!(kind(&measurement), Some(FailureKind::Connect));
    assert!(!measurement.is_degraded());
}

#[tokio::test]
async fn a_far_location_is_slower_by_its_delay() {
    let shop = Shop::start().await;
    let far = Far {
        delay: Duration::from_millis(40),
        ..Far::default()
    };
    let check = http(request(&format!("{}/health", shop.url)));
    let measurement = Prober::new(guard()).far(far).probe(&check).await;
    assert!(measurement.is_good(), "{measurement:?}");
    for phase in [Phase::Connect, Phase::FirstByte] {
        assert!(
            measurement.phases.get(phase) >= far.delay,
            "{measurement:?}"
        );
    }
    let lossy = Far { loss: 1.0, ..far };
    let measurement = Prober::new(guard()).far(lossy).probe(&check).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Connect));
}
