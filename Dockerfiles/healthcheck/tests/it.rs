//! The program against servers that are well, ill, and not there.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread::JoinHandle;

/// A server that takes one request, answers with `answer` and returns what it was asked.
fn server(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 1024];
        let length = stream.read(&mut request).expect("a request");
        stream.write_all(answer.as_bytes()).expect("sent");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (port, asked)
}

fn healthcheck(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_healthcheck"))
        .args(words)
        .output()
        .expect("it starts")
}

fn complaint(words: &[&str]) -> String {
    let output = healthcheck(words);
    assert_eq!(output.status.code(), Some(1), "{words:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_server_that_answers_2xx_is_well() {
    for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 204 No Content\r\n\r\n"] {
        let (port, asked) = server(answer);
        assert!(healthcheck(&[&port, "/readyz"]).status.success());
        assert!(
            asked
                .join()
                .expect("asked")
                .starts_with("GET /readyz HTTP/1.1\r\n")
        );
    }
}

#[test]
fn any_other_answer_is_not_well_and_is_told() {
    for (answer, told) in [
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "503"),
        ("HTTP/1.1 302 Found\r\n\r\n", "302"),
        ("SSH-2.0-OpenSSH\r\n", "SSH"),
        ("HTTP/1.1", "no answer"),
        ("", "no answer"),
    ] {
        let (port, asked) = server(answer);
        assert!(complaint(&[&port, "/livez"]).contains(told), "{answer:?}");
        asked.join().expect("asked");
    }
}

#[test]
fn without_a_path_a_connection_is_enough() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    assert!(healthcheck(&[&port]).status.success());
    drop(listener);
    assert!(complaint(&[&port]).contains("no connection"));
}

#[test]
fn a_call_that_makes_no_sense_says_what_would() {
    for words in [
        &[][..],
        &["port"],
        &["99999"],
        &["9080", "readyz"],
        &["9080", "/a b"],
        &["9080", "/x\r\ny:"],
        &["9080", "/", "more"],
    ] {
        assert!(
            complaint(words).contains("healthcheck PORT [PATH]"),
            "{words:?}"
        );
    }
}
