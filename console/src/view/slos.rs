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
    /// Good events of all events, in percent.
    pub sli_percent: Option<f64>,
    /// What is left of the error budget, in percent; negative where it is overspent.
    pub budget_remaining_percent: Option<f64>,
    /// How fast the budget is spent: 1 spends exactly all of it over the window.
    pub burn_rate: Option<f64>,
    /// How long ago the last report came, to the slot.
    pub age_s: u64,
}

/// Reads the objectives.
#[must_use]
pub fn slos(store: &Store) -> Vec<Slo> {
    let read = store.read(|figures, now| {
        let mut all: BTreeMap<String, Slo> = BTreeMap::new();
        let scale = figures.scale();
        let now_s = scale.start(scale.slot(now));
        type Set = fn(&mut Slo, f64);
        let sets: [(&str, Set); 3] = [
            (names::SYNTHETICS_SLO_SLI.name, |slo, value| {
                slo.sli_percent = Some(value)
            }),
            (names::SYNTHETICS_SLO_BUDGET.name, |slo, value| {
                slo.budget_remaining_percent = Some(value)
            }),
            (names::SYNTHETICS_SLO_BURN_RATE.name, |slo, value| {
                slo.burn_rate = Some(value)
            }),
        ];
        for (metric, set) in sets {
            let series = figures
                .metrics
                .get(metric)
                .into_iter()
                .flat_map(|metric| metric.series());
            for (tags, cells) in series {
                let (Some(name), Some((slot, cell))) = (tags.get(names::tag::SLO), cells.last())
                else {
                    continue;
                };
                let age_s = now_s.saturating_sub(scale.start(slot));
                let slo = all.entry(name.to_owned()).or_insert_with(|| Slo {
                    name: name.to_owned(),
                    age_s,
                    ..Slo::default()
                });
                slo.age_s = slo.age_s.min(age_s);
                set(slo, cell.last);
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
