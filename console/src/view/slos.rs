//! Service level objectives, as the prober reports them by DogStatsD. What they mean is worked out there, exactly; here they are shown.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use telemetry::names;
use utoipa::ToSchema;

use crate::store::Store;

/// A service level objective.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
pub struct Slo {
    /// Its name.
    pub name: String,
    /// Share of events that must be good, in percent.
    pub target_percent: Option<f64>,
    /// Good events of all events, in percent.
    pub sli_percent: Option<f64>,
    /// What is left of the error budget, in percent; negative where it is overspent.
    pub budget_remaining_percent: Option<f64>,
    /// How fast the budget is spent: 1 spends exactly all of it over the window.
    pub burn_rate: Option<f64>,
    /// How much of what should have been measured was, in percent; below 90 there is no verdict.
    pub coverage_percent: Option<f64>,
    /// The burn alerts that fire, each by its long window.
    pub alerts: Vec<String>,
    /// Whether locations are simulated.
    pub simulated: bool,
    /// How many times as fast as real time its clock runs; absent where it does not.
    pub time_scale: Option<u32>,
    /// How long ago the last report came, to the slot.
    pub age_s: u64,
}

/// A report this much older than the newest one of an objective is of a prober that ran before.
const FORMER_S: u64 = 60;

/// Reads the objectives.
#[must_use]
pub fn slos(store: &Store) -> Vec<Slo> {
    let read = store.read(|figures, now| {
        let mut all: BTreeMap<String, Slo> = BTreeMap::new();
        let scale = figures.scale();
        let now_s = scale.start(scale.slot(now));
        let latest = |name: &str| {
            let series = figures.metrics.get(name).into_iter();
            let series = series.flat_map(|metric| metric.series());
            series.filter_map(|(tags, cells)| {
                let slo = tags.get(names::tag::SLO)?.to_owned();
                let (slot, cell) = cells.last()?;
                let age_s = now_s.saturating_sub(scale.start(slot));
                Some((slo, tags, age_s, cell.last))
            })
        };
        type Set = fn(&mut Slo) -> &mut Option<f64>;
        let sets: [(&str, Set); 5] = [
            (names::SYNTHETICS_SLO_SLI.name, |slo| &mut slo.sli_percent),
            (names::SYNTHETICS_SLO_TARGET.name, |slo| {
                &mut slo.target_percent
            }),
            (names::SYNTHETICS_SLO_BUDGET.name, |slo| {
                &mut slo.budget_remaining_percent
            }),
            (names::SYNTHETICS_SLO_BURN_RATE.name, |slo| {
                &mut slo.burn_rate
            }),
            (names::SYNTHETICS_SLO_COVERAGE.name, |slo| {
                &mut slo.coverage_percent
            }),
        ];
        for (metric, place) in sets {
            for (name, tags, age_s, value) in latest(metric) {
                let slo = all.entry(name).or_insert_with_key(|name| Slo {
                    name: name.clone(),
                    age_s,
                    ..Slo::default()
                });
                if age_s > slo.age_s + FORMER_S {
                    continue;
                }
                slo.age_s = slo.age_s.min(age_s);
                *place(slo) = Some(value);
                slo.simulated = tags.get(names::tag::SIMULATED) == Some("true");
                let factor = tags.get(names::tag::TIME_SCALE);
                slo.time_scale = factor.and_then(|factor| factor.parse().ok());
            }
        }
        for (name, tags, age_s, value) in latest(names::SYNTHETICS_ALERT_FIRING.name) {
            if let (Some(slo), Some(window)) = (all.get_mut(&name), tags.get(names::tag::ALERT))
                && value > 0.0
                && age_s <= slo.age_s + FORMER_S
            {
                slo.alerts.push(window.to_owned());
            }
        }
        all.into_values().collect()
    });
    read.unwrap_or_default()
}

/// How old a report may be before it is called old.
pub const STALE: Duration = Duration::from_secs(120);

impl Slo {
    /// Whether the prober has been silent for long.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.age_s > STALE.as_secs()
    }
}
