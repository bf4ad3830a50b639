//! Runs the users with goose, from the first turn to the last answer.
//!
//! Goose launches the users along the ramp and stops them. Pace, latencies and reports are our own: its
//! throttle knows no schedule to be late on, and its latency ends at the first byte. All its output is
//! off.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use goose::GooseAttack;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{Scenario, Transaction, TransactionFunction};

use crate::browser::Site;
use crate::stop::{Reason, Stop};
use crate::visit::Visits;

/// How often goose is told to stop, once it must. It forgets a stop from before its own start, and looks
/// twice a second.
const TELL_AGAIN: Duration = Duration::from_millis(50);
/// Goose keeps a few bytes for each second of a run, so it gets a new run now and then.
pub(crate) const SHIFT: Duration = Duration::from_secs(24 * 60 * 60);

/// How the users come and go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) users: u32,
    pub(crate) ramp: Duration,
    pub(crate) run_time: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) shift: Duration,
}

/// Puts load on the site until the run time is over or a stop is asked for.
///
/// # Errors
/// Where goose refuses its settings. A site that does not answer is no error.
pub(crate) async fn run(plan: Plan, site: Arc<Site>, visits: Arc<Visits>) -> anyhow::Result<()> {
    let pacer = Arc::clone(&site.pacer);
    let timing = async {
        tokio::join!(
            pacer.run(),
            end_in_time(plan, &site),
            tell_goose(&site.stop)
        );
    };
    tokio::select! {
        result = shifts(plan, &site, &visits) => result,
        () = timing => Ok(()),
    }
}

async fn shifts(plan: Plan, site: &Arc<Site>, visits: &Arc<Visits>) -> anyhow::Result<()> {
    let mut ramp = plan.ramp;
    while site.stop.reason().is_none() {
        goose_attack(plan, ramp, site, visits)?
            .execute()
            .await
            .context("goose could not run the users")?;
        ramp = Duration::ZERO;
    }
    Ok(())
}

fn goose_attack(
    plan: Plan,
    ramp: Duration,
    site: &Arc<Site>,
    visits: &Arc<Visits>,
) -> anyhow::Result<GooseAttack> {
    let mut args = vec![
        format!("--host={}", site.url),
        format!("--users={}", plan.users),
        format!("--run-time={}s", plan.shift.as_secs().max(1)),
    ];
    args.extend(
        [
            "--quiet",
            "--no-metrics",
            "--no-transaction-metrics",
            "--no-scenario-metrics",
            "--no-print-metrics",
            "--no-error-summary",
            "--no-telnet",
        ]
        .map(str::to_owned),
    );
    // Goose counts a ramp in whole seconds, and only between users.
    if ramp.as_secs() > 0 && plan.users > 1 {
        args.push(format!("--increase-time={}s", ramp.as_secs()));
    } else {
        args.push(format!("--increase-rate={}", plan.users.max(10) * 10));
    }
    let configuration = GooseConfiguration::parse_args_default(&args)
        .context("goose does not take its arguments")?;
    let client = site.client.clone();
    let open: TransactionFunction = Arc::new(move |user| {
        user.client = client.clone();
        Box::pin(async { Ok(()) })
    });
    let (site, visits) = (Arc::clone(site), Arc::clone(visits));
    let visit: TransactionFunction = Arc::new(move |user| {
        let (site, visits) = (Arc::clone(&site), Arc::clone(&visits));
        Box::pin(async move {
            if site.stop.reason().is_none() {
                visits.next(user, &site).await;
            } else {
                // Between the end of the run and goose's order to go home.
                tokio::time::sleep(TELL_AGAIN).await;
            }
            Ok(())
        })
    });
    Ok(GooseAttack::initialize_with_config(configuration)
        .context("goose does not start")?
        // One client for all instead of one each, until `open` hands out ours.
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())
        .context("goose cannot make a client")?
        .register_scenario(
            Scenario::new("bookshop")
                .register_transaction(Transaction::new(open).set_on_start())
                .register_transaction(Transaction::new(visit)),
        ))
}

/// Ends the run when its time is over, and cuts off what is still under way a grace time after its end.
async fn end_in_time(plan: Plan, site: &Site) {
    let run_time_over = async {
        match plan.run_time {
            Some(time) => {
                let end = site.pacer.started().await + time;
                tokio::time::sleep_until(end.into()).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = run_time_over => site.stop.drain(Reason::RunTime),
        () = site.stop.draining() => {}
    }
    site.pacer.close();
    tokio::time::sleep(plan.grace).await;
    site.stop.cut_off();
    std::future::pending().await
}

async fn tell_goose(stop: &Stop) {
    stop.draining().await;
    loop {
        goose::trigger_killswitch("the run is over");
        tokio::time::sleep(TELL_AGAIN).await;
    }
}

#[cfg(test)]
#[path = "attack_tests.rs"]
mod tests;
