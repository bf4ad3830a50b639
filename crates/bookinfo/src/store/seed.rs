//! The catalogue, written into the tables once.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::error::classify;
use super::{Store, StoreError, Table, items};
use crate::{Reviewer, Stars, catalogue};

/// Writes under way at once.
const PARALLEL: usize = 16;

/// How many items a seed added; 0 where they were there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Books.
    pub details: usize,
    /// Reviews.
    pub reviews: usize,
    /// Ratings.
    pub ratings: usize,
}

impl Store {
    /// Writes the catalogue with its reviews and ratings. What is there stays as it is, so it can be
    /// called again at any time.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn seed(&self) -> Result<Seeded, StoreError> {
        let mut rows = Vec::new();
        for book in catalogue::products() {
            rows.push((Table::Details, items::details_item(&book.details())));
            for review in &book.reviews {
                rows.push((
                    Table::Reviews,
                    items::review_item(book.id, review.reviewer, review.text),
                ));
                let valid = |error: crate::ParseError| StoreError::BadData {
                    table: self.tables.name(Table::Ratings).to_owned(),
                    what: error.to_string(),
                };
                let reviewer: Reviewer = review.reviewer.parse().map_err(valid)?;
                let stars = Stars::try_from(review.stars).map_err(valid)?;
                rows.push((
                    Table::Ratings,
                    items::rating_item(book.id, &reviewer, stars),
                ));
            }
        }
        let written: Vec<Option<Table>> =
            stream::iter(rows)
                .map(|(table, item)| async move {
                    Ok(self.put_new(table, item).await?.then_some(table))
                })
                .buffer_unordered(PARALLEL)
                .try_collect()
                .await?;
        let count = |table| written.iter().flatten().filter(|t| **t == table).count();
        Ok(Seeded {
            details: count(Table::Details),
            reviews: count(Table::Reviews),
            ratings: count(Table::Ratings),
        })
    }

    /// Whether the item was new.
    async fn put_new(
        &self,
        table: Table,
        item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>,
    ) -> Result<bool, StoreError> {
        let name = self.tables.name(table);
        let (key, ..) = table.keys()[0];
        let put = self
            .client
            .put_item()
            .table_name(name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", key);
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(classify("PutItem", name, error)),
        }
    }
}
