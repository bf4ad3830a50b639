//! How it looks from each location.

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use super::slos::Minutes;
use crate::history::{Minute, Site};
use crate::objective::Indicator;
use crate::page::format::Moment;
use crate::slo::{Rounding, SliceTally};

/// A location.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LocationView {
    /// Its name.
    pub(crate) name: String,
    /// Its name for people.
    pub(crate) title: String,
    /// Whether delay and loss are made up, so that its numbers are no measurement.
    pub(crate) simulated: bool,
    /// Whether this prober probes from there; others are read from the history.
    pub(crate) here: bool,
    /// Right answers.
    pub(crate) good: u64,
    /// Wrong answers, or none.
    pub(crate) bad: u64,
    /// Ticks that were not measured.
    pub(crate) gaps: u64,
    /// The newest minute with a result.
    pub(crate) newest: Option<Moment>,
    /// Uptime by each objective that counts time.
    pub(crate) uptimes: Vec<Uptime>,
}

/// Minutes that were as an objective promises, seen from one location alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Uptime {
    /// Name of the objective.
    pub(crate) slo: String,
    /// Good minutes of the measured ones, cut, such as `99.3%`; null where there is none.
    pub(crate) text: Option<String>,
    /// Minutes by what they were.
    pub(crate) minutes: Minutes,
}

/// All locations that have anything to tell, or should.
pub(super) fn all(ground: &Ground<'_>, sites: &[Site]) -> Vec<LocationView> {
    let mut names: Vec<_> = sites.iter().map(|site| site.name.clone()).collect();
    for name in ground.known.lanes.locations() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let mut views: Vec<_> = names
        .iter()
        .map(|name| {
            let (title, simulated) = ground.scene.place(name);
            let lanes = ground.known.lanes;
            let found = lanes.found(None, Some(name), &ground.range);
            let newest = lanes.newest(Some(name));
            LocationView {
                name: name.to_string(),
                title,
                simulated,
                here: sites.iter().any(|site| site.name == *name),
                good: found.results.good,
                bad: found.results.bad,
                gaps: found.gaps,
                newest: newest.map(|minute| Moment(Minute::start(minute))),
                uptimes: Vec::new(),
            }
        })
        .collect();
    let view = ground.known.view;
    for (at, slo) in view.slos().iter().enumerate() {
        if !matches!(slo.indicator, Indicator::Availability { .. }) {
            continue;
        }
        let (range, _) = view.window(at, ground.now);
        // Not before the first measurement, as the objective itself.
        let range = range.start.max(ground.range.start)..range.end;
        let places = ground.places.get(at).into_iter().flatten();
        let by_location: Vec<_> = places
            .map(|(name, states)| (name, ground.part(states, &range)))
            .map(|(name, states)| (name, states.iter().copied().collect::<SliceTally>()))
            .collect();
        for location in &mut views {
            let tally = by_location
                .iter()
                .find(|(name, _)| ***name == *location.name);
            let tally = tally.map_or_else(SliceTally::default, |(_, tally)| *tally);
            location.uptimes.push(Uptime {
                slo: slo.name.clone(),
                text: uptime(tally),
                minutes: tally.into(),
            });
        }
    }
    views
}

fn uptime(tally: SliceTally) -> Option<String> {
    let text = tally.counts().sli()?.to_decimal(2, 2, Rounding::Truncate);
    Some(format!(
        "{}%",
        text.trim_end_matches('0').trim_end_matches('.')
    ))
}
