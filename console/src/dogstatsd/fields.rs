//! The fields that all messages share: tags, and where the message comes from.

use super::Reason;

/// The tags of a message as sent: a comma-separated list, not yet taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags<'a>(pub(super) &'a str);

impl<'a> Tags<'a> {
    /// The tags in the order sent, empty ones left out.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.0.split(',').filter(|tag| !tag.is_empty())
    }

    /// The list as sent.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// How many tags of the sender's container the Agent is asked to add (`card:`, protocol 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cardinality {
    /// None.
    None,
    /// Those of the host and the image.
    Low,
    /// Also those of the pod.
    Orchestrator,
    /// Also those of the container.
    High,
}

/// What a message says about its sender (protocols 1.2, 1.4, 1.5 and 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin<'a> {
    /// The container id: `c:<id>`, `c:ci-<id>`, or `c:cid-<id>`.
    pub container_id: Option<&'a str>,
    /// The cgroup's inode: `c:in-<inode>`.
    pub inode: Option<u64>,
    /// `e:`, as the admission controller writes it: `it-<init>,cn-<container>,pu-<pod uid>`.
    pub external_data: Option<&'a str>,
    /// `card:`.
    pub cardinality: Option<Cardinality>,
}

impl<'a> Origin<'a> {
    /// Takes the field if it is one of an origin's. `Ok(false)`: it is another field.
    pub(super) fn take(&mut self, field: &'a str) -> Result<bool, Reason> {
        if let Some(list) = field.strip_prefix("c:") {
            self.local_data(list);
        } else if let Some(data) = field.strip_prefix("e:") {
            self.external_data = not_empty(data);
        } else if let Some(cardinality) = field.strip_prefix("card:") {
            self.cardinality = match cardinality {
                "none" => Some(Cardinality::None),
                "low" => Some(Cardinality::Low),
                "orchestrator" => Some(Cardinality::Orchestrator),
                "high" => Some(Cardinality::High),
                _ => return Err(Reason::Cardinality),
            };
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `<id>`, or a list of `ci-<id>` and `in-<inode>`. A part that makes no sense is left out, as the Agent does.
    fn local_data(&mut self, list: &'a str) {
        for part in list.split(',') {
            if let Some(inode) = part.strip_prefix("in-") {
                self.inode = inode.parse().ok();
            } else {
                let id = part
                    .strip_prefix("ci-")
                    .or_else(|| part.strip_prefix("cid-"))
                    .unwrap_or(part);
                self.container_id = not_empty(id).or(self.container_id);
            }
        }
    }
}

pub(super) fn not_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
