//! What cannot work is refused before anything is started, with the way out.

use std::net::{TcpListener, UdpSocket};

use crate::harness::{bookwatch, output, port_base, ports_are_free, text};

#[test]
fn a_port_in_use_is_named_with_who_has_it_and_how_to_move() {
    let base = port_base();
    let _taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let refused = output(&["--port-base", &base.to_string()]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{} (ratings)", base + 2)));
    assert!(said.contains("bookwatch up --port-base "), "{said}");
    if cfg!(target_os = "linux") {
        let me = format!("process {}", std::process::id());
        assert!(said.contains(&me), "{said}");
    }
    assert!(refused.stdout.is_empty());
}

#[test]
fn the_store_alone_can_be_moved() {
    let base = port_base();
    let taken = TcpListener::bind(("127.0.0.1", base + 19)).unwrap();
    let refused = output(&["--port-base", &base.to_string()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--dynamodb-port"));
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = output(&["dynamodb", "--port", &port]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("use --port PORT"));
}

#[test]
fn an_agent_that_runs_already_is_named_with_the_way_to_use_it() {
    let base = port_base();
    let agent = UdpSocket::bind(("0.0.0.0", base + 11)).unwrap();
    let refused = output(&["--port-base", &base.to_string()]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let door = format!("127.0.0.1:{}/udp (console, DogStatsD) is in use", base + 11);
    assert!(said.contains(&door), "{said}");
    assert!(said.contains("--dd-agent-host 127.0.0.1"), "{said}");
    assert!(said.contains("bookwatch up --port-base "), "{said}");
    // What came to it meanwhile came to nobody else.
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sent = sender.send_to(b"x:1|c", ("127.0.0.1", base + 11));
    assert_eq!(sent.unwrap(), 5);
    assert_eq!(agent.recv(&mut [0; 16]).unwrap(), 5);

    let pages = TcpListener::bind(("127.0.0.1", base + 10)).unwrap();
    drop(agent);
    let refused = output(&["--port-base", &base.to_string()]);
    assert!(text(&refused.stderr).contains("--console-port PORT"));
    drop(pages);
}

#[test]
fn bad_usage_is_told_from_a_failure() {
    for (words, reason) in [
        (&["--only", "detials"][..], "details"),
        (&["--for", "0s"], "above 0"),
        (&["--for", "soon"], "--for"),
        (&["--port-base", "70000"], "--port-base"),
        (&["--dynamodb-port", "9081"], "details"),
        (
            &["--data", "x", "--dynamodb-endpoint", "http://127.0.0.1:1"],
            "DYNAMODB_ENDPOINT",
        ),
        (&["--only", "loadgen", "--no-load"], "nothing to start"),
    ] {
        let refused = output(words);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(reason), "{words:?}: {said}");
    }
}

#[test]
fn a_service_that_refuses_its_settings_ends_the_start_and_says_why() {
    let base = port_base();
    let output = bookwatch(&[
        "--quiet",
        "--only=ratings",
        "--port-base",
        &base.to_string(),
    ])
    .env("DD_DOGSTATSD_URL", "carrier-pigeon")
    .output()
    .unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("carrier-pigeon"), "{said}");
    assert!(said.contains("cannot run as told"), "{said}");
    assert!(ports_are_free(base));
}

#[test]
fn data_that_cannot_be_written_is_told_at_once() {
    let base = port_base().to_string();
    let words = [
        "--quiet",
        "--only=details",
        "--data=/dev/null/shop",
        "--port-base",
    ];
    let output = output(&[&words[..], &[&base]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--data: cannot create /dev/null"), "{said}");
    assert!(said.contains("dynamodb cannot run as told"), "{said}");
}

#[test]
fn a_given_store_that_is_away_is_named() {
    let base = port_base();
    let endpoint = format!("http://127.0.0.1:{base}");
    let base = (base + 1).to_string();
    let words = [
        "--quiet",
        "--only=details",
        "--dynamodb-endpoint",
        &endpoint,
    ];
    let output = output(&[&words[..], &["--port-base", &base]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&endpoint), "{said}");
}
