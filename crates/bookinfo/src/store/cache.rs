//! An optional read-through cache for what hardly ever changes.

use std::future::Future;
use std::time::Duration;

use clap::Args;

use super::StoreError;
use crate::ProductId;

/// Flags of the cache.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Cache")]
pub struct CacheArgs {
    /// Keeps what was read for this long; 0s, the default, reads the database each time.
    #[arg(long, env = "CACHE_TTL", default_value = "0s", value_parser = humantime::parse_duration)]
    pub cache_ttl: Duration,
    /// Most books kept.
    #[arg(long, env = "CACHE_CAPACITY", default_value_t = 1000)]
    pub cache_capacity: u64,
}

/// Values by product, bounded in number and in age. Books that are not there are not kept, and nothing is
/// where the time to live is 0.
#[derive(Clone)]
pub struct Cache<T: Clone + Send + Sync + 'static>(Option<moka::sync::Cache<ProductId, T>>);

impl<T: Clone + Send + Sync + 'static> Cache<T> {
    /// A cache with nothing in it.
    pub fn new(args: &CacheArgs) -> Self {
        Self((!args.cache_ttl.is_zero()).then(|| {
            moka::sync::Cache::builder()
                .max_capacity(args.cache_capacity)
                .time_to_live(args.cache_ttl)
                .build()
        }))
    }

    /// The kept value, or what `read` finds; `looked_up` hears whether it was a hit, where anything is kept.
    ///
    /// # Errors
    /// Those of `read`; errors are not kept.
    pub async fn get_or(
        &self,
        id: ProductId,
        looked_up: impl FnOnce(bool),
        read: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        let Some(cache) = &self.0 else {
            return read.await;
        };
        let kept = cache.get(&id);
        looked_up(kept.is_some());
        if kept.is_some() {
            return Ok(kept);
        }
        let found = read.await?;
        if let Some(value) = &found {
            cache.insert(id, value.clone());
        }
        Ok(found)
    }
}
