//! Says to everybody who wants to know that an alert fires or clears.

use std::sync::Arc;

use super::evidence::Evidence;
use super::state::Transition;
use super::webhook::{Example, Message, Source, Webhooks};
use crate::clock::{Clock as _, FastClock};
use crate::history::Live;
use crate::objective::Slo;
use crate::sink::Dogstatsd;
use crate::slo::Ratio;

/// Tells of the alerts of one configuration: one log line, one event, and to the webhooks that
/// the configuration names.
#[derive(Clone)]
pub struct Teller {
    /// The clock of the objectives.
    pub clock: FastClock,
    /// The objectives.
    pub slos: Arc<[Slo]>,
    /// For each of them, positions of the webhooks to tell.
    pub notify: Vec<Vec<usize>>,
    /// What is known of them.
    pub live: Live,
    /// What failed last.
    pub evidence: Evidence,
    /// Takes events.
    pub dogstatsd: Dogstatsd,
    /// Takes messages.
    pub webhooks: Webhooks,
}

impl Teller {
    /// Tells; nothing here waits.
    pub fn tell(&self, transition: &Transition) {
        log(transition, self.clock.factor());
        self.dogstatsd.transition(transition);
        let name = &*transition.alert.id.slo;
        let Some(at) = self.slos.iter().position(|slo| slo.name == name) else {
            return;
        };
        let to = self.notify.get(at).map_or(&[][..], Vec::as_slice);
        if to.is_empty() {
            return;
        }
        let evaluations = self.live.evaluate(self.clock.now());
        let evaluation = evaluations.iter().find(|e| e.slo.name == name);
        let sites = self.live.sites();
        let source = Source {
            simulated: sites.iter().any(|site| site.simulated),
            locations: sites.iter().map(|site| site.name.to_string()).collect(),
            time_scale: self.clock.factor(),
        };
        let failure = self.evidence.of(&self.slos[at].checks);
        let example = failure.map(|(check, failure)| Example::of(&check, &failure));
        let message = Message::of(transition, evaluation, source, example);
        self.webhooks.send(to, &Arc::new(message));
    }
}

/// One log line for an alert that fires or clears.
fn log(transition: &Transition, time_scale: u32) {
    let alert = &transition.alert;
    let rate = |rate: Option<Ratio>| rate.map(|rate| rate.to_string());
    let (long, short) = (rate(alert.long), rate(alert.short));
    tracing::warn!(
        alert = %alert.id,
        slo = %alert.id.slo,
        change = transition.change.name(),
        episode = transition.episode(),
        severity = alert.severity().name(),
        factor = %alert.rule.factor(),
        long_burn_rate = long,
        short_burn_rate = short,
        time_scale,
        "error budget alert changed"
    );
}
