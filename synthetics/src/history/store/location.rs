//! Who writes the history of a location: one prober at a time.
//!
//! The holder counts up a beat. Nobody compares clocks: one who wants the location watches the
//! beat, and takes over where it has stood still for as long as a lease lasts on its own clock.
//! Every write of minutes is bound to the holder, so a prober that was stopped and comes back
//! after its lease was taken writes nothing any more.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck};
use bookinfo::store::Failure;

use super::{PK, RUN, SK, Store, number, string};
use crate::clock::Timestamp;
use crate::history::error::{HistoryError, classify, written};
use crate::history::minute::{Level, Minute};

const KIND: &str = "location";
const BEAT: &str = "beat";
const HOST: &str = "host";
const PID: &str = "pid";
const NAMESPACE: &str = "pid_namespace";
const SINCE: &str = "since";
const FREE: &str = "free";
const SIMULATED: &str = "simulated";
const HOURS: &str = "hours_until";
const DAYS: &str = "days_until";

/// A prober that holds a location, or wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its run: another one after every start.
    pub run: String,
    /// The machine, or pod.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// What that number is unique within: the kernel's name for it, empty where there is none.
    pub namespace: String,
    /// When it began to hold the location, in real time.
    pub since: Timestamp,
}

impl Holder {
    /// This process, from `since` on, as a new run.
    #[must_use]
    pub fn here(since: Timestamp) -> Self {
        let namespace = std::fs::read_link("/proc/self/ns/pid");
        let namespace = namespace.map(|link| link.to_string_lossy().into_owned());
        Self {
            run: format!("{:016x}", rand::random::<u64>()),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            namespace: namespace.unwrap_or_default(),
            since,
        }
    }

    /// Whether the other one is known to have ended: a process of this machine that is not there
    /// any more. Elsewhere only its beat can tell.
    #[must_use]
    pub fn knows_the_end_of(&self, other: &Self) -> bool {
        let comparable = !self.namespace.is_empty()
            && self.namespace == other.namespace
            && self.host == other.host
            && self.run != other.run;
        let is_there = || std::path::Path::new(&format!("/proc/{}", other.pid)).exists();
        comparable && (self.pid == other.pid || !is_there())
    }
}

/// `process 17 on web-1, since 2026-11-05T12:34:56.000Z`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host, pid, since, ..
        } = self;
        write!(f, "process {pid} on {host}, since {since}")
    }
}

/// A location as the table knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationRecord {
    /// Its name.
    pub name: String,
    /// Whether delay and loss are made up.
    pub simulated: bool,
    /// Who writes there, or did last.
    pub holder: Holder,
    /// Counted up while the holder lives.
    pub beat: u64,
    /// Whether the holder has given it up.
    pub free: bool,
    /// Before this, minutes are rolled up into hours.
    pub hours_until: Minute,
    /// Before this, hours are rolled up into days.
    pub days_until: Minute,
}

/// What came of wanting a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours; this is where its history stands.
    Ours(LocationRecord),
    /// It is held by another one, whose beat was this.
    Theirs(LocationRecord),
}

