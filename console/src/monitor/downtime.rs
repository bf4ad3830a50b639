//! Times at which nobody is to be woken: nights on working days, and week-ends.

use std::time::SystemTime;

use jiff::civil::{Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// When a night begins.
const EVENING: Time = time(19, 0, 0, 0);

/// When a night ends.
const MORNING: Time = time(9, 0, 0, 0);

/// A downtime at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downtime {
    /// Its name.
    pub name: &'static str,
    /// When nobody minds being woken again.
    pub until: SystemTime,
}

/// The downtime at a moment, if there is one: on working days (Monday to Friday) before 9:00 and from 19:00 on, on Saturdays and Sundays all day. Times
/// are those of the wall clock in `zone`, so a night may be an hour longer or shorter where clocks change.
#[must_use]
pub fn at(now: SystemTime, zone: &TimeZone) -> Option<Downtime> {
    let local = Timestamp::try_from(now).ok()?.to_zoned(zone.clone());
    let name = if weekend(&local) {
        "week-end"
    } else if local.time() < MORNING || local.time() >= EVENING {
        "night"
    } else {
        return None;
    };
    Some(Downtime {
        name,
        until: morning(&local)?.timestamp().into(),
    })
}

fn weekend(day: &Zoned) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The next morning of a working day.
fn morning(local: &Zoned) -> Option<Zoned> {
    let zone = local.time_zone();
    let mut day = local.date();
    if local.time() >= MORNING {
        day = day.checked_add(1.day()).ok()?;
    }
    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = day.checked_add(1.day()).ok()?;
    }
    day.to_datetime(MORNING).to_zoned(zone.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("the zones are built in")
    }

    fn look(local: &str, name: &str) -> Option<(&'static str, String)> {
        let zone = zone(name);
        let at_that: Zoned = format!("{local}[{name}]").parse().unwrap();
        at(at_that.timestamp().into(), &zone).map(|downtime| {
            let until = Timestamp::try_from(downtime.until).unwrap().to_zoned(zone);
            (downtime.name, until.strftime("%a %d %H:%M").to_string())
        })
    }

    #[test]
    fn working_hours_are_loud() {
        // 2026-11-18 is a Wednesday.
        assert_eq!(look("2026-11-18T09:00", "Europe/Berlin"), None);
        assert_eq!(look("2026-11-18T18:59:59", "Europe/Berlin"), None);
    }

    #[test]
    fn nights_last_until_nine() {
        let night = |until: &str| Some(("night", until.to_owned()));
        assert_eq!(
            look("2026-11-18T19:00", "Asia/Tokyo"),
            night("Thu 19 09:00")
        );
        assert_eq!(
            look("2026-11-18T08:59:59", "Asia/Tokyo"),
            night("Wed 18 09:00")
        );
        assert_eq!(
            look("2026-11-20T19:00", "Asia/Tokyo"),
            night("Mon 23 09:00"),
            "a Friday"
        );
        assert_eq!(
            look("2026-11-23T03:00", "Asia/Tokyo"),
            night("Mon 23 09:00"),
            "a Monday"
        );
    }

    #[test]
    fn week_ends_last_until_monday() {
        let weekend = Some(("week-end", "Mon 23 09:00".to_owned()));
        assert_eq!(look("2026-11-21T00:00", "UTC"), weekend);
        assert_eq!(look("2026-11-22T23:59", "UTC"), weekend);
    }

    #[test]
    fn the_wall_clock_counts_also_where_it_changes() {
        // In Berlin clocks go back on Sunday 2026-10-25 at 3:00.
        assert_eq!(
            look("2026-10-25T12:00", "Europe/Berlin"),
            Some(("week-end", "Mon 26 09:00".to_owned()))
        );
    }

    #[test]
    fn the_zone_counts() {
        // 10:00 in Tokyo is 01:00 in UTC.
        let moment: Zoned = "2026-11-18T10:00[Asia/Tokyo]".parse().unwrap();
        let moment = moment.timestamp().into();
        assert_eq!(at(moment, &zone("Asia/Tokyo")), None);
        assert!(at(moment, &TimeZone::UTC).is_some());
    }
}
