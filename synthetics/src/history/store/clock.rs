//! Where a faster clock began, so that every prober and every restart reads the same time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{PK, SK, Store, number, string};
use crate::clock::Timestamp;
use crate::history::error::{HistoryError, classify, written};

const KEY: &str = "clock";
const REAL: &str = "real";
const SHOWN: &str = "shown";

/// A moment in real time, and what the faster clock showed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Real time.
    pub real: Timestamp,
    /// The faster clock.
    pub shown: Timestamp,
}

impl Store {
    /// The anchor of this table's clock; `new` becomes it where there is none.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn anchor(&self, new: Anchor) -> Result<Anchor, HistoryError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, self.partition(KEY))
            .item(SK, string(KEY))
            .item(REAL, number(new.real.as_micros()))
            .item(SHOWN, number(new.shown.as_micros()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        if written("PutItem", &self.table, put)? {
            return Ok(new);
        }
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(PK, self.partition(KEY))
            .key(SK, string(KEY))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify("GetItem", &self.table, error))?;
        Ok(found.item.as_ref().and_then(anchor).unwrap_or(new))
    }
}

fn anchor(item: &HashMap<String, AttributeValue>) -> Option<Anchor> {
    let time = |key: &str| {
        let micros = item.get(key)?.as_n().ok()?.parse().ok()?;
        Some(Timestamp::from_micros(micros))
    };
    Some(Anchor {
        real: time(REAL)?,
        shown: time(SHOWN)?,
    })
}
