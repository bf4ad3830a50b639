//! Who of several probers says what all of them see.

use super::{EXPIRES, PK, SK, Store, string};
use crate::clock::Timestamp;
use crate::history::error::{HistoryError, written};
use crate::history::minute::Level;

const KEY: &str = "told";

impl Store {
    /// Notes that `what` is told, and whether it was this call that noted it: the first one tells.
    /// `now` is real time; the note is kept as long as minutes are.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn announce(&self, what: &str, now: Timestamp) -> Result<bool, HistoryError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, self.partition(KEY))
            .item(SK, string(what))
            .item(EXPIRES, self.expires(Level::Minute, now))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        written("PutItem", &self.table, put)
    }
}
