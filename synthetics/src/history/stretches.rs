//! Times of one check at one location, as sketches that get coarser with age.
//!
//! The newest minutes stay by themselves, since late answers change them. Then a minute goes into
//! its five minutes, which are kept for some hours, and into its hour. Hours and days that come
//! from the table as a whole replace what was put together here.

use std::collections::{BTreeMap, VecDeque};

use super::minute::{Level, Minute};
use super::packed::Packed;
use super::sketch::Sketch;

/// Minutes that stay by themselves: more than a late answer takes.
const OPEN: usize = 32;
/// Length of a fine stretch, in minutes.
const FINE_MINUTES: u64 = 5;
/// Fine stretches that are kept: three hours.
const FINE: usize = 36;
/// Hours that are kept where days are to be made of older ones.
const HOURS: usize = 48;

/// An hour or a day.
#[derive(Clone, Debug)]
struct Whole {
    level: Level,
    sketch: Packed,
    /// Nothing comes to it any more.
    done: bool,
}

/// The sketches.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    open: BTreeMap<Minute, Packed>,
    fine: VecDeque<(Minute, Packed)>,
    whole: BTreeMap<Minute, Whole>,
    /// Minutes before this have gone into their hour.
    closed: Minute,
}

impl Stretches {
    pub(super) fn take(
        &mut self,
        level: Level,
        first: Minute,
        sketch: &Sketch,
        keep: u64,
        coarse: bool,
    ) {
        if level == Level::Minute {
            if first >= self.closed {
                self.open.insert(first, Packed::of(sketch));
            }
            while self.open.len() > OPEN {
                let Some((minute, sketch)) = self.open.pop_first() else {
                    break;
                };
                self.close(minute, &sketch);
            }
        } else if !self.is_done(first) {
            let inside = self.whole.range(first..first.plus(level.minutes()));
            let inside: Vec<_> = inside.map(|(begin, _)| *begin).collect();
            for begin in inside {
                self.whole.remove(&begin);
            }
            let whole = Whole {
                level,
                sketch: Packed::of(sketch),
                done: true,
            };
            self.whole.insert(first, whole);
        }
        if coarse {
            self.make_days();
        }
        let newest = self.whole.last_key_value().map(|(begin, _)| *begin);
        while let (Some((begin, whole)), Some(newest)) = (self.whole.first_key_value(), newest) {
            if begin.plus(whole.level.minutes() + keep) > newest {
                break;
            }
            self.whole.pop_first();
        }
    }

    /// Whether a day that is known as a whole has this minute.
    fn is_done(&self, minute: Minute) -> bool {
        let before = self.whole.range(..=minute).next_back();
        before.is_some_and(|(begin, whole)| {
            whole.level == Level::Day && whole.done && begin.plus(whole.level.minutes()) > minute
        })
    }

    fn close(&mut self, minute: Minute, sketch: &Packed) {
        self.closed = minute.plus(1);
        let fine = Minute(minute.0 - minute.0 % FINE_MINUTES);
        match self.fine.back_mut() {
            Some((begin, sum)) if *begin == fine => sum.merge(sketch),
            _ => self.fine.push_back((fine, sketch.clone())),
        }
        while self.fine.len() > FINE {
            self.fine.pop_front();
        }
        let known = self.whole.range_mut(..=minute).next_back();
        let known = known.filter(|(begin, known)| begin.plus(known.level.minutes()) > minute);
        if let Some((_, whole)) = known {
            if !whole.done {
                whole.sketch.merge(sketch);
            }
            return;
        }
        let whole = Whole {
            level: Level::Hour,
            sketch: sketch.clone(),
            done: false,
        };
        self.whole.insert(Level::Hour.floor(minute), whole);
    }

    /// Puts the oldest hours together to days.
    fn make_days(&mut self) {
        let hours = |whole: &BTreeMap<Minute, Whole>| {
            let hours = whole.values().filter(|w| w.level == Level::Hour);
            hours.count()
        };
        while hours(&self.whole) > HOURS {
            let mut all = self.whole.iter();
            let oldest = all.find(|(_, whole)| whole.level == Level::Hour);
            let Some(begin) = oldest.map(|(begin, _)| *begin) else {
                return;
            };
            let Some(hour) = self.whole.remove(&begin) else {
                return;
            };
            let day = self.whole.entry(Level::Day.floor(begin)).or_insert(Whole {
                level: Level::Day,
                sketch: Packed::default(),
                done: true,
            });
            // An hour at midnight stands where its day is to stand.
            day.level = Level::Day;
            day.sketch.merge(&hour.sketch);
        }
    }

    /// Hands over every time once: the fine stretches and the minutes alone where `fine`, all that
    /// is known otherwise.
    pub(super) fn each<'s>(&'s self, fine: bool, mut on: impl FnMut(Minute, u64, &'s Packed)) {
        if fine {
            for (begin, sketch) in &self.fine {
                on(*begin, FINE_MINUTES, sketch);
            }
        } else {
            for (begin, whole) in &self.whole {
                on(*begin, whole.level.minutes(), &whole.sketch);
            }
        }
        for (minute, sketch) in &self.open {
            let hour = Level::Hour.floor(*minute);
            let counted = || {
                let known = self.whole.get(&hour);
                known.is_some_and(|whole| whole.done) || self.is_done(*minute)
            };
            if fine || !counted() {
                on(*minute, 1, sketch);
            }
        }
    }
}
