//! A queue and a task for each webhook.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telemetry::Metrics;
use telemetry::names::{self, tag};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::message::Message;
use super::post::{Answer, Client};
use super::retry::Patience;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Webhook;
use crate::history::store::Store;

/// Messages that may wait for one webhook; more are dropped and counted. So many alerts at once
/// say no more than the first ones do.
const QUEUE: usize = 64;
/// How long the table may take to say whether another prober has told already.
const CLAIM: Duration = Duration::from_secs(3);

/// All webhooks. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Webhooks(Arc<Shared>);

struct Shared {
    client: Client,
    metrics: Metrics,
    patience: Patience,
    /// Where probers of one history agree on who tells.
    store: Option<Store>,
    stop: CancellationToken,
    running: Mutex<Vec<Running>>,
    /// Tasks of webhooks that the configuration has no more, with what they still have to say.
    leaving: Mutex<Vec<JoinHandle<()>>>,
}

struct Running {
    webhook: Webhook,
    queue: mpsc::Sender<Waiting>,
    task: JoinHandle<()>,
}

struct Waiting {
    message: Arc<Message>,
    since: Instant,
}

impl Webhooks {
    /// None yet. What becomes of messages is counted in `metrics`. With a `store`, only one of the
    /// probers that share it sends each message.
    ///
    /// # Errors
    /// Where there is no TLS to be had.
    pub fn new(metrics: Metrics, store: Option<Store>, patience: Patience) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Shared {
            client: Client::new(patience.attempt)?,
            metrics,
            patience,
            store,
            stop: CancellationToken::new(),
            running: Mutex::default(),
            leaving: Mutex::default(),
        })))
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        // Lists of whole entries are what a panic elsewhere leaves.
        let running = &self.0.running;
        running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the webhooks of a configuration. One that stays as it is goes on with its queue; one
    /// that goes sends what it has.
    pub fn adopt(&self, webhooks: &[Webhook]) {
        let mut running = self.running();
        let mut before = std::mem::take(&mut *running);
        for webhook in webhooks {
            let known = before.iter().position(|other| other.webhook == *webhook);
            running.push(match known {
                Some(at) => before.swap_remove(at),
                None => self.start(webhook.clone()),
            });
        }
        let leaving = &self.0.leaving;
        let mut leaving = leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.retain(|task| !task.is_finished());
        leaving.extend(before.into_iter().map(|gone| gone.task));
    }

    fn start(&self, webhook: Webhook) -> Running {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = deliver(Arc::clone(&self.0), webhook.clone(), waiting);
        Running {
            webhook,
            queue,
            task: tokio::spawn(task),
        }
    }

    /// Hands `message` to the webhooks at these positions of the configuration, and waits for
    /// none of them.
    pub fn send(&self, to: &[usize], message: &Arc<Message>) {
        let running = self.running();
        for hook in to.iter().filter_map(|at| running.get(*at)) {
            let waiting = Waiting {
                message: Arc::clone(message),
                since: Instant::now(),
            };
            if hook.queue.try_send(waiting).is_err() {
                let (webhook, why) = (&hook.webhook.name, "too many messages wait");
                tracing::error!(webhook, key = message.key(), why, "alert not sent");
                self.0.count(webhook, "dropped");
            }
        }
    }

    /// Ends all of them within `limit`: what waits is tried a last time.
    pub async fn end(self, limit: Duration) {
        self.0.stop.cancel();
        let mut tasks: Vec<_> = self.running().drain(..).map(|hook| hook.task).collect();
        let leaving = &self.0.leaving;
        tasks.append(&mut leaving.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            for task in &mut tasks {
                // A task that broke has sent what it could.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::error!("alerts may not have been sent: a webhook did not answer in time");
        }
        tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    fn count(&self, webhook: &str, outcome: &str) {
        let tags = [(tag::WEBHOOK, webhook), (tag::OUTCOME, outcome)];
        let metric = &names::SYNTHETICS_WEBHOOK_MESSAGE_COUNT;
        self.metrics.count(metric, 1, &tags);
    }

    /// Whether it is for this prober to tell. A table that does not answer must not keep an alert
    /// from being told: rather twice than never.
    async fn is_ours(&self, webhook: &str, message: &Message, clock: &SystemClock) -> bool {
        let Some(store) = &self.store else {
            return true;
        };
        let what = format!("{webhook}/{}", message.key());
        let claim = store.announce(&what, clock.now());
        match tokio::time::timeout(CLAIM, claim).await {
            Ok(Ok(ours)) => ours,
            Ok(Err(error)) => {
                tracing::warn!(webhook, %error, "alert sent without asking others");
                true
            }
            Err(_) => true,
        }
    }

    /// Sends one message, again and again until it is taken, refused or too old.
    async fn send(&self, webhook: &Webhook, waiting: &Waiting, clock: &SystemClock) {
        let (name, message) = (&*webhook.name, &*waiting.message);
        let key = message.key();
        if !self.is_ours(name, message, clock).await {
            tracing::info!(webhook = name, key, "alert told by another prober");
            self.count(name, "elsewhere");
            return;
        }
        let mut failures = 0;
        loop {
            let last = self.stop.is_cancelled();
            let answer = self.client.post(webhook, message, clock.now().into());
            let (why, after) = match answer.await {
                Answer::Delivered { status } => {
                    tracing::info!(webhook = name, key, status, "alert sent");
                    self.count(name, "delivered");
                    return;
                }
                Answer::Refused { why } => {
                    tracing::error!(webhook = name, key, why, "alert not sent");
                    self.count(name, "refused");
                    return;
                }
                Answer::Later { why, after } => (why, after),
            };
            failures += 1;
            let age = waiting.since.elapsed();
            let random = rand::random::<f64>();
            let pause = self.patience.pause(failures, after, age, random);
            let Some(pause) = pause.filter(|_| !last) else {
                tracing::error!(webhook = name, key, why, failures, "alert not sent");
                self.count(name, "gave_up");
                return;
            };
            let pause_ms = pause.as_secs_f64() * 1_000.0;
            tracing::warn!(webhook = name, key, why, pause_ms, "alert sent again later");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Tried once more, and then no more.
                () = self.stop.cancelled() => {}
            }
        }
    }
}

/// Sends what is in the queue, one after the other, so that a clear never comes before its fire.
async fn deliver(shared: Arc<Shared>, webhook: Webhook, mut queue: mpsc::Receiver<Waiting>) {
    let clock = SystemClock::new();
    while let Some(waiting) = queue.recv().await {
        shared.send(&webhook, &waiting, &clock).await;
    }
}
