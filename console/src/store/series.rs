//! Series: what all samples of one metric, one set of tags and one sender have in common, kept once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::dogstatsd::{Cardinality, Metric, Origin};

/// The tags of a series, an event or a service check, sorted, without repeats. A tag is `key:value`, or a `key` alone; a key may
/// come with several values.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Tags(Box<[Box<str>]>);

impl Tags {
    pub(super) fn new(tags: crate::dogstatsd::Tags<'_>) -> Self {
        let mut tags: Vec<Box<str>> = tags.iter().map(Into::into).collect();
        tags.sort();
        tags.dedup();
        Self(tags.into())
    }

    /// These tags.
    pub(crate) fn of(tags: impl IntoIterator<Item = String>) -> Self {
        let mut tags: Vec<Box<str>> = tags.into_iter().map(Into::into).collect();
        tags.sort();
        tags.dedup();
        Self(tags.into())
    }

    /// The value of the first tag with this key; `""` for a key alone.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    }

    /// Whether there is exactly this tag, written as it was sent: `contains("env:prod")`.
    #[must_use]
    pub fn contains(&self, tag: &str) -> bool {
        self.0.binary_search_by(|t| (**t).cmp(tag)).is_ok()
    }

    /// The tags as sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|tag| &**tag)
    }

    /// The tags taken apart at their first colon.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.iter()
            .map(|tag| tag.split_once(':').unwrap_or((tag, "")))
    }

    /// As a map; of a key with several values the last one by order.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<&str, &str> {
        self.pairs().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0
            .iter()
            .map(|tag| size_of::<Box<str>>() + tag.len())
            .sum()
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl serde::Serialize for Tags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// What samples have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The metric's name.
    pub name: Box<str>,
    /// The tags.
    pub tags: Tags,
    /// The sender's container.
    pub container_id: Option<Box<str>>,
    /// The inode of the sender's cgroup.
    pub inode: Option<u64>,
    /// What the admission controller told the sender to say about itself.
    pub external_data: Option<Box<str>>,
    /// How many tags of its container the sender asks for.
    pub cardinality: Option<Cardinality>,
}

/// The series that have samples now, each with the number of its samples.
#[derive(Debug, Default)]
pub(super) struct Registry {
    by_key: HashMap<Key, Entry>,
    /// The key that is looked up: kept to spare an allocation for each sample.
    scratch: Vec<u8>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    series: Arc<Series>,
    samples: u64,
    bytes: usize,
}

/// A sample's hold on its series; it goes back through [`Registry::release`].
pub(super) type Key = Arc<[u8]>;

impl Registry {
    /// The series of a message, which gets one sample more.
    pub(super) fn acquire(&mut self, metric: &Metric<'_>) -> (Key, Arc<Series>) {
        write_key(&mut self.scratch, metric);
        if let Some(entry) = self.by_key.get_mut(self.scratch.as_slice()) {
            entry.samples += 1;
            return (Arc::clone(&entry.key), Arc::clone(&entry.series));
        }
        let key: Key = self.scratch.as_slice().into();
        let Origin {
            container_id,
            inode,
            external_data,
            cardinality,
        } = metric.origin;
        let series = Arc::new(Series {
            name: metric.name.into(),
            tags: Tags::new(metric.tags),
            container_id: container_id.map(Into::into),
            inode,
            external_data: external_data.map(Into::into),
            cardinality,
        });
        // The texts stand in the key and again in the series; the rest is the table's and the counters' share.
        let bytes = 2 * key.len()
            + series.tags.heap_bytes()
            + size_of::<Series>()
            + size_of::<Entry>()
            + 64;
        self.bytes += bytes;
        self.by_key.insert(
            Arc::clone(&key),
            Entry {
                key: Arc::clone(&key),
                series: Arc::clone(&series),
                samples: 1,
                bytes,
            },
        );
        (key, series)
    }

    /// One sample of the series is gone; with the last one the series goes.
    pub(super) fn release(&mut self, key: &Key) {
        let Some(entry) = self.by_key.get_mut(key) else {
            return;
        };
        entry.samples -= 1;
        if entry.samples == 0 {
            self.bytes -= entry.bytes;
            self.by_key.remove(key);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The texts that tell series apart, as sent, with a byte between them that UTF-8 does not have. Tags in another order make another
/// series here, which costs memory, not truth.
fn write_key(key: &mut Vec<u8>, metric: &Metric<'_>) {
    key.clear();
    let origin = metric.origin;
    for part in [
        metric.name,
        metric.tags.as_str(),
        origin.container_id.unwrap_or_default(),
        origin.external_data.unwrap_or_default(),
    ] {
        key.extend_from_slice(part.as_bytes());
        key.push(0xff);
    }
    if let Some(inode) = origin.inode {
        key.extend_from_slice(&inode.to_le_bytes());
    }
    key.push(match origin.cardinality {
        None => 0,
        Some(Cardinality::None) => 1,
        Some(Cardinality::Low) => 2,
        Some(Cardinality::Orchestrator) => 3,
        Some(Cardinality::High) => 4,
    });
}
