//! Trace and span ids.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::value::Hex;

/// Text that is not an id: not hexadecimal, of another length, or all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {digits} hexadecimal digits, not all zero")]
pub struct BadId {
    digits: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id in these bytes; `None` if the length is wrong or all are zero, which W3C Trace Context calls invalid.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let bytes: [u8; $bytes] = bytes.try_into().ok()?;
                bytes.iter().any(|&byte| byte != 0).then_some(Self(bytes))
            }

            /// The bytes, most significant first.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// Lower-case hexadecimal.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Hex(&self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Hex(&self.0), f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = BadId { digits: 2 * $bytes };
                let digits: &[u8; 2 * $bytes] = text.as_bytes().try_into().map_err(|_| bad)?;
                let mut bytes = [0; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let [high, low] = [pair.first(), pair.last()]
                        .map(|digit| digit.and_then(|&digit| char::from(digit).to_digit(16)));
                    let value = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(bad)?;
                    *byte = u8::try_from(value).map_err(|_| bad)?;
                }
                Self::from_bytes(&bytes).ok_or(bad)
            }
        }

        impl PartialEq<str> for $name {
            /// Compares with the hexadecimal form, in either case.
            fn eq(&self, other: &str) -> bool {
                other.parse() == Ok(*self)
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self == **other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id!(
    /// The id of a trace: 16 bytes, 32 hexadecimal digits.
    TraceId,
    16
);
id!(
    /// The id of a span: 8 bytes, 16 hexadecimal digits.
    SpanId,
    8
);

impl TraceId {
    /// The low 64 bits, which Datadog uses as its trace id (`dd.trace_id` in decimal).
    #[must_use]
    pub fn low(&self) -> u64 {
        self.0
            .iter()
            .skip(8)
            .fold(0, |value, &byte| value << 8 | u64::from(byte))
    }
}

impl SpanId {
    /// As a number, as Datadog writes it (`dd.span_id`).
    #[must_use]
    pub fn to_u64(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}
