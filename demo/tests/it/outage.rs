//! One process dies under load: nobody else goes with it, the page says what is missing, and all heals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use nix::sys::signal::Signal;

use crate::harness::{Running, get, is_alive, port_base, send, until};

/// Asks for pages until it is dropped, and counts what never came.
struct Visitors {
    stop: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Visitors {
    fn of(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let lost = Arc::new(AtomicU32::new(0));
        let threads = (0..4)
            .map(|_| {
                let (stop, lost) = (Arc::clone(&stop), Arc::clone(&lost));
                thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        match get(port, "/productpage") {
                            Some((200, _)) => {}
                            _ => drop(lost.fetch_add(1, Ordering::Relaxed)),
                        }
                    }
                })
            })
            .collect();
        Self {
            stop,
            lost,
            threads,
        }
    }

    fn lost(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a visitor");
        }
        self.lost.load(Ordering::Relaxed)
    }
}

/// Stops the process (it keeps its port and never answers), so that it cannot be restarted meanwhile.
fn outage(name: &str, missing: &str) {
    let base = port_base();
    let mut shop = Running::json(base, &["--no-load", "--no-prober"]);
    let ready = shop.event("ready");
    let pid_of =
        |name: &str| u32::try_from(ready["pids"][name].as_u64().expect("a pid")).expect("a pid");
    let visitors = Visitors::of(base);
    let shows = |words: &str| {
        get(base, "/productpage")
            .is_some_and(|(status, page)| status == 200 && page.contains(words))
    };
    let is_whole = || {
        get(base, "/productpage").is_some_and(|(status, page)| {
            status == 200 && !page.contains("data-unavailable") && page.contains("Reviewer1")
        })
    };
    until("a whole page", || is_whole().then_some(()));

    send(pid_of(name), Signal::SIGSTOP);
    until("the page says what is missing", || {
        shows(missing).then_some(())
    });
    send(pid_of(name), Signal::SIGCONT);
    until("a whole page again after the halt", || {
        is_whole().then_some(())
    });

    send(pid_of(name), Signal::SIGKILL);
    until("a new process", || (!is_alive(pid_of(name))).then_some(()));
    until("a whole page again after the kill", || {
        is_whole().then_some(())
    });

    assert_eq!(visitors.lost(), 0, "the page itself was always there");
    for other in [
        "details",
        "ratings",
        "reviews-v1",
        "reviews-v2",
        "reviews-v3",
        "productpage",
        "mymetric",
        "dynamodb",
    ] {
        assert!(
            other == name || is_alive(pid_of(other)),
            "{other} went with {name}"
        );
    }
}

#[test]
fn details_gone_and_back() {
    outage("details", "data-unavailable=\"details\"");
}

#[test]
fn ratings_gone_and_back() {
    outage("ratings", "data-unavailable=\"ratings\"");
}

#[test]
fn the_store_gone_and_back() {
    let base = port_base();
    let mut shop = Running::json(base, &["--no-load", "--no-prober"]);
    let ready = shop.event("ready");
    let pid =
        |name: &str| u32::try_from(ready["pids"][name].as_u64().expect("a pid")).expect("a pid");
    let port = |name: &str| -> u16 {
        let address = ready["addresses"][name].as_str().expect("an address");
        let port = address.trim_end_matches('/').rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("a port")
    };
    send(pid("dynamodb"), Signal::SIGSTOP);
    let (details, ratings) = (port("details"), port("ratings"));
    let (status, body) = get(details, "/details/0").expect("details still answers");
    assert_eq!(
        (status, body.as_str()),
        (500, r#"{"error":"could not connect to details database"}"#)
    );
    let (status, body) = get(ratings, "/ratings/0").expect("ratings still answers");
    assert_eq!(
        (status, body.as_str()),
        (500, r#"{"error":"could not connect to ratings database"}"#)
    );
    for service in ["details", "ratings", "reviews-v1"] {
        assert_eq!(
            get(port(service), "/readyz").map(|(status, _)| status),
            Some(503),
            "{service}"
        );
        assert_eq!(
            get(port(service), "/livez").map(|(status, _)| status),
            Some(200),
            "{service}"
        );
    }
    let (status, page) = get(base, "/productpage").expect("the page is there");
    assert_eq!(status, 200);
    assert!(page.contains("data-unavailable=\"details\""));
    send(pid("dynamodb"), Signal::SIGCONT);
    for service in ["details", "ratings", "reviews-v1"] {
        until("ready again, with no restart", || {
            get(port(service), "/readyz").filter(|(status, _)| *status == 200)
        });
        assert!(is_alive(pid(service)));
    }
    until("a whole page again", || {
        get(base, "/productpage")
            .filter(|(_, page)| !page.contains("data-unavailable") && page.contains("Reviewer1"))
    });
}
