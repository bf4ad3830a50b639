//! What each stretch of the window was: up, degraded, down, a gap or maintenance.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use super::slos::Minutes;
use crate::history::Minute;
use crate::objective::Indicator;
use crate::page::format::Moment;
use crate::slo::{SliceState, SliceTally};

/// Stretches of a row, at most: what a wide screen can show.
const COLUMNS: u64 = 360;

/// The timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    /// Its start.
    pub(crate) from: Moment,
    /// Its end.
    pub(crate) until: Moment,
    /// Minutes that are shown as one, by the worst of them.
    pub(crate) step_minutes: u64,
    /// The rows: for each objective that counts time, all locations together and each by itself.
    pub(crate) rows: Vec<Row>,
}

/// A row.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Row {
    /// Name of the objective.
    pub(crate) slo: String,
    /// The objective for people.
    pub(crate) title: String,
    /// Name of the location; null for all together.
    pub(crate) location: Option<String>,
    /// The location for people.
    pub(crate) place: Option<String>,
    /// Whether the location is simulated.
    pub(crate) simulated: bool,
    /// For all together, the rule that makes one of several.
    pub(crate) rule: Option<&'static str>,
    /// Minutes by what they were.
    pub(crate) minutes: Minutes,
    /// What came after what.
    pub(crate) runs: Vec<Run>,
}

/// A stretch in which it was the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Run {
    /// What it was.
    pub(crate) state: State,
    /// Its start.
    pub(crate) from: Moment,
    /// Its end.
    pub(crate) until: Moment,
    /// Minutes of it by what they were.
    pub(crate) minutes: Minutes,
}

/// What a stretch was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Nobody measured.
    Gap,
    /// As promised.
    Up,
    /// Declared downtime.
    Maintenance,
    /// As promised, but not all was well.
    Degraded,
    /// Not as promised.
    Down,
}

impl State {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Gap => "not measured",
            Self::Up => "up",
            Self::Maintenance => "maintenance",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// The name of its class.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Up => "up",
            Self::Maintenance => "maintenance",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

impl From<SliceState> for State {
    fn from(state: SliceState) -> Self {
        match state {
            SliceState::Gap => Self::Gap,
            SliceState::Up => Self::Up,
            SliceState::Maintenance => Self::Maintenance,
            SliceState::Degraded => Self::Degraded,
            SliceState::Down => Self::Down,
        }
    }
}

/// The timeline of all objectives that count time.
pub(super) fn of(ground: &Ground<'_>) -> Timeline {
    let range = &ground.range;
    let step = (range.end.0 - range.start.0).div_ceil(COLUMNS).max(1);
    let view = ground.known.view;
    let mut rows = Vec::new();
    for (at, slo) in view.slos().iter().enumerate() {
        if !matches!(slo.indicator, Indicator::Availability { .. }) {
            continue;
        }
        let row = |states: &[SliceState]| Row {
            slo: slo.name.clone(),
            title: slo.title.clone(),
            location: None,
            place: None,
            simulated: false,
            rule: None,
            minutes: states.iter().copied().collect::<SliceTally>().into(),
            runs: runs(range, step, states),
        };
        let states = view.states(at, ground.known.maintenance, range.clone());
        rows.push(Row {
            rule: Some(slo.rule.name()),
            ..row(&states)
        });
        for (name, states) in ground.places.get(at).into_iter().flatten() {
            let mut states = states.clone();
            view.carry(at, &mut states);
            let (place, simulated) = ground.scene.place(name);
            rows.push(Row {
                location: Some(name.to_string()),
                place: Some(place),
                simulated,
                ..row(&states)
            });
        }
    }
    Timeline {
        from: Moment(range.start.start()),
        until: Moment(range.end.start()),
        step_minutes: step,
        rows,
    }
}

/// Puts minutes together to steps by the worst of them, and equal steps to runs.
fn runs(range: &Range<Minute>, step: u64, states: &[SliceState]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let columns = states.chunks(usize::try_from(step).unwrap_or(usize::MAX).max(1));
    for (column, states) in columns.enumerate() {
        let from = range.start.plus(column as u64 * step);
        let until = from.plus(states.len() as u64);
        let worst = states.iter().copied().map(State::from).max();
        let minutes = Minutes::from(states.iter().copied().collect::<SliceTally>());
        let run = Run {
            state: worst.unwrap_or(State::Gap),
            from: Moment(from.start()),
            until: Moment(until.start()),
            minutes,
        };
        match runs.last_mut() {
            Some(last) if last.state == run.state => {
                last.until = run.until;
                last.minutes = last.minutes.plus(minutes);
            }
            _ => runs.push(run),
        }
    }
    runs
}

impl Minutes {
    fn plus(self, other: Self) -> Self {
        Self {
            up: self.up + other.up,
            degraded: self.degraded + other.degraded,
            down: self.down + other.down,
            gap: self.gap + other.gap,
            maintenance: self.maintenance + other.maintenance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_its_worst_minute_was() {
        use SliceState::{Degraded, Down, Gap, Up};
        let range = Minute(600)..Minute(608);
        let states = [Up, Up, Up, Down, Up, Degraded, Gap, Gap];
        let found = runs(&range, 2, &states);
        let words: Vec<_> = found.iter().map(|run| run.state.word()).collect();
        assert_eq!(words, ["up", "down", "degraded", "not measured"]);
        assert_eq!(found[1].minutes.down, 1);
        assert_eq!(found[1].minutes.up, 1);
        assert_eq!(found[3].until, Moment(range.end.start()));
        let single = runs(&range, 1, &states);
        assert_eq!(single.len(), 5, "equal minutes are one run: {single:?}");
    }
}
