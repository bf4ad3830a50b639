//! Since when an alert fires, from the minutes of the history.
//!
//! Every prober that sees the same minutes finds the same moment, and finds it again after a
//! restart. So one time of firing has one name, whoever tells of it.

use crate::clock::Timestamp;
use crate::history::{Live, Minute};

/// The start of the first minute of those before `end` at whose ends the alert fired without a
/// break, as far back as its long window reaches. `None` where it does not fire at `end`.
pub(super) fn of(live: &Live, slo: usize, alert: usize, end: Minute) -> Option<Timestamp> {
    let long = live.rule(slo, alert)?.long();
    let most = long.as_secs() / 60;
    let earliest = Minute(end.0.saturating_sub(most));
    let fires = |end: &Minute| live.fires(slo, alert, *end) == Some(true);
    let ends = (earliest.0..=end.0).rev().map(Minute);
    let first = ends.take_while(fires).last()?;
    Some(Minute(first.0.saturating_sub(1)).start())
}

/// Since when the alert fired at the last moment before `began` at which there was enough data
/// to tell. That moment is not sought further back than the long window reaches.
pub(super) fn before(live: &Live, slo: usize, alert: usize, began: Minute) -> Option<Timestamp> {
    if !live.is_older_than(slo, began) {
        return None;
    }
    let long = live.rule(slo, alert)?.long();
    let earliest = Minute(began.0.saturating_sub(long.as_secs() / 60));
    let mut ends = (earliest.0..=began.0).rev().map(Minute);
    let end = ends.find(|end| live.fires(slo, alert, *end).is_some())?;
    of(live, slo, alert, end)
}
