//! Getting and holding the locations of this process.

use std::time::Duration;

use tokio::time::Instant;

use super::error::HistoryError;
use super::live::Live;
use super::minute::{Level, Minute};
use super::store::{Claim, Holder, LocationRecord, Store};
use crate::clock::{FastClock, SystemClock};

/// Minutes that are rolled up once more where a clock was put back: two days, of which all minutes
/// are left.
const MOST_AGAIN: u64 = 2 * 1_440;

/// How a holder shows that it lives.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// A beat that has stood still for this long is that of a prober that is gone.
    pub lasts: Duration,
    /// From one beat to the next: a good deal shorter, so that a slow call is no death.
    pub beat: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            lasts: Duration::from_secs(15),
            beat: Duration::from_secs(4),
        }
    }
}

/// What every place needs.
pub(super) struct Desk {
    pub(super) live: Live,
    pub(super) store: Store,
    pub(super) clock: FastClock,
    pub(super) system: SystemClock,
    pub(super) holder: Holder,
    pub(super) lease: Lease,
    /// How long after its end a minute may get results, on the history's clock.
    pub(super) grace: Duration,
    pub(super) reachable: bool,
}

/// One place, and whether it is ours.
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) simulated: bool,
    pub(super) hold: Hold,
    pub(super) lost: u64,
}

/// Another prober that has the place we want.
pub(super) struct Rival {
    record: LocationRecord,
    /// Since when its beat stands still.
    still: Instant,
    /// Whether it is known to have ended.
    gone: bool,
}

pub(super) enum Hold {
    /// Not yet ours.
    Wanted(Option<Rival>),
    /// Ours, with its last beat.
    Held {
        record: LocationRecord,
        beaten: Instant,
    },
}

impl Desk {
    /// Gets the place, where it is not ours yet.
    pub(super) async fn hold(&self, seat: &mut Seat) -> Result<(), HistoryError> {
        let Hold::Wanted(seen) = &mut seat.hold else {
            return Ok(());
        };
        let lasts = self.lease.lasts;
        let is_dead = |rival: &&Rival| rival.gone || rival.still.elapsed() >= lasts;
        let dead = seen.as_ref().filter(is_dead).map(|rival| &rival.record);
        let claim = self
            .store
            .claim(&seat.name, &self.holder, seat.simulated, dead);
        let theirs = match claim.await? {
            Claim::Ours(record) => {
                let record = self.begin(record).await?;
                tracing::info!(
                    location = seat.name,
                    table = self.store.table(),
                    "history held"
                );
                seat.hold = Hold::Held {
                    record,
                    beaten: Instant::now(),
                };
                return Ok(());
            }
            Claim::Theirs(record) => record,
        };
        match seen {
            Some(known) if known.record.holder.run == theirs.holder.run => {
                if known.record.beat != theirs.beat {
                    return Err(self.two_probers(theirs));
                }
            }
            _ => {
                let gone = self.holder.knows_the_end_of(&theirs.holder);
                if !gone {
                    tracing::warn!(
                        location = seat.name,
                        holder = %theirs.holder,
                        wait_ms = lasts.as_millis(),
                        "waiting for a prober that may be gone; results are kept"
                    );
                }
                *seen = Some(Rival {
                    record: theirs,
                    still: Instant::now(),
                    gone,
                });
            }
        }
        Ok(())
    }

    fn two_probers(&self, record: LocationRecord) -> HistoryError {
        HistoryError::TwoProbers {
            location: record.name,
            holder: record.holder,
        }
    }

    /// A place without a history begins it with the first minute that waits to be saved. Where
    /// that lies before what is rolled up already, since the clock was put back or the prober
    /// waited, those hours are rolled up again: their minutes are still there.
    async fn begin(&self, mut record: LocationRecord) -> Result<LocationRecord, HistoryError> {
        let first = self.live.open_from(&record.name);
        for (level, until) in [
            (Level::Hour, &mut record.hours_until),
            (Level::Day, &mut record.days_until),
        ] {
            let floor = level.floor(first);
            let behind = until.0.saturating_sub(floor.0);
            if *until != Minute(0) && behind > MOST_AGAIN {
                tracing::warn!(
                    location = record.name,
                    minutes = behind,
                    "the clock is behind this history; what is found will not show in it"
                );
            } else if *until == Minute(0) || behind > 0 {
                *until = floor;
                let run = &self.holder.run;
                let noted = self.store.skip_rolled_up(&record.name, run, level, floor);
                noted.await?;
            }
        }
        // What the run before has of the minute that goes on belongs to it from now on.
        if let Some((run, checks)) = self.store.minute(&record.name, first).await?
            && run != self.holder.run
        {
            self.live.contain(&record.name, first, run, &checks);
        }
        Ok(record)
    }

    pub(super) async fn beat(
        &self,
        record: &LocationRecord,
        free: bool,
    ) -> Result<(), HistoryError> {
        let run = &self.holder.run;
        if self
            .store
            .beat(&record.name, run, record.beat, free)
            .await?
        {
            return Ok(());
        }
        Err(self.taken(&record.name).await?)
    }

    /// The place was taken: by whom?
    pub(super) async fn taken(&self, name: &str) -> Result<HistoryError, HistoryError> {
        let record = self.store.location(name).await?;
        let unknown = || HistoryError::TwoProbers {
            location: name.to_owned(),
            holder: self.holder.clone(),
        };
        Ok(record.map_or_else(unknown, |record| self.two_probers(record)))
    }
}
