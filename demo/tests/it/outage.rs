//! One process dies under load: nobody else goes with it, the page says what is missing, and all heals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{Running, get, is_alive, port_base, send, until};

/// Pages of one visitor.
#[derive(Default)]
struct Seen {
    good: AtomicU32,
    /// No answer, or one that is no page.
    lost: AtomicU32,
}

/// Four people who ask for pages without a pause until this is dropped.
struct Visitors {
    stop: Arc<AtomicBool>,
    seen: Vec<Arc<Seen>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Visitors {
    fn of(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen: Vec<_> = (0..4).map(|_| Arc::new(Seen::default())).collect();
        let threads = seen.iter().map(|seen| {
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(seen));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let counter = match get(port, "/productpage") {
                        Some((200, _)) => &seen.good,
                        _ => &seen.lost,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let threads = threads.collect();
        Self {
            stop,
            threads,
            seen,
        }
    }

    fn lost(&self) -> u32 {
        let lost = self.seen.iter().map(|seen| &seen.lost);
        lost.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Waits until each of them has got another page.
    fn all_get_pages(&self) {
        for seen in &self.seen {
            let before = seen.good.load(Ordering::Relaxed);
            until("another page for each visitor", || {
                (seen.good.load(Ordering::Relaxed) > before).then_some(())
            });
        }
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A demo with visitors, and what it said when it was ready.
struct Shop {
    base: u16,
    running: Running,
    ready: Value,
}

impl Shop {
    fn open(args: &[&str]) -> Self {
        let base = port_base();
        let mut running = Running::json(base, args);
        let ready = running.event("ready");
        let shop = Self {
            base,
            running,
            ready,
        };
        until("a whole page", || shop.is_whole().then_some(()));
        shop
    }

    fn names(&self) -> Vec<String> {
        let pids = self.ready["pids"].as_object().expect("pids");
        pids.keys().cloned().collect()
    }

    /// The process that had this name in the beginning.
    fn pid(&self, name: &str) -> u32 {
        u32::try_from(self.ready["pids"][name].as_u64().expect("a pid")).expect("a pid")
    }

    fn port(&self, name: &str) -> u16 {
        let address = self.ready["addresses"][name].as_str().expect("an address");
        let port = address.trim_end_matches('/').rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    fn is_whole(&self) -> bool {
        get(self.base, "/productpage").is_some_and(|(status, page)| {
            status == 200 && !page.contains("data-unavailable") && page.contains("Reviewer1")
        })
    }

    fn page_misses(&self, part: &str) -> bool {
        let words = format!("data-unavailable=\"{part}\"");
        get(self.base, "/productpage")
            .is_some_and(|(status, page)| status == 200 && page.contains(&words))
    }

    /// Kills these while their supervisor is held up, so that they stay away as long as `meanwhile` looks;
    /// then lets it bring them back, and waits until it has.
    fn kill_and_look(&mut self, names: &[&str], meanwhile: impl FnOnce(&Self)) {
        send(self.running.pid(), Signal::SIGSTOP);
        for name in names {
            send(self.pid(name), Signal::SIGKILL);
        }
        meanwhile(self);
        send(self.running.pid(), Signal::SIGCONT);
        let mut away = names.to_vec();
        while !away.is_empty() {
            let started = self.running.event("started");
            away.retain(|name| started["name"] != *name);
        }
        until("a whole page again after the kill", || {
            self.is_whole().then_some(())
        });
    }

    /// Fails where anybody else was started again or is gone.
    fn assert_others_live(&self, killed: &[&str]) {
        for other in self.names() {
            assert!(
                killed.contains(&other.as_str()) || is_alive(self.pid(&other)),
                "{other} went with {killed:?}"
            );
        }
    }
}

/// First the processes halt (they keep their ports and never answer), then they die.
fn outage(names: &[&str], part: &str) {
    let mut shop = Shop::open(&["--no-load", "--no-prober"]);
    let visitors = Visitors::of(shop.base);
    let missing = |shop: &Shop| {
        until("the page says what is missing", || {
            shop.page_misses(part).then_some(())
        });
    };
    for name in names {
        send(shop.pid(name), Signal::SIGSTOP);
    }
    missing(&shop);
    for name in names {
        send(shop.pid(name), Signal::SIGCONT);
    }
    until("a whole page again after the halt", || {
        shop.is_whole().then_some(())
    });
    shop.kill_and_look(names, missing);
    visitors.all_get_pages();
    assert_eq!(visitors.lost(), 0, "the page itself was always there");
    shop.assert_others_live(names);
}

#[test]
fn details_gone_and_back() {
    outage(&["details"], "details");
}

#[test]
fn ratings_gone_and_back() {
    outage(&["ratings"], "ratings");
}

#[test]
fn all_reviews_gone_and_back() {
    outage(&["reviews-v1", "reviews-v2", "reviews-v3"], "reviews");
}

#[test]
fn one_version_of_reviews_gone_is_made_up_for_by_the_others() {
    let mut shop = Shop::open(&["--no-load", "--no-prober"]);
    // Two tries go to two different versions, so one reader misses nothing; several at once may.
    shop.kill_and_look(&["reviews-v2"], |shop| {
        for _ in 0..12 {
            assert!(shop.is_whole());
        }
    });
    let visitors = Visitors::of(shop.base);
    shop.kill_and_look(&["reviews-v3"], |_| visitors.all_get_pages());
    assert_eq!(visitors.lost(), 0, "the page itself was always there");
    shop.assert_others_live(&["reviews-v2", "reviews-v3"]);
}

#[test]
fn the_page_itself_gone_and_back() {
    let mut shop = Shop::open(&["--no-load", "--no-prober"]);
    let visitors = Visitors::of(shop.base);
    shop.kill_and_look(&["productpage"], |shop| {
        until("no page", || {
            get(shop.base, "/productpage").is_none().then_some(())
        });
        for (name, path) in [
            ("details", "/details/0"),
            ("ratings", "/ratings/0"),
            ("reviews-v1", "/reviews/0"),
            ("reviews-v2", "/reviews/0"),
            ("reviews-v3", "/reviews/0"),
        ] {
            until(name, || {
                get(shop.port(name), path).filter(|(status, _)| *status == 200)
            });
        }
    });
    assert!(visitors.lost() > 0, "it was really gone");
    visitors.all_get_pages();
    shop.assert_others_live(&["productpage"]);
}

#[test]
fn whoever_dies_under_load_dies_alone_and_comes_back() {
    let mut shop = Shop::open(&["--quiet"]);
    let mut killed = Vec::new();
    for name in shop.names() {
        if name == "bookwatch" {
            continue;
        }
        shop.kill_and_look(&[&name], |shop| {
            // The store is away until it is missed, and comes back with its catalogue, although it was in memory.
            if name == "dynamodb" {
                until("the page says what is missing", || {
                    shop.page_misses("details").then_some(())
                });
            }
        });
        killed.push(name);
        let killed: Vec<_> = killed.iter().map(String::as_str).collect();
        shop.assert_others_live(&killed);
    }
    for name in ["dynamodb", "loadgen", "mymetric", "productpage"] {
        assert!(killed.iter().any(|killed| killed == name), "{killed:?}");
    }
}

#[test]
fn the_store_gone_and_back() {
    let shop = Shop::open(&["--no-load", "--no-prober"]);
    send(shop.pid("dynamodb"), Signal::SIGSTOP);
    let (details, ratings) = (shop.port("details"), shop.port("ratings"));
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
            get(shop.port(service), "/readyz").map(|(status, _)| status),
            Some(503),
            "{service}"
        );
        assert_eq!(
            get(shop.port(service), "/livez").map(|(status, _)| status),
            Some(200),
            "{service}"
        );
    }
    let (status, page) = get(shop.base, "/productpage").expect("the page is there");
    assert_eq!(status, 200);
    assert!(page.contains("data-unavailable=\"details\""));
    send(shop.pid("dynamodb"), Signal::SIGCONT);
    for service in ["details", "ratings", "reviews-v1"] {
        until("ready again, with no restart", || {
            get(shop.port(service), "/readyz").filter(|(status, _)| *status == 200)
        });
        assert!(is_alive(shop.pid(service)));
    }
    until("a whole page again", || shop.is_whole().then_some(()));
}
