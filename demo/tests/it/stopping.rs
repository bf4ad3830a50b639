//! However it ends, nothing is left behind.

use nix::sys::signal::Signal;

use crate::harness::{Running, bookwatch, port_base, ports_are_free, send, until};

#[test]
fn a_killed_parent_takes_everything_along() {
    let base = port_base();
    let mut demo = Running::json(base, &["--quiet"]);
    demo.event("ready");
    assert_eq!(demo.pids().len(), 11);
    send(demo.pid(), Signal::SIGKILL);
    assert!(!demo.ended().0.success());
    demo.assert_nothing_left();
    until("free ports", || ports_are_free(base).then_some(()));
}

#[test]
fn ctrl_c_stops_in_order_from_the_visitors_to_the_console() {
    let base_flag = format!("--port-base={}", port_base());
    let mut demo = Running::start(&mut bookwatch(&[&base_flag]));
    // Before this it does not yet catch signals, and has nothing to say at its end.
    demo.line_with("load begins");
    send(demo.pid(), Signal::SIGINT);
    let mut order = Vec::new();
    while order.last().is_none_or(|last| last != "console") {
        let line = demo.line();
        if line.contains("\"message\":\"stopped\"") || line.contains("\"message\":\"load ended\"") {
            let name = line.split(' ').next().unwrap_or_default();
            order.push(name.split("-v").next().unwrap_or_default().to_owned());
        }
    }
    // Those of one rank stop together, in any order.
    order[5..7].sort_unstable();
    assert_eq!(
        order,
        [
            "loadgen",
            "productpage",
            "reviews",
            "reviews",
            "reviews",
            "details",
            "ratings",
            "mymetric",
            "dynamodb",
            "console"
        ]
    );
    assert_eq!(demo.ended().0.code(), Some(0));
}

#[test]
fn a_service_that_does_not_end_is_ended() {
    let base = port_base();
    let mut demo = Running::json(base, &["--quiet", "--only=mymetric"]);
    let ready = demo.event("ready");
    let pid = u32::try_from(ready["pids"]["mymetric"].as_u64().unwrap()).unwrap();
    // A process that is stopped takes no SIGTERM.
    send(pid, Signal::SIGSTOP);
    send(demo.pid(), Signal::SIGTERM);
    assert_eq!(demo.event("stopped")["exit_code"], 0);
    assert_eq!(demo.ended().0.code(), Some(0));
    demo.assert_nothing_left();
}

#[test]
fn a_second_request_ends_everything_at_once() {
    let base = port_base();
    let mut demo = Running::json(base, &["--only=mymetric"]);
    let ready = demo.event("ready");
    let pid = u32::try_from(ready["pids"]["mymetric"].as_u64().unwrap()).unwrap();
    send(pid, Signal::SIGSTOP);
    send(demo.pid(), Signal::SIGINT);
    // Two of the same that are both pending are one: repeat until it has worked.
    let pid = demo.pid();
    let code = until("the end", || {
        send(pid, Signal::SIGINT);
        demo.try_ended()
    });
    assert_eq!(code, Some(0));
    demo.assert_nothing_left();
}

#[test]
fn a_judged_run_that_is_cut_short_is_not_a_pass() {
    let mut demo = Running::json(port_base(), &["--quiet", "--for=1h"]);
    demo.event("ready");
    send(demo.pid(), Signal::SIGINT);
    assert_eq!(demo.event("stopped")["exit_code"], 130);
    assert_eq!(demo.ended().0.code(), Some(130));
    demo.assert_nothing_left();
}
