//! TCP and DNS checks against small servers on this machine.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use synthetics::probe::check::{DnsCheck, Endpoint, TcpCheck};
use synthetics::probe::{Check, FailureKind, Guard, Kind, Measurement, Prober, TextTest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use crate::probe::{check, guard, kind};

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint {
        host: address.ip().to_string(),
        port: address.port(),
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

#[tokio::test]
async fn tcp_connects_speaks_and_listens() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 5];
            if stream.read_exact(&mut heard).await.is_ok() {
                // In two pieces: a probe must not judge the first one alone.
                let _ = stream.write_all(b"+PO").await;
                let _ = stream.flush().await;
                tokio::task::yield_now().await;
                let _ = stream.write_all(b"NG\r\n").await;
            }
        }
    });
    let prober = Prober::new(guard());
    let probe = async |send: Option<&str>, expect: Option<TextTest>| {
        let tcp = TcpCheck {
            endpoint: endpoint(address),
            send: send.map(Into::into),
            expect,
            latency: None,
        };
        prober.probe(&check(Kind::Tcp(tcp))).await
    };
    let contains = |text: &str| Some(TextTest::Contains(text.into()));
    assert!(probe(None, None).await.is_good());
    let pong = probe(Some("PING\n"), contains("PONG")).await;
    assert!(pong.is_good(), "{pong:?}");
    assert_eq!(pong.phases.total(), pong.duration);
    let wrong = probe(Some("PING\n"), contains("pang")).await;
    assert_eq!(kind(&wrong), Some(FailureKind::Body), "{wrong:?}");
    let lacks = probe(Some("PING\n"), Some(TextTest::Lacks("ERR".into()))).await;
    assert!(lacks.is_good(), "{lacks:?}");
}

#[tokio::test]
async fn tcp_says_why_nobody_answers() {
    let (listener, address) = listen().await;
    drop(listener);
    let tcp = Kind::Tcp(TcpCheck {
        endpoint: endpoint(address),
        send: None,
        expect: None,
        latency: None,
    });
    let measurement = Prober::new(guard()).probe(&check(tcp.clone())).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Connect));
    assert!(!measurement.answered);
    let measurement = Prober::new(Guard::default()).probe(&check(tcp)).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Forbidden));
}

fn answer(question: &Message, truncated: bool) -> Message {
    let asked = &question.queries[0];
    let id = question.metadata.id;
    let mut answer = Message::new(id, MessageType::Response, OpCode::Query);
    answer.add_query(asked.clone());
    answer.metadata.truncation = truncated;
    let name = asked.name().clone();
    let record = |data| Record::from_rdata(name.clone(), 60, data);
    match (asked.name().to_string().as_str(), asked.query_type()) {
        ("shop.test.", RecordType::A) => {
            answer.add_answer(record(RData::A(A::new(192, 0, 2, 7))));
            answer.add_answer(record(RData::A(A::new(192, 0, 2, 8))));
        }
        ("shop.test.", RecordType::TXT) if !truncated => {
            let text = TXT::new(vec!["v=1".to_owned()]);
            answer.add_answer(record(RData::TXT(text)));
        }
        ("shop.test.", _) => {}
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer
}

/// A name server for `shop.test`. By UDP it first sends what is no answer to the question, and
/// cuts answers about TXT short, so that they must be asked for by TCP.
async fn name_server() -> SocketAddr {
    let (listener, address) = listen().await;
    let socket = UdpSocket::bind(address).await.expect("the same port");
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).expect("a question");
            let truncated = question.queries[0].query_type() == RecordType::TXT;
            let right = answer(&question, truncated);
            let mut other = right.clone();
            other.metadata.id ^= 1;
            other.answers.clear();
            for message in [
                b"garbage".to_vec(),
                other.to_vec().expect("sound"),
                right.to_vec().expect("sound"),
            ] {
                let _ = socket.send_to(&message, from).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u16().await.expect("a length");
            let mut buffer = vec![0; usize::from(length)];
            stream.read_exact(&mut buffer).await.expect("a question");
            let question = Message::from_vec(&buffer).expect("a question");
            let bytes = answer(&question, false).to_vec().expect("sound");
            let length = u16::try_from(bytes.len()).expect("short");
            let _ = stream.write_all(&length.to_be_bytes()).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    address
}

fn ask(server: SocketAddr, name: &str, record: RecordType, answers: Vec<TextTest>) -> DnsCheck {
    DnsCheck {
        name: Name::from_ascii(name).expect("a name"),
        record,
        server: Some(endpoint(server)),
        code: ResponseCode::NoError,
        answers,
        latency: None,
    }
}

async fn probe(dns: DnsCheck) -> Measurement {
    Prober::new(guard()).probe(&check(Kind::Dns(dns))).await
}

#[tokio::test]
async fn dns_answers_are_judged() {
    let server = name_server().await;
    let is = |text: &str| TextTest::Is(text.into());
    let good = probe(ask(
        server,
        "shop.test.",
        RecordType::A,
        vec![is("192.0.2.8")],
    ))
    .await;
    assert!(good.is_good(), "{good:?}");
    assert_eq!(good.phases.total(), good.duration);
    let other = probe(ask(
        server,
        "shop.test.",
        RecordType::A,
        vec![is("192.0.2.9")],
    ))
    .await;
    assert_eq!(kind(&other), Some(FailureKind::Body), "{other:?}");
    let none = probe(ask(server, "shop.test.", RecordType::AAAA, vec![is("::1")])).await;
    assert_eq!(kind(&none), Some(FailureKind::Body));
    let unknown = ask(server, "other.test.", RecordType::A, Vec::new());
    let missing = probe(unknown.clone()).await;
    assert_eq!(kind(&missing), Some(FailureKind::Status), "{missing:?}");
    let wanted = probe(DnsCheck {
        code: ResponseCode::NXDomain,
        ..unknown
    });
    assert!(wanted.await.is_good(), "it must not be there, and is not");
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_asked_for_by_tcp() {
    let server = name_server().await;
    let test = TextTest::Contains("v=1".into());
    let measurement = probe(ask(server, "shop.test.", RecordType::TXT, vec![test])).await;
    assert!(measurement.is_good(), "{measurement:?}");
}

#[tokio::test]
async fn a_silent_name_server_times_out() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let server = silent.local_addr().expect("bound");
    let check = Check {
        timeout: Duration::from_millis(100),
        ..check(Kind::Dns(ask(
            server,
            "shop.test.",
            RecordType::A,
            Vec::new(),
        )))
    };
    let measurement = Prober::new(guard()).probe(&check).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Timeout));
    assert!(!measurement.answered);
}
