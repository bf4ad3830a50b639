//! Checks below HTTP: a TCP connection, a TLS certificate, a question to a name server.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::Record;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::assertion::{lasts, within};
use super::check::{DnsCheck, TcpCheck, TlsCheck};
use super::dial::{self, Dialer, broken};
use super::http::Progress;
use super::phases::Phase;
use super::template::Variables;
use super::tls::{Protocols, days_left};
use super::{Failure, FailureKind};
use crate::clock::Timestamp;

/// Most bytes that are listened to on a TCP connection.
const MOST_HEARD: usize = 4 * 1024;

/// Connects, says its words and listens.
pub(crate) async fn tcp(
    dialer: &Dialer,
    check: &TcpCheck,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let (host, port) = (&check.endpoint.host, check.endpoint.port);
    let mut stream = dialer
        .connect(host, port, timeout, &mut progress.watch)
        .await?;
    if check.send.is_some() || check.expect.is_some() {
        progress.watch.enter(Phase::FirstByte);
        dialer.round_trip().await;
    }
    let none = Variables::new();
    if let Some(words) = check.send.as_ref().and_then(|words| words.fixed()) {
        let sent = stream.write_all(words.as_bytes()).await;
        sent.map_err(|error| broken(&error))?;
    }
    if let Some(test) = &check.expect {
        let mut heard = Vec::new();
        loop {
            let room = MOST_HEARD - heard.len();
            let read = (&mut stream).take(room as u64).read_buf(&mut heard).await;
            let read = read.map_err(|error| broken(&error))?;
            let verdict = test.holds("what was heard", &heard, &none);
            if verdict.is_ok() && !heard.is_empty() {
                break;
            }
            if read == 0 || heard.len() == MOST_HEARD {
                verdict.map_err(|detail| Failure::new(FailureKind::Body, &detail))?;
                break;
            }
        }
    }
    in_time(check.latency, progress)
}

/// Agrees on TLS and looks at the certificate.
pub(crate) async fn tls(
    dialer: &Dialer,
    check: &TlsCheck,
    timeout: Duration,
    now: Timestamp,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let (host, port) = (&check.endpoint.host, check.endpoint.port);
    let watch = &mut progress.watch;
    let stream = dialer.connect(host, port, timeout, watch).await?;
    let name = check.server_name.as_ref().unwrap_or(host);
    let client = check.tls.as_ref();
    let stream = dialer
        .secure(stream, name, client, Protocols::Unsaid, watch)
        .await?;
    progress.certificate_days = dial::certificate(&stream).and_then(|leaf| days_left(&leaf, now));
    in_time(check.latency, progress)?;
    lasts(progress.certificate_days, check.certificate_days)
}

/// Asks the name server. The answer must come from whom was asked, and to what was asked.
pub(crate) async fn dns(
    dialer: &Dialer,
    check: &DnsCheck,
    system: Option<SocketAddr>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let server = match &check.server {
        Some(server) => {
            let found = dialer.resolve(&server.host, server.port).await?;
            found.first().copied()
        }
        // The system's own server needs no leave: it is asked for every name as it is.
        None => system,
    };
    let no_server = || Failure::new(FailureKind::Dns, "this system has no name server");
    let server = server.ok_or_else(no_server)?;
    progress.watch.enter(Phase::FirstByte);
    dialer.round_trip().await;
    let mut question = Message::new(rand::random(), MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(check.name.clone(), check.record));
    let garbled = |error: String| Failure::new(FailureKind::Protocol, &error);
    let bytes = question
        .to_vec()
        .map_err(|error| garbled(error.to_string()))?;
    let mut answer = by_udp(server, &bytes, &question).await?;
    if answer.metadata.truncation {
        answer = by_tcp(server, &bytes, &question).await?;
    }
    let code = answer.metadata.response_code;
    if code != check.code {
        let detail = format!("the server answers {code}, expected {}", check.code);
        return Err(Failure::new(FailureKind::Status, &detail));
    }
    let none = Variables::new();
    let wanted = |record: &&Record| record.record_type() == check.record;
    let records: Vec<_> = answer.answers.iter().filter(wanted).collect();
    for test in &check.answers {
        let mut problem = Some(format!("there is no {} record", check.record));
        for record in &records {
            let text = record.data.to_string();
            match test.holds("no record fits: the last", text.as_bytes(), &none) {
                Ok(()) => {
                    problem = None;
                    break;
                }
                Err(error) => problem = Some(error),
            }
        }
        if let Some(problem) = problem {
            return Err(Failure::new(FailureKind::Body, &problem));
        }
    }
    in_time(check.latency, progress)
}

async fn by_udp(server: SocketAddr, bytes: &[u8], question: &Message) -> Result<Message, Failure> {
    let local: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    let connect =
        |error: std::io::Error| Failure::new(FailureKind::Connect, &format!("{server}: {error}"));
    let socket = UdpSocket::bind(local).await.map_err(connect)?;
    // Connected, so that nobody else's packets are taken.
    socket.connect(server).await.map_err(connect)?;
    socket.send(bytes).await.map_err(connect)?;
    let mut buffer = [0; 4_096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(connect)?;
        if let Ok(answer) = Message::from_vec(&buffer[..length])
            && fits(&answer, question)
        {
            return Ok(answer);
        }
        // Not ours: a late answer to somebody before us, or a forged one. The time-out ends this.
    }
}

async fn by_tcp(server: SocketAddr, bytes: &[u8], question: &Message) -> Result<Message, Failure> {
    let io = |error: std::io::Error| broken(&error);
    let mut stream = TcpStream::connect(server).await.map_err(io)?;
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(bytes);
    stream.write_all(&framed).await.map_err(io)?;
    let length = stream.read_u16().await.map_err(io)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(io)?;
    let answer = Message::from_vec(&buffer)
        .ok()
        .filter(|answer| fits(answer, question));
    answer.ok_or_else(|| Failure::new(FailureKind::Protocol, "what came is no answer to this"))
}

fn fits(answer: &Message, question: &Message) -> bool {
    answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.queries == question.queries
}

fn in_time(limit: Option<Duration>, progress: &Progress) -> Result<(), Failure> {
    limit.map_or(Ok(()), |limit| within(progress.watch.stop().total(), limit))
}
