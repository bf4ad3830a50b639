//! Posting alerts to webhooks: in order, again after a failure, never for ever, and never in the
//! way of a probe.

mod message;
mod post;
mod queue;
mod retry;
mod slack;

pub use message::{Example, Message, Source, schema};
pub use post::{Answer, Client};
pub use queue::Webhooks;
pub use retry::Patience;
pub use slack::slack;
