//! One metric as DogStatsD has it on the wire: `name:value|kind|#key:value,...`.
//!
//! cadence has a writer for this, which formats and allocates each part; a page makes eight metrics, so that
//! showed. The value comes last here, since counts are summed up by all the rest.

use crate::names::Kind;

/// Writes one metric without its value into an empty line, and returns where the value is missing. `common` are the
/// tags of everything, as [`crate::events::tag_text`] makes them.
pub(crate) fn write(
    line: &mut String,
    name: &str,
    kind: Kind,
    tags: &[(&str, &str)],
    common: &str,
) -> usize {
    line.push_str(name);
    line.push(':');
    let at = line.len();
    line.push_str(match kind {
        Kind::Count => "|c|#",
        Kind::Gauge => "|g|#",
        Kind::Distribution => "|d|#",
    });
    for (key, value) in tags {
        push_tag(line, key, value);
    }
    line.push_str(common);
    if common.is_empty() && line.pop() == Some('#') {
        line.pop(); // no tags at all, and no mark of their beginning
    }
    at
}

/// `key:value,`
fn push_tag(text: &mut String, key: &str, value: &str) {
    text.push_str(key);
    text.push(':');
    let ends = |byte: u8| matches!(byte, b'|' | b',' | b'\n' | b'\r');
    // Every byte is looked at, which goes many at a time; a search for the first one does not.
    match value.bytes().fold(false, |any, byte| any | ends(byte)) {
        false => text.push_str(value),
        // What would end a tag, a metric or a packet becomes `_`.
        true => text.push_str(&value.replace(['|', ',', '\n', '\r'], "_")),
    }
    text.push(',');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(kind: Kind, tags: &[(&str, &str)], common: &str) -> String {
        let mut line = String::new();
        let at = write(&mut line, "n", kind, tags, common);
        line.insert(at, '1');
        line
    }

    #[test]
    fn a_metric_is_written_as_the_protocol_has_it() {
        assert_eq!(
            line(Kind::Count, &[("a", "1")], "service:shop"),
            "n:1|c|#a:1,service:shop"
        );
        assert_eq!(
            line(Kind::Gauge, &[], "service:shop"),
            "n:1|g|#service:shop"
        );
        assert_eq!(line(Kind::Distribution, &[("a", "")], ""), "n:1|d|#a:");
        assert_eq!(line(Kind::Count, &[], ""), "n:1|c");
    }

    proptest! {
        #[test]
        fn no_tag_breaks_the_line(key in "[a-z.]{1,9}", value in "(\\PC|[|,\n\r#:]){0,20}") {
            let line = line(Kind::Count, &[(&key, &value)], "");
            prop_assert!(!line.contains(['\n', '\r', ',']));
            prop_assert_eq!(line.matches('|').count(), 2, "{}", line);
            let (_, tag) = line.split_once("|#").unwrap();
            prop_assert_eq!(tag.chars().count(), key.chars().count() + 1 + value.chars().count());
        }
    }
}
