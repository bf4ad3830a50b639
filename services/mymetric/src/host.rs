//! The machine that the value speaks of.

/// Characters that end a tag on the wire.
const UNSAFE: [char; 4] = ['|', ',', '\n', '\r'];

/// The value of the tag `host`: what is configured, else the system's host name.
///
/// `None` where both are empty; then the agent adds its own host, as it does for any metric.
pub(crate) fn name(configured: Option<&str>) -> Option<String> {
    let usable = |name: &str| match name.trim() {
        "" => None,
        name => Some(name.replace(UNSAFE, "_")),
    };
    configured
        .and_then(usable)
        .or_else(|| usable(&gethostname::gethostname().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::name;
    use proptest::prelude::*;

    #[test]
    fn the_configured_name_wins() {
        assert_eq!(name(Some(" node-7 ")).as_deref(), Some("node-7"));
    }

    #[test]
    fn an_empty_name_is_no_name() {
        assert_eq!(name(Some("")), name(None));
        assert_eq!(name(Some("  ")), name(None));
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_packet(configured in "(\\PC|[|,\n\r#:]){1,40}") {
            if let Some(host) = name(Some(&configured)) {
                prop_assert!(!host.is_empty() && !host.contains(super::UNSAFE));
            }
        }
    }
}
