use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::outage::Outages;
use crate::pacer::Pacer;
use crate::record::Recorder;
use crate::schedule::Schedule;

/// Answers every request on every connection, for as long as the test runs.
fn shop() -> reqwest::Url {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                // A GET without a body fits into one read on the loopback.
                while stream.read(&mut buffer).is_ok_and(|n| n > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}").parse().expect("an address")
}

#[test]
fn a_change_of_shift_loses_no_request() {
    const RUN_TIME: Duration = Duration::from_secs(4);
    let recorder = Arc::new(Recorder::new(None, telemetry::Metrics::disabled()));
    let schedule = Schedule::new(50.0, Duration::ZERO, Some(RUN_TIME));
    let pacer = Pacer::new(Some(schedule), {
        let recorder = Arc::clone(&recorder);
        move |schedule, missed| recorder.missed(schedule, &missed)
    });
    let site = Arc::new(Site {
        client: crate::browser::client(Duration::from_secs(30), 4).expect("a client"),
        url: shop(),
        pacer,
        recorder,
        outages: Outages::default(),
        stop: Stop::default(),
    });
    let plan = Plan {
        users: 4,
        ramp: Duration::ZERO,
        run_time: Some(RUN_TIME),
        grace: Duration::from_secs(30),
        // So that the users go home and come back in the middle of the run.
        shift: Duration::from_secs(1),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let visits = Arc::new(Visits::new(1, 0, 12, 0));
    runtime
        .block_on(run(plan, Arc::clone(&site), visits))
        .expect("goose runs");
    assert_eq!(site.stop.reason(), Some(Reason::RunTime));
    let records = site.recorder.lock();
    assert_eq!(records.all.error_count(), 0);
    assert_eq!(records.all.requests() + records.missed, 200);
    let longest = records.all.corrected.quantile(1.0).expect("requests");
    assert!(
        longest < Duration::from_secs(3),
        "the users came back after {longest:?}"
    );
}
