//! Attribute values and attribute maps.

use std::fmt;
use std::ops::Index;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// The value of an attribute, or the body of a log record.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing: an attribute that is not there, or is there without a value.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// A list, which may mix types.
    List(Box<[Value]>),
    /// A map.
    Map(Attributes),
}

impl Value {
    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The number, whole or not, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a number to show or compare, not to count with"
            )]
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self {
            Some(*truth)
        } else {
            None
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// About how many bytes of heap it holds.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Double(_) => 0,
            Self::Text(text) => allocated(text.len()),
            Self::Bytes(bytes) => allocated(bytes.len()),
            Self::List(list) => list
                .iter()
                .map(|value| size_of::<Self>() + value.heap_bytes())
                .sum(),
            Self::Map(map) => map.heap_bytes(),
        }
    }
}

impl From<AnyValue> for Value {
    /// Nesting is bounded by the decoders (100 levels in protobuf, 128 in JSON), so the recursion is, too.
    fn from(value: AnyValue) -> Self {
        match value.value {
            Some(any_value::Value::StringValue(text)) => Self::Text(text.into()),
            Some(any_value::Value::BoolValue(truth)) => Self::Bool(truth),
            Some(any_value::Value::IntValue(number)) => Self::Int(number),
            Some(any_value::Value::DoubleValue(number)) => Self::Double(number),
            Some(any_value::Value::BytesValue(bytes)) => Self::Bytes(bytes.into()),
            Some(any_value::Value::ArrayValue(array)) => {
                Self::List(array.values.into_iter().map(Self::from).collect())
            }
            Some(any_value::Value::KvlistValue(map)) => Self::Map(map.values.into()),
            // An index into a string table, which only the profiles signal has.
            Some(any_value::Value::StringValueStrindex(_)) | None => Self::Null,
        }
    }
}

impl fmt::Display for Value {
    /// Text bare, everything else as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => f.write_str(&serde_json::to_string(other).map_err(|_| fmt::Error)?),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Double(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.collect_str(&Hex(bytes)),
            Self::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl PartialEq<i64> for Value {
    fn eq(&self, other: &i64) -> bool {
        self.as_i64() == Some(*other)
    }
}

impl PartialEq<bool> for Value {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == Some(*other)
    }
}

/// A map of attributes, sorted by key. Of a repeated key the last one holds.
#[derive(Clone, PartialEq, Default)]
pub struct Attributes(Box<[(Box<str>, Value)]>);

impl Attributes {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// All keys with their values, by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
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

    /// About how many bytes of heap they hold.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(key, value)| {
                size_of::<(Box<str>, Value)>() + allocated(key.len()) + value.heap_bytes()
            })
            .sum()
    }
}

impl<K: Into<Box<str>>> FromIterator<(K, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut entries: Vec<(Box<str>, Value)> = entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect();
        // The sort is stable and `dedup_by` keeps the first, hence the reversal.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self(entries.into())
    }
}

impl From<Vec<KeyValue>> for Attributes {
    fn from(entries: Vec<KeyValue>) -> Self {
        entries
            .into_iter()
            .map(|entry| (entry.key, entry.value.map(Value::from).unwrap_or_default()))
            .collect()
    }
}

/// `attributes["http.route"]`; a key that is not there gives [`Value::Null`] and never panics.
impl Index<&str> for Attributes {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.get(key).unwrap_or(&NULL)
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// What an allocator takes for so many bytes: they come in steps of 16, and small texts are most of what is kept.
pub(crate) fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}

/// Bytes as lower-case hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
