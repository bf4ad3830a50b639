//! Stopping, starting and killing one process from another terminal.

use nix::sys::signal::Signal;

use crate::harness::{Running, get, output, port_base, send, text, until};

/// `bookwatch WORD NAME` for the demo on these ports: its exit code and all it said.
pub(crate) fn order(base: u16, word: &str, name: &str) -> (Option<i32>, String) {
    let base = base.to_string();
    let output = output(&[word, name, "--port-base", &base]);
    let said = [text(&output.stdout), text(&output.stderr)].concat();
    (output.status.code(), said)
}

#[test]
fn a_process_stays_away_until_it_is_started_again() {
    let base = port_base();
    let (code, said) = order(base, "stop", "ratings");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no demo of yours runs"), "{said}");

    let mut demo = Running::json(base, &["--quiet", "--no-load", "--no-prober"]);
    demo.event("ready");
    let (code, said) = order(base, "stop", "ratings");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("bookwatch start ratings"), "{said}");
    assert_eq!(demo.event("held")["name"], "ratings");
    assert!(get(base + 2, "/livez").is_none());
    let (status, page) = get(base, "/api/v1/products/0/ratings").expect("the page's service runs");
    assert_eq!(status, 500, "{page}");
    let (code, said) = order(base, "stop", "ratings");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stopped already"), "{said}");

    let (code, said) = order(base, "start", "ratings");
    assert_eq!(code, Some(0), "{said}");
    // The next thing that happens to any process: it has not come back by itself before.
    assert_eq!(demo.event("started")["name"], "ratings");
    until("ratings", || {
        let (status, _) = get(base, "/api/v1/products/0/ratings")?;
        (status == 200).then_some(())
    });

    let (code, said) = order(base, "kill", "reviews");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("reviews-v1, reviews-v2, reviews-v3"),
        "{said}"
    );
    for _ in 0..3 {
        let ended = demo.event("ended");
        assert_eq!(ended["reason"], "was ended by SIGKILL", "{ended}");
    }
    let (code, said) = order(base, "stop", "detials");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("there are productpage, console"), "{said}");

    // One that is away does not hold up the end.
    assert_eq!(order(base, "stop", "details").0, Some(0));
    demo.event("held");
    send(demo.pid(), Signal::SIGINT);
    assert_eq!(demo.ended().0.code(), Some(0));
    demo.assert_nothing_left();
}
