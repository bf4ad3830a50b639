//! The tables: names and keys. Terraform's tables are tested against this.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};

use super::error::classify;
use super::{Store, StoreError};

/// One of the shop's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// One item a book: key `id`.
    Details,
    /// One item a review: key `product_id`, `reviewer`.
    Reviews,
    /// One item a rating: key `product_id`, `reviewer`.
    Ratings,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Details, Self::Reviews, Self::Ratings];

    /// Its name without the prefix.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Reviews => "reviews",
            Self::Ratings => "ratings",
        }
    }

    /// Its partition key and, where there is one, its sort key, with their types.
    pub fn keys(self) -> &'static [(&'static str, ScalarAttributeType, KeyType)] {
        match self {
            Self::Details => &[("id", ScalarAttributeType::N, KeyType::Hash)],
            Self::Reviews | Self::Ratings => &[
                ("product_id", ScalarAttributeType::N, KeyType::Hash),
                ("reviewer", ScalarAttributeType::S, KeyType::Range),
            ],
        }
    }
}

/// The tables' whole names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables([String; 3]);

impl Tables {
    /// Names with this prefix, such as `bookwatch-details`.
    pub fn with_prefix(prefix: &str) -> Self {
        Self(Table::ALL.map(|table| format!("{prefix}{}", table.suffix())))
    }

    /// The whole name of one table.
    pub fn name(&self, table: Table) -> &str {
        &self.0[table as usize]
    }
}

impl Store {
    /// Creates the tables that are not there yet, with on-demand billing, and waits until all can be used.
    ///
    /// # Errors
    /// See [`StoreError`]. Safe to call again, and by two at once.
    pub async fn create_tables(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            self.create_table(table).await?;
        }
        for table in Table::ALL {
            while !self.is_active(table).await? {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    async fn create_table(&self, table: Table) -> Result<(), StoreError> {
        let name = self.tables.name(table);
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| StoreError::BadData {
            table: name.to_owned(),
            what: error.to_string(),
        };
        let mut create = self
            .client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest);
        for (key, kind, role) in table.keys() {
            let definition = AttributeDefinition::builder()
                .attribute_name(*key)
                .attribute_type(kind.clone())
                .build()
                .map_err(invalid)?;
            let element = KeySchemaElement::builder()
                .attribute_name(*key)
                .key_type(role.clone())
                .build()
                .map_err(invalid)?;
            create = create.attribute_definitions(definition).key_schema(element);
        }
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_resource_in_use_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(classify("CreateTable", name, error)),
        }
    }

    async fn is_active(&self, table: Table) -> Result<bool, StoreError> {
        let name = self.tables.name(table);
        let described = self
            .client
            .describe_table()
            .table_name(name)
            .send()
            .await
            .map_err(|error| classify("DescribeTable", name, error))?;
        Ok(described.table.and_then(|t| t.table_status) == Some(TableStatus::Active))
    }
}
