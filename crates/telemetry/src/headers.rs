//! `OTEL_EXPORTER_OTLP_HEADERS`: `name=value` pairs separated by commas, values percent-encoded.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use ureq::http::{HeaderName, HeaderValue};

/// A list of headers as it was given. It may hold a key, so it shows nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderList(String);

/// Takes any text: what the parser of the command line refuses it prints. [`crate::init`] checks it.
impl FromStr for HeaderList {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for HeaderList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderList(..)")
    }
}

impl HeaderList {
    /// Names and values; `None` where a part of it is no header.
    pub(crate) fn parse(&self) -> Option<Vec<(String, String)>> {
        let pairs = self.0.split(',').map(str::trim).filter(|p| !p.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
                let name = HeaderName::try_from(name.trim()).ok()?;
                HeaderValue::try_from(&*value).ok()?;
                Some((name.as_str().to_owned(), value.into_owned()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Option<Vec<(String, String)>> {
        let Ok(list) = text.parse::<HeaderList>();
        list.parse()
    }

    #[test]
    fn pairs_are_read_and_values_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parse(" dd-api-key = abc%3D , X-Two=a=b,"),
            Some(vec![pair("dd-api-key", "abc="), pair("x-two", "a=b")])
        );
        assert_eq!(parse(""), Some(vec![]));
        for bad in ["key", "=value", "a b=c", "a=%0a", "a=%ff", "a=1,b"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_shows_nowhere() {
        let list: HeaderList = "dd-api-key=secret".parse().unwrap();
        assert!(!format!("{list:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn any_list_is_headers_or_refused(text in "\\PC{0,40}|([a-z%=, ]|%[0-9a-f]{2}){0,40}") {
            for (name, value) in parse(&text).unwrap_or_default() {
                prop_assert!(HeaderName::try_from(&name).is_ok() && HeaderValue::try_from(&value).is_ok());
            }
        }
    }
}
