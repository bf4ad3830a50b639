//! The table itself. Terraform's table is tested against this.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};

use super::{EXPIRES, PK, SK, Store};
use crate::history::error::{HistoryError, classify};

/// How long a new table may take until it can be used.
const ACTIVE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Store {
    /// Creates the table unless it is there, with on-demand billing and a time to live, and waits
    /// until it can be used.
    ///
    /// # Errors
    /// See [`HistoryError`]. Safe to call again, and by two at once.
    pub async fn create_table(&self) -> Result<(), HistoryError> {
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| HistoryError::Refused {
            operation: "CreateTable",
            table: self.table.clone(),
            code: "invalid".to_owned(),
            source: error.into(),
        };
        let mut create = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest);
        for (key, role) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let definition = AttributeDefinition::builder()
                .attribute_name(key)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(invalid)?;
            let element = KeySchemaElement::builder()
                .attribute_name(key)
                .key_type(role)
                .build()
                .map_err(invalid)?;
            create = create.attribute_definitions(definition).key_schema(element);
        }
        match create.send().await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_resource_in_use_exception()) => {}
            Err(error) => return Err(classify("CreateTable", &self.table, error)),
            Ok(_) => {
                self.wait_until_active().await?;
                let live = TimeToLiveSpecification::builder()
                    .attribute_name(EXPIRES)
                    .enabled(true)
                    .build()
                    .map_err(invalid)?;
                self.client
                    .update_time_to_live()
                    .table_name(&self.table)
                    .time_to_live_specification(live)
                    .send()
                    .await
                    .map_err(|error| classify("UpdateTimeToLive", &self.table, error))?;
            }
        }
        self.wait_until_active().await
    }

    async fn wait_until_active(&self) -> Result<(), HistoryError> {
        let wait = async {
            while !self.is_active().await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        match tokio::time::timeout(ACTIVE, wait).await {
            Ok(result) => result,
            Err(elapsed) => Err(HistoryError::Unreachable {
                operation: "CreateTable",
                table: self.table.clone(),
                source: elapsed.into(),
            }),
        }
    }

    async fn is_active(&self) -> Result<bool, HistoryError> {
        let described = self
            .client
            .describe_table()
            .table_name(&self.table)
            .send()
            .await
            .map_err(|error| classify("DescribeTable", &self.table, error))?;
        Ok(described.table.and_then(|t| t.table_status) == Some(TableStatus::Active))
    }
}
