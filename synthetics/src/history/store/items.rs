//! Items of minutes, hours and days: writing them whole, and reading them in order.

use std::collections::HashMap;
use std::ops::Range;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use super::{EXPIRES, PK, RUN, SK, Store, string};
use crate::clock::Timestamp;
use crate::history::codec::{self, ByCheck, CodecError};
use crate::history::error::{HistoryError, classify};
use crate::history::minute::{Level, Minute};

/// Bytes of series after which a further item is begun; DynamoDB takes 400 KB.
const CHUNK: usize = 256 * 1024;
/// Bytes of series in one transaction; DynamoDB takes 4 MB.
const TRANSACTION: usize = 3 * 1024 * 1024;
const DATA: &str = "data";

/// One minute to save.
#[derive(Clone, Debug)]
pub struct MinuteItem {
    /// Which one.
    pub minute: Minute,
    /// All checks of the location that have anything to tell.
    pub checks: ByCheck,
    /// The run of an earlier item of this minute that is contained in this one.
    pub contains: Option<String>,
}

/// What became of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is there, whole.
    Done,
    /// The location is held by another prober: nothing was written.
    NotHeld,
    /// Another run has written this minute already: nothing was written. Read it, add it, and
    /// save again with [`MinuteItem::contains`].
    Another,
}

