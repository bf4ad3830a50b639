//! The numbers of the page at one moment, in words and figures: what the pages and the JSON API
//! both show.

pub(crate) mod alerts;
pub(crate) mod checks;
pub(crate) mod failures;
pub(crate) mod locations;
pub(crate) mod slos;
pub(crate) mod timeline;

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::format::Moment;
use super::scene::Scene;
use crate::clock::Timestamp;
use crate::history::live::Known;
use crate::history::{Minute, View};
use crate::objective::{Indicator, Slo};
use crate::slo::{SliceState, Verdict};

pub(crate) use alerts::{Alert, AlertState};
pub(crate) use checks::{Cell, CheckView, LatencyPoint};
pub(crate) use failures::FailureView;
pub(crate) use locations::LocationView;
pub(crate) use slos::SloView;
pub(crate) use timeline::{Run, State, Timeline};

/// Everything that is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Board {
    /// Rises when there are other numbers.
    pub(crate) changes: u64,
    /// When these numbers were true, on the clock of the history.
    pub(crate) at: Moment,
    /// How many times as fast as real time that clock runs: above 1 it is a demonstration.
    pub(crate) time_scale: u32,
    /// Address that is probed.
    pub(crate) target: String,
    /// How the history is kept.
    pub(crate) history: HistoryState,
    /// The worst verdict: `pass`, `fail`, `inconclusive`.
    #[schema(value_type = String)]
    pub(crate) verdict: Verdict,
    /// The objectives.
    pub(crate) slos: Vec<SloView>,
    /// The burn alerts.
    pub(crate) alerts: Vec<Alert>,
    /// The locations.
    pub(crate) locations: Vec<LocationView>,
    /// The checks.
    pub(crate) checks: Vec<CheckView>,
    /// What each minute was.
    pub(crate) timeline: Timeline,
    /// The newest failures, the newest first.
    pub(crate) failures: Vec<FailureView>,
}

/// How the history is kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryState {
    /// The table; null where minutes are in memory alone, and gone with the prober.
    pub(crate) table: Option<String>,
    /// What was in the table at the start has been read.
    pub(crate) loaded: bool,
    /// The table answers.
    pub(crate) reachable: bool,
    /// Results that came after their minute was done with.
    pub(crate) lost_results: u64,
    /// Minutes that waited too long for the table.
    pub(crate) lost_minutes: u64,
}

impl HistoryState {
    fn of(scene: &Scene) -> Self {
        let (lost, reach) = (scene.live.lost(), scene.live.reach());
        let kept = scene.table.is_some();
        Self {
            table: scene.table.clone(),
            loaded: !kept || reach.loaded,
            reachable: !kept || reach.answers,
            lost_results: lost.results,
            lost_minutes: lost.minutes,
        }
    }
}

/// What everything is made of.
pub(crate) struct Ground<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) known: Known<'a>,
    pub(crate) now: Timestamp,
    /// From the first minute that has anything, or the start of the longest window, up to now.
    pub(crate) range: Range<Minute>,
    /// By objective that counts time: what each minute of the range was at each location.
    pub(crate) places: Vec<Vec<(Arc<str>, Vec<SliceState>)>>,
}

impl Ground<'_> {
    /// The part of the range's minutes that lies in another range.
    pub(crate) fn part<'s>(
        &self,
        states: &'s [SliceState],
        range: &Range<Minute>,
    ) -> &'s [SliceState] {
        let at = |minute: Minute| {
            let since = minute.0.saturating_sub(self.range.start.0);
            usize::try_from(since)
                .unwrap_or(usize::MAX)
                .min(states.len())
        };
        let (from, until) = (at(range.start), at(range.end));
        states.get(from..until.max(from)).unwrap_or_default()
    }
}

impl Board {
    /// The numbers as they are now.
    pub(crate) fn of(scene: &Scene) -> Self {
        let now = scene.now();
        let history = HistoryState::of(scene);
        let sites = scene.live.sites();
        scene.live.read(|known| {
            let range = range(&known, now);
            let places = |(at, slo): (usize, &Slo)| match slo.indicator {
                Indicator::Availability { .. } => {
                    known.view.by_location(at, known.maintenance, &range)
                }
                Indicator::Latency { .. } | Indicator::Success => Vec::new(),
            };
            let slos = known.view.slos().iter().enumerate();
            let ground = Ground {
                scene,
                known,
                now,
                places: slos.map(places).collect(),
                range,
            };
            let slos = slos::all(&ground);
            Self {
                changes: known.lanes.changes(),
                at: Moment(now),
                time_scale: scene.time_scale,
                target: scene.target.clone(),
                history,
                verdict: Verdict::worst(slos.iter().map(|slo| slo.verdict)),
                alerts: alerts::all(&ground),
                locations: locations::all(&ground, &sites),
                checks: checks::all(&ground),
                timeline: timeline::of(&ground),
                failures: failures::all(&ground),
                slos,
            }
        })
    }
}

/// As much as the longest window has, up to the running minute.
fn range(known: &Known<'_>, now: Timestamp) -> Range<Minute> {
    let longest = View::span(known.view.slos()).saturating_sub(Minute::LENGTH);
    let end = Minute::of(now).plus(1);
    let begin = Minute::of(end.start().minus(longest));
    let slos = 0..known.view.slos().len();
    let oldest = slos.filter_map(|slo| known.view.oldest(slo));
    // A check that no objective is about may be the oldest.
    let oldest = oldest.chain(known.lanes.oldest()).min();
    let first = oldest.map_or(begin, |oldest| oldest.max(begin));
    first.min(end)..end
}