impl Store {
    /// All locations that have a history.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn locations(&self) -> Result<Vec<LocationRecord>, HistoryError> {
        let mut all = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", self.partition(KIND))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify("Query", &self.table, error))?;
            all.extend(page.items().iter().filter_map(record));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(all);
            }
        }
    }

    /// One location; `None` where it has no history yet.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn location(&self, name: &str) -> Result<Option<LocationRecord>, HistoryError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(PK, self.partition(KIND))
            .key(SK, string(name))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify("GetItem", &self.table, error))?;
        Ok(found.item.as_ref().and_then(record))
    }

    /// Takes a location for `holder`, where nobody holds it, or where its record still has the
    /// holder and the beat of `dead`.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn claim(
        &self,
        name: &str,
        holder: &Holder,
        simulated: bool,
        dead: Option<&LocationRecord>,
    ) -> Result<Claim, HistoryError> {
        let seen = self.location(name).await?;
        let is_dead = |seen: &LocationRecord| {
            dead.is_some_and(|dead| dead.holder.run == seen.holder.run && dead.beat == seen.beat)
        };
        if let Some(seen) = &seen
            && seen.holder.run != holder.run
            && !seen.free
            && !is_dead(seen)
        {
            return Ok(Claim::Theirs(seen.clone()));
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, self.partition(KIND))
            .key(SK, string(name))
            .update_expression(
                "SET #run = :run, #host = :host, #pid = :pid, #namespace = :namespace, #since = :since, \
                 #beat = :beat, #simulated = :simulated REMOVE #free",
            )
            .expression_attribute_names("#run", RUN)
            .expression_attribute_names("#host", HOST)
            .expression_attribute_names("#pid", PID)
            .expression_attribute_names("#namespace", NAMESPACE)
            .expression_attribute_names("#since", SINCE)
            .expression_attribute_names("#beat", BEAT)
            .expression_attribute_names("#simulated", SIMULATED)
            .expression_attribute_names("#free", FREE)
            .expression_attribute_values(":run", string(&holder.run))
            .expression_attribute_values(":host", string(&holder.host))
            .expression_attribute_values(":pid", number(u64::from(holder.pid)))
            .expression_attribute_values(":namespace", string(&holder.namespace))
            .expression_attribute_values(":since", number(holder.since.as_micros()))
            .expression_attribute_values(":beat", number(1))
            .expression_attribute_values(":simulated", AttributeValue::Bool(simulated));
        update = match &seen {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => update
                .condition_expression("#run = :seen AND #beat = :seen_beat")
                .expression_attribute_values(":seen", string(&seen.holder.run))
                .expression_attribute_values(":seen_beat", number(seen.beat)),
        };
        let updated = update
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
            .send()
            .await;
        match updated {
            Ok(updated) => {
                let record = updated.attributes.as_ref().and_then(record);
                let fresh = || LocationRecord {
                    name: name.to_owned(),
                    simulated,
                    holder: holder.clone(),
                    beat: 1,
                    free: false,
                    hours_until: Minute(0),
                    days_until: Minute(0),
                };
                Ok(Claim::Ours(record.unwrap_or_else(fresh)))
            }
            Err(error) if Failure::of(&error) == Failure::Condition => {
                // Somebody was faster; the next look tells who.
                match self.location(name).await? {
                    Some(seen) => Ok(Claim::Theirs(seen)),
                    None => Err(classify("UpdateItem", &self.table, error)),
                }
            }
            Err(error) => Err(classify("UpdateItem", &self.table, error)),
        }
    }

    /// Counts up the beat, or gives the location up where `free`. `false` where it is no longer
    /// held by `run`.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn beat(
        &self,
        name: &str,
        run: &str,
        beat: u64,
        free: bool,
    ) -> Result<bool, HistoryError> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, self.partition(KIND))
            .key(SK, string(name))
            .update_expression("SET #beat = :beat, #free = :free")
            .condition_expression("#run = :run")
            .expression_attribute_names("#run", RUN)
            .expression_attribute_names("#beat", BEAT)
            .expression_attribute_names("#free", FREE)
            .expression_attribute_values(":run", string(run))
            .expression_attribute_values(":beat", number(beat))
            .expression_attribute_values(":free", AttributeValue::Bool(free))
            .send()
            .await;
        written("UpdateItem", &self.table, updated)
    }

    /// The part of a transaction that fails unless `run` holds the location.
    pub(super) fn held_by(
        &self,
        name: &str,
        run: &str,
    ) -> aws_sdk_dynamodb::types::builders::ConditionCheckBuilder {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key(PK, self.partition(KIND))
            .key(SK, string(name))
            .condition_expression("#run = :run")
            .expression_attribute_names("#run", RUN)
            .expression_attribute_values(":run", string(run))
    }

    /// The part of a transaction that notes how far a location is rolled up, and fails unless
    /// `run` holds it.
    pub(super) fn rolled_up(
        &self,
        name: &str,
        run: &str,
        level: Level,
        until: Minute,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let attribute = if level == Level::Day { DAYS } else { HOURS };
        aws_sdk_dynamodb::types::Update::builder()
            .table_name(&self.table)
            .key(PK, self.partition(KIND))
            .key(SK, string(name))
            .update_expression("SET #until = :until")
            .condition_expression("#run = :run")
            .expression_attribute_names("#run", RUN)
            .expression_attribute_names("#until", attribute)
            .expression_attribute_values(":run", string(run))
            .expression_attribute_values(":until", number(until.0))
    }
}

/// A record without a name or a run is none: nobody writes such.
fn record(item: &HashMap<String, AttributeValue>) -> Option<LocationRecord> {
    let text = |key: &str| item.get(key)?.as_s().ok().cloned();
    let whole = |key: &str| item.get(key)?.as_n().ok()?.parse::<u64>().ok();
    let truth = |key: &str| item.get(key).and_then(|v| v.as_bool().ok().copied());
    Some(LocationRecord {
        name: text(SK)?,
        simulated: truth(SIMULATED).unwrap_or(false),
        holder: Holder {
            run: text(RUN)?,
            host: text(HOST).unwrap_or_default(),
            pid: whole(PID)
                .and_then(|pid| u32::try_from(pid).ok())
                .unwrap_or(0),
            namespace: text(NAMESPACE).unwrap_or_default(),
            since: Timestamp::from_micros(whole(SINCE).unwrap_or(0)),
        },
        beat: whole(BEAT).unwrap_or(0),
        free: truth(FREE).unwrap_or(false),
        hours_until: Minute(whole(HOURS).unwrap_or(0)),
        days_until: Minute(whole(DAYS).unwrap_or(0)),
    })
}
