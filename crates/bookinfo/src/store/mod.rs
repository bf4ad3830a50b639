//! The books, reviews and ratings in DynamoDB.
//!
//! One item a book, one item a review, one item a rating: two people who rate at once write two items, so
//! neither can undo the other, and the same person's last rating stands.

mod cache;
mod config;
mod error;
mod items;
mod schema;
mod seed;
mod span;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

pub use cache::{Cache, CacheArgs};
pub use config::{ConfigError, StoreArgs, StoreConfig};
pub use error::{Failure, StoreError};
pub use schema::{Table, Tables};
pub use seed::Seeded;

use crate::wire::Details;
use crate::{ProductId, Reviewer, Stars};
use error::classify;

/// A review as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReview {
    /// Who wrote it.
    pub reviewer: String,
    /// The text.
    pub text: String,
}

/// How often a transaction that met another one is tried again.
const CONFLICT_TRIES: u32 = 8;

/// The store. Cheap to clone; make one a worker thread, so that connections stay in their thread.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    spans: span::Spans,
}

impl Store {
    /// Loads the configuration and opens the store.
    ///
    /// # Errors
    /// Where a setting is missing. That the store can be reached is not checked: see [`Store::ping`].
    pub async fn connect(args: &StoreArgs) -> Result<Self, ConfigError> {
        Ok(StoreConfig::load(args).await?.open())
    }

    /// The book's details, `None` for a book that is not there.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn details(&self, id: ProductId) -> Result<Option<Details>, StoreError> {
        let table = self.tables.name(Table::Details);
        let call = self
            .client
            .get_item()
            .table_name(table)
            .key("id", number(id))
            .send();
        let found = self.traced("GetItem", table, call).await?;
        found
            .item
            .map(|item| items::details(id, &item, table))
            .transpose()
    }

    /// The book's reviews in the order of their writers, empty where there are none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn reviews(&self, id: ProductId) -> Result<Vec<StoredReview>, StoreError> {
        let table = self.tables.name(Table::Reviews);
        let rows = self.query(table, id).await?;
        rows.iter().map(|item| items::review(item, table)).collect()
    }

    /// The book's ratings, empty where there are none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn ratings(&self, id: ProductId) -> Result<BTreeMap<Reviewer, Stars>, StoreError> {
        let table = self.tables.name(Table::Ratings);
        let rows = self.query(table, id).await?;
        rows.iter().map(|item| items::rating(item, table)).collect()
    }

    /// Stores ratings, all or none. Other people's ratings stay as they are.
    ///
    /// # Errors
    /// See [`StoreError`]. More than 100 ratings do not fit into one transaction: the service refuses them first.
    pub async fn rate(
        &self,
        id: ProductId,
        ratings: &BTreeMap<Reviewer, Stars>,
    ) -> Result<(), StoreError> {
        let table = self.tables.name(Table::Ratings);
        let mut rows: Vec<_> = ratings
            .iter()
            .map(|(who, stars)| items::rating_item(id, who, *stars))
            .collect();
        match rows.len() {
            0 => Ok(()),
            1 => {
                let item = rows.pop().unwrap_or_default();
                let call = self
                    .client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item))
                    .send();
                self.traced("PutItem", table, call).await.map(drop)
            }
            _ => self.rate_together(table, rows).await,
        }
    }

    async fn rate_together(
        &self,
        table: &str,
        rows: Vec<HashMap<String, AttributeValue>>,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(rows.len());
        for row in rows {
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(row))
                .build()
                .map_err(|e| StoreError::BadData {
                    table: table.to_owned(),
                    what: e.to_string(),
                })?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let mut attempt = 1;
        loop {
            let call = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .send();
            match self.traced("TransactWriteItems", table, call).await {
                // Another transaction holds one of the items: it is over in a moment.
                Err(StoreError::Conflict { .. }) if attempt < CONFLICT_TRIES => {
                    tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                    attempt += 1;
                }
                result => return result.map(drop),
            }
        }
    }

    /// Whether the table answers, for readiness: the call that the service lives on, for no book.
    ///
    /// # Errors
    /// What a read of the table would meet.
    pub async fn ping(&self, table: Table) -> Result<(), StoreError> {
        let nobody = ProductId::new(-1);
        match table {
            Table::Details => self.details(nobody).await.map(drop),
            Table::Reviews => self.reviews(nobody).await.map(drop),
            Table::Ratings => self.ratings(nobody).await.map(drop),
        }
    }

    /// All items of one book, page by page.
    async fn query(
        &self,
        table: &str,
        id: ProductId,
    ) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
        let mut rows = Vec::new();
        let mut start = None;
        loop {
            let call = self
                .client
                .query()
                .table_name(table)
                .key_condition_expression("product_id = :id")
                .expression_attribute_values(":id", number(id))
                .set_exclusive_start_key(start)
                .send();
            let page = self.traced("Query", table, call).await?;
            rows.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Runs one call as a client span and tells its failures apart.
    async fn traced<T, E>(
        &self,
        operation: &'static str,
        table: &str,
        call: impl Future<Output = Result<T, aws_sdk_dynamodb::error::SdkError<E>>>,
    ) -> Result<T, StoreError>
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata
            + std::error::Error
            + Send
            + Sync
            + 'static,
    {
        let span = self.spans.start(operation, table);
        let result = call
            .await
            .map_err(|error| classify(operation, table, error));
        span::end(&span, result.as_ref().err());
        result
    }
}

fn number(id: ProductId) -> AttributeValue {
    AttributeValue::N(id.to_string())
}
