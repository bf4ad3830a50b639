//! What can go wrong with the store, told apart.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::Table;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store did not do as asked. A book that is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More than the table's or the account's rate, after all retries.
    #[error("{operation} on {table} was throttled")]
    Throttled {
        /// The call.
        operation: &'static str,
        /// Its table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// The table is not there.
    #[error("table {table} not found: create it with `bookwatch seed` or with Terraform")]
    NoTable {
        /// The table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// Nobody answers, or not in time.
    #[error("{operation} on {table}: the store is out of reach")]
    Unreachable {
        /// The call.
        operation: &'static str,
        /// Its table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// Another writer was faster.
    #[error("{operation} on {table} met another write")]
    Conflict {
        /// The call.
        operation: &'static str,
        /// Its table.
        table: String,
        /// What the SDK said.
        #[source]
        source: Cause,
    },
    /// An item is not what the shop writes.
    #[error("table {table} has an item that cannot be read: {what}")]
    BadData {
        /// The table.
        table: String,
        /// What is wrong with the item.
        what: String,
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
}

impl StoreError {
    /// A word for the class of the error, for `error.type`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::NoTable { .. } => "no_table",
            Self::Unreachable { .. } => "unreachable",
            Self::Conflict { .. } => "conflict",
            Self::BadData { .. } => "bad_data",
            Self::Refused { code, .. } => code,
        }
    }

    /// What a client is told of a failed read of `table`, as upstream says it.
    pub fn for_client(&self, table: Table) -> String {
        let table = table.suffix();
        match self {
            Self::Unreachable { .. } => format!("could not connect to {table} database"),
            _ => format!("could not load {table} from database"),
        }
    }
}

/// What an answer of DynamoDB comes to, whatever was asked and of which table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered, or not in time.
    Unreachable,
    /// More than the table's or the account's rate, after all retries.
    Throttled,
    /// The table is not there.
    NoTable,
    /// The call's own condition does not hold.
    Condition,
    /// Another call was under way on the same item.
    Conflict,
    /// Any other answer, with DynamoDB's code for it.
    Refused(String),
}

impl Failure {
    /// Reads the SDK's error.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let answered = matches!(
            error,
            SdkError::ServiceError(_) | SdkError::ResponseError(_)
        );
        // A transaction says "cancelled" and hides the reason in its text.
        let conflict = || {
            error
                .message()
                .is_some_and(|m| m.contains("TransactionConflict"))
        };
        match error.code() {
            _ if !answered => Self::Unreachable,
            Some(
                "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded",
            ) => Self::Throttled,
            Some("ResourceNotFoundException") => Self::NoTable,
            Some("ConditionalCheckFailedException") => Self::Condition,
            Some("TransactionConflictException" | "TransactionInProgressException") => {
                Self::Conflict
            }
            Some("TransactionCanceledException") if conflict() => Self::Conflict,
            code => Self::Refused(code.unwrap_or("unreadable answer").to_owned()),
        }
    }
}

pub(super) fn classify<E>(operation: &'static str, table: &str, error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let table = table.to_owned();
    let failure = Failure::of(&error);
    let source: Cause = Box::new(error);
    match failure {
        Failure::Unreachable => StoreError::Unreachable {
            operation,
            table,
            source,
        },
        Failure::Throttled => StoreError::Throttled {
            operation,
            table,
            source,
        },
        Failure::NoTable => StoreError::NoTable { table, source },
        Failure::Condition | Failure::Conflict => StoreError::Conflict {
            operation,
            table,
            source,
        },
        Failure::Refused(code) => StoreError::Refused {
            operation,
            table,
            code,
            source,
        },
    }
}
