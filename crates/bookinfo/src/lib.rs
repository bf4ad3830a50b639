//! The domain of the bookshop: ids, wire types, the catalogue, and (feature `store`) the store on DynamoDB.
//!
//! It knows neither the web server nor any exporter.

pub mod catalogue;
mod ids;
#[cfg(feature = "store")]
pub mod store;
pub mod wire;

pub use ids::{ParseError, ProductId, Reviewer, Stars};
