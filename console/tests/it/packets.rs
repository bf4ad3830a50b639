//! DogStatsD over UDP and over a Unix socket.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use console::dogstatsd::{Alert, CheckStatus, Kind};
use console::store::Source;
use console::{Addresses, Receivers};
use tokio::net::UdpSocket;

use crate::PATIENCE;

#[tokio::test]
async fn every_kind_of_message_arrives_over_udp() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let store = agent.store();
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    sender.connect(agent.addresses().dogstatsd).await.unwrap();
    sender.send(b"my_metric:412|g|#env:demo,service:mymetric,version:1.0\npages:1:2:3|d|@0.5|c:ci-abc,in-77").await.unwrap();
    sender
        .send(b"users:ada|s\n_e{5,4}:title|text|t:warning|#env:demo\n_sc|db.up|2|m:gone")
        .await
        .unwrap();
    sender.send(b"broken").await.unwrap();

    let seen = store
        .wait_for(PATIENCE, |seen| {
            (seen.bad_packets.total == 1).then(|| seen.clone())
        })
        .await
        .unwrap();

    let gauge = seen.metric("my_metric").next().unwrap();
    assert_eq!(gauge.kind, Kind::Gauge);
    assert_eq!(gauge.numbers(), [412.0]);
    assert_eq!(gauge.tag("service"), Some("mymetric"));
    assert!(gauge.tags().contains("env:demo"));
    assert_eq!(gauge.source, Source::Udp);
    let pages = seen.metric("pages").next().unwrap();
    assert_eq!(pages.numbers(), [1.0, 2.0, 3.0]);
    assert_eq!(pages.container_id(), Some("abc"));
    assert_eq!(pages.series.inode, Some(77));
    assert_eq!(
        seen.metric("users").next().unwrap().values.member(),
        Some("ada")
    );
    assert_eq!(seen.events[0].alert, Alert::Warning);
    assert_eq!(seen.service_checks[0].status, CheckStatus::Critical);
    assert_eq!(seen.service_checks[0].message.as_deref(), Some("gone"));
    assert_eq!(seen.bad_packets.by_reason.get("format"), Some(&1));
    assert_eq!(seen.bad_packets.last[0].excerpt, "broken");
    assert_eq!(seen.stats.datagrams, 3);
    agent.shutdown().await;
}

#[tokio::test]
async fn a_unix_socket_takes_large_datagrams_and_its_file_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    let agent = Receivers::bind(Addresses::loopback().with_socket(&path))
        .await
        .unwrap();
    assert_eq!(
        agent.dogstatsd_socket_url().unwrap(),
        format!("unix://{}", path.display())
    );
    let lines: Vec<String> = (0..500).map(|n| format!("orders:{n}|c")).collect();
    let datagram = lines.join("\n");
    assert!(datagram.len() > 1432 && datagram.len() <= console::dogstatsd::MAX_DATAGRAM);
    UnixDatagram::unbound()
        .unwrap()
        .send_to(datagram.as_bytes(), &path)
        .unwrap();
    let samples = agent
        .store()
        .wait_for(PATIENCE, |seen| {
            (seen.metrics.len() == 500).then(|| seen.metrics.clone())
        })
        .await
        .unwrap();
    assert!(
        samples
            .iter()
            .zip(0..)
            .all(|(sample, n)| sample.numbers() == [f64::from(n)])
    );
    assert!(samples.iter().all(|sample| sample.source == Source::Unix));
    agent.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_a_dead_process_left_is_replaced_but_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    drop(UnixDatagram::bind(&path).unwrap());
    assert!(path.exists(), "the kernel leaves the file behind");
    let first = Receivers::bind(Addresses::loopback().with_socket(&path))
        .await
        .unwrap();

    let second = Receivers::bind(Addresses::loopback().with_socket(&path))
        .await
        .unwrap_err();
    assert_eq!(second.source.kind(), std::io::ErrorKind::AddrInUse);
    first.shutdown().await;

    std::fs::write(&path, "not a socket").unwrap();
    let third = Receivers::bind(Addresses::loopback().with_socket(&path))
        .await
        .unwrap_err();
    assert_eq!(third.source.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a socket");
}

#[tokio::test]
async fn what_was_sent_before_the_shutdown_is_kept() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let store = agent.store();
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for n in 0..200 {
        sender
            .send_to(
                format!("last.words:{n}|g").as_bytes(),
                agent.addresses().dogstatsd,
            )
            .await
            .unwrap();
    }
    agent.shutdown().await;
    assert_eq!(store.metrics().len(), 200);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = Receivers::bind(Addresses::loopback()).await.unwrap();
    let mut taken = Addresses::loopback();
    taken.otlp_http = first.addresses().otlp_http;
    let error = Receivers::bind(taken).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen for OTLP over HTTP on {}",
            first.addresses().otlp_http
        )
    );
}

#[tokio::test]
async fn who_waits_in_vain_learns_what_came_instead() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let store = agent.store();
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    sender
        .send_to(
            b"other:1|c|#env:demo\nnonsense",
            agent.addresses().dogstatsd,
        )
        .await
        .unwrap();
    store
        .wait_for(PATIENCE, |seen| (seen.stats.datagrams == 1).then_some(()))
        .await
        .unwrap();
    let error = store
        .wait_for(Duration::from_millis(1), |seen| {
            seen.metric("wanted").next().cloned()
        })
        .await
        .unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("1 x other|c #env:demo"), "{text}");
    assert!(text.contains("nonsense"), "{text}");
    assert_eq!(error.snapshot().metrics.len(), 1);
}
