//! What can go wrong with the history, told apart.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use bookinfo::store::{ConfigError, Failure};

use super::codec::CodecError;
use super::store::Holder;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the history could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The settings of the store cannot be used.
    #[error("the history has no place")]
    Config(#[from] ConfigError),
    /// The table is not there.
    #[error("table {table} not found: start once with --create-table, or create it with Terraform")]
    NoTable {
        /// The table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// Nobody answers, or not in time; or there is more to do than the table takes.
    #[error("{operation} on {table}: the history is out of reach")]
    Unreachable {
        /// The call.
        operation: &'static str,
        /// Its table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// Any other answer, such as missing rights.
    #[error("{operation} on {table} was refused ({code})")]
    Refused {
        /// The call.
        operation: &'static str,
        /// Its table.
        table: String,
        /// DynamoDB's code, such as `AccessDeniedException`.
        code: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// An item is not what the history writes.
    #[error("table {table} has an item that cannot be read: {key}")]
    BadItem {
        /// The table.
        table: String,
        /// Its keys.
        key: String,
        /// What is wrong with it.
        #[source]
        source: CodecError,
    },
    /// Two probers write the history of one location.
    #[error(
        "another prober is writing the history of location {location}: {holder}. Stop one of the two, or give each its own --location"
    )]
    TwoProbers {
        /// The location.
        location: String,
        /// The other one.
        holder: Holder,
    },
}

impl HistoryError {
    /// Whether it may pass by itself, so that it is worth trying again.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Whether a write with a condition was made: `false` where the condition did not hold.
pub(super) fn written<T, E>(
    operation: &'static str,
    table: &str,
    result: Result<T, SdkError<E>>,
) -> Result<bool, HistoryError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(true),
        Err(error) if Failure::of(&error) == Failure::Condition => Ok(false),
        Err(error) => Err(classify(operation, table, error)),
    }
}

/// Classes what the SDK said.
pub(super) fn classify<E>(operation: &'static str, table: &str, error: SdkError<E>) -> HistoryError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let table = table.to_owned();
    let failure = Failure::of(&error);
    let source: Cause = Box::new(error);
    let refused = |code: &str, source| HistoryError::Refused {
        operation,
        table: table.clone(),
        code: code.to_owned(),
        source,
    };
    match failure {
        Failure::NoTable => HistoryError::NoTable { table, source },
        Failure::Condition => refused("ConditionalCheckFailedException", source),
        Failure::Refused(code) if code != "InternalServerError" => refused(&code, source),
        // Also a fault on DynamoDB's side: what may pass by itself.
        Failure::Unreachable | Failure::Throttled | Failure::Conflict | Failure::Refused(_) => {
            HistoryError::Unreachable {
                operation,
                table,
                source,
            }
        }
    }
}