impl Store {
    /// Saves a minute, whole or not at all. An item that this run has written before is replaced.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn save_minute(
        &self,
        location: &str,
        run: &str,
        item: &MinuteItem,
        now: Timestamp,
    ) -> Result<Saved, HistoryError> {
        let held = self.held_by(location, run).build();
        let held = held.map_err(|error| self.invalid(error.into()))?;
        let mut writes = vec![TransactWriteItem::builder().condition_check(held).build()];
        for (sk, data) in self.chunks(item.minute, &item.checks) {
            let mut put = self
                .put(location, Level::Minute, sk, data, run, now)
                .expression_attribute_names("#run", RUN)
                .expression_attribute_values(":run", string(run));
            put = match &item.contains {
                None => put.condition_expression("attribute_not_exists(pk) OR #run = :run"),
                Some(other) => put
                    .condition_expression("attribute_not_exists(pk) OR #run IN (:run, :other)")
                    .expression_attribute_values(":other", string(other)),
            };
            let put = put.build().map_err(|error| self.invalid(error.into()))?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        self.transact(writes).await
    }

    /// Saves an hour or a day that was rolled up from what is there, and notes that everything
    /// before its end is.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn save_rolled_up(
        &self,
        location: &str,
        run: &str,
        (level, first): (Level, Minute),
        checks: &ByCheck,
        now: Timestamp,
    ) -> Result<Saved, HistoryError> {
        let mut writes = Vec::new();
        let mut bytes = 0;
        for (sk, data) in self.chunks(first, checks) {
            if bytes + data.len() > TRANSACTION {
                // Nobody reads these before the last transaction says that all are there.
                let held = self.held_by(location, run).build();
                let held = held.map_err(|error| self.invalid(error.into()))?;
                writes.push(TransactWriteItem::builder().condition_check(held).build());
                match self.transact(std::mem::take(&mut writes)).await? {
                    Saved::Done => bytes = 0,
                    other => return Ok(other),
                }
            }
            bytes += data.len();
            let put = self.put(location, level, sk, data, run, now).build();
            let put = put.map_err(|error| self.invalid(error.into()))?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let until = first.plus(level.minutes());
        let note = self.rolled_up(location, run, level, until).build();
        let note = note.map_err(|error| self.invalid(error.into()))?;
        writes.push(TransactWriteItem::builder().update(note).build());
        match self.transact(writes).await? {
            // These puts have no condition: it was the holder.
            Saved::Another => Ok(Saved::NotHeld),
            saved => Ok(saved),
        }
    }

    /// Notes that everything before `until` is rolled up, where there was nothing to do.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn skip_rolled_up(
        &self,
        location: &str,
        run: &str,
        level: Level,
        until: Minute,
    ) -> Result<Saved, HistoryError> {
        let note = self.rolled_up(location, run, level, until).build();
        let note = note.map_err(|error| self.invalid(error.into()))?;
        let write = TransactWriteItem::builder().update(note).build();
        match self.transact(vec![write]).await? {
            Saved::Another => Ok(Saved::NotHeld),
            saved => Ok(saved),
        }
    }

    /// Hands over the items of `level` that begin within `range`, in order.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn read(
        &self,
        location: &str,
        level: Level,
        range: Range<Minute>,
        mut take: impl FnMut(Minute, ByCheck),
    ) -> Result<(), HistoryError> {
        if range.is_empty() {
            return Ok(());
        }
        let mut begun: Option<(Minute, ByCheck)> = None;
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", self.of(location, level))
                .expression_attribute_values(":from", string(&range.start.to_string()))
                // The last minute with all its further items.
                .expression_attribute_values(
                    ":to",
                    string(&format!("{}~", Minute(range.end.0 - 1))),
                )
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify("Query", &self.table, error))?;
            for item in page.items() {
                let (minute, more) = self.decode(item, level)?;
                match &mut begun {
                    Some((same, checks)) if *same == minute => checks.extend(more),
                    _ => {
                        if let Some((minute, checks)) = begun.replace((minute, more)) {
                            take(minute, checks);
                        }
                    }
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        if let Some((minute, checks)) = begun {
            take(minute, checks);
        }
        Ok(())
    }

    /// The first item of `level` that begins within `range`.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn next(
        &self,
        location: &str,
        level: Level,
        range: Range<Minute>,
    ) -> Result<Option<Minute>, HistoryError> {
        if range.is_empty() {
            return Ok(None);
        }
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", self.of(location, level))
            .expression_attribute_values(":from", string(&range.start.to_string()))
            .expression_attribute_values(":to", string(&format!("{}~", Minute(range.end.0 - 1))))
            .projection_expression("sk")
            .consistent_read(true)
            .limit(1)
            .send()
            .await
            .map_err(|error| classify("Query", &self.table, error))?;
        Ok(page
            .items()
            .first()
            .and_then(|item| minute(text(item, SK)?)))
    }

    /// One minute with the run that wrote it; `None` where it is not there.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn minute(
        &self,
        location: &str,
        minute: Minute,
    ) -> Result<Option<(String, ByCheck)>, HistoryError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(PK, self.of(location, Level::Minute))
            .key(SK, string(&minute.to_string()))
            .projection_expression("#run")
            .expression_attribute_names("#run", RUN)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify("GetItem", &self.table, error))?;
        let Some(run) = found.item.as_ref().and_then(|item| text(item, RUN)) else {
            return Ok(None);
        };
        let mut found = None;
        let one = minute..minute.plus(1);
        self.read(location, Level::Minute, one, |_, checks| {
            found = Some(checks);
        })
        .await?;
        Ok(found.map(|checks| (run.to_owned(), checks)))
    }

    fn of(&self, location: &str, level: Level) -> AttributeValue {
        self.partition(&format!("{}#{location}", level.name()))
    }

    /// The series in as many items as they need, each with its sort key.
    fn chunks(&self, first: Minute, checks: &ByCheck) -> Vec<(String, Vec<u8>)> {
        let mut groups: Vec<&[_]> = Vec::new();
        let (mut from, mut bytes) = (0, 0);
        for (at, check) in checks.iter().enumerate() {
            let one = codec::encode(std::iter::once((&*check.0, &check.1))).len();
            if bytes + one > CHUNK && at > from {
                groups.push(&checks[from..at]);
                (from, bytes) = (at, 0);
            }
            bytes += one;
        }
        // Nothing measured is worth an item too: somebody was there.
        groups.push(&checks[from..]);
        let chunk = |(index, group): (usize, &[(_, _)])| {
            let sk = match index {
                0 => first.to_string(),
                _ => format!("{first}#{index}"),
            };
            (
                sk,
                codec::encode(
                    group
                        .iter()
                        .map(|(name, series): &(std::sync::Arc<str>, _)| (&**name, series)),
                ),
            )
        };
        groups.into_iter().enumerate().map(chunk).collect()
    }

    fn put(
        &self,
        location: &str,
        level: Level,
        sk: String,
        data: Vec<u8>,
        run: &str,
        now: Timestamp,
    ) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder()
            .table_name(&self.table)
            .item(PK, self.of(location, level))
            .item(SK, AttributeValue::S(sk))
            .item(RUN, string(run))
            .item(EXPIRES, self.expires(level, now))
            .item(DATA, AttributeValue::B(Blob::new(data)))
    }

    /// Writes all or nothing. The condition on the holder is first or last; any other one that
    /// fails is that of an item.
    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Saved, HistoryError> {
        let is_holder = |write: &TransactWriteItem| write.put.is_none();
        let holder = writes.iter().position(is_holder);
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(Saved::Done),
            Err(error) => error,
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons()
            }
            _ => &[],
        };
        let failed = |reason: &aws_sdk_dynamodb::types::CancellationReason| {
            reason.code() == Some("ConditionalCheckFailed")
        };
        match reasons.iter().position(failed) {
            Some(_) if holder.and_then(|at| reasons.get(at)).is_some_and(failed) => {
                Ok(Saved::NotHeld)
            }
            Some(_) => Ok(Saved::Another),
            None if !reasons.is_empty() => Err(HistoryError::Unreachable {
                // Such as a conflict with another transaction on the same item.
                operation: "TransactWriteItems",
                table: self.table.clone(),
                source: error.into(),
            }),
            None => Err(classify("TransactWriteItems", &self.table, error)),
        }
    }

    fn decode(
        &self,
        item: &HashMap<String, AttributeValue>,
        level: Level,
    ) -> Result<(Minute, ByCheck), HistoryError> {
        let keys = [PK, SK].map(|key| text(item, key).unwrap_or("?"));
        let bad = |source| HistoryError::BadItem {
            table: self.table.clone(),
            key: keys.join(" "),
            source,
        };
        let minute = minute(keys[1]).ok_or_else(|| bad(CodecError::Range("the sort key")))?;
        let data = item.get(DATA).and_then(|data| data.as_b().ok());
        let data = data.ok_or_else(|| bad(CodecError::Short))?;
        let checks = codec::decode(data.as_ref(), level, minute).map_err(bad)?;
        Ok((minute, checks))
    }

    fn invalid(&self, source: Box<dyn std::error::Error + Send + Sync>) -> HistoryError {
        HistoryError::Refused {
            operation: "TransactWriteItems",
            table: self.table.clone(),
            code: "invalid".to_owned(),
            source,
        }
    }
}

fn text<'i>(item: &'i HashMap<String, AttributeValue>, key: &str) -> Option<&'i str> {
    item.get(key)?.as_s().ok().map(String::as_str)
}

/// The minute of a sort key such as `2026-11-05T12:34Z#1`.
fn minute(sk: &str) -> Option<Minute> {
    let name = sk.split('#').next()?.strip_suffix('Z')?;
    let time = humantime::parse_rfc3339(&format!("{name}:00Z")).ok()?;
    Some(Minute::of(time.into()))
}
