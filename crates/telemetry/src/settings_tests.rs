use super::*;

proptest::proptest! {
    #[test]
    fn any_endpoint_is_an_address_or_an_error(endpoint in "(https?://)?\\PC{0,30}") {
        let settings = Settings {
            otlp_traces_endpoint: Some(endpoint),
            ..Settings::default()
        };
        if let Ok(Some(endpoint)) = settings.traces_endpoint() {
            let uri: ureq::http::Uri = endpoint.parse().unwrap();
            proptest::prop_assert!(uri.scheme_str() == Some("http") && uri.host().is_some());
        }
    }

    #[test]
    fn any_resource_attributes_give_an_identity(attributes in "\\PC{0,60}|(service.name|service.version|[a-z=,]){0,9}", tags in "\\PC{0,40}") {
        let settings = Settings {
            otel_resource_attributes: Some(attributes),
            dd_tags: Some(tags),
            ..Settings::default()
        };
        let identity = settings.identity("details", "1");
        proptest::prop_assert!(!identity.service.is_empty() && !identity.version.is_empty());
    }

    #[test]
    fn any_text_is_an_address_or_an_error(url in "(udp://|unix://)?\\PC{0,30}") {
        if let Ok(Dogstatsd::Udp(address)) = with_url(&url) {
            proptest::prop_assert!(address.rsplit_once(':').is_some());
        }
    }

    #[test]
    fn any_tags_are_split_without_separators(tags in "\\PC{0,60}") {
        for (key, _) in split_tags(&tags) {
            proptest::prop_assert!(!key.contains([',', ' ', ':']));
        }
    }
}

fn with_url(url: &str) -> Result<Dogstatsd, InitError> {
    Settings {
        dd_dogstatsd_url: Some(url.to_owned()),
        dd_dogstatsd_port: 8125,
        ..Settings::default()
    }
    .dogstatsd()
}

#[test]
fn dogstatsd_address_comes_from_the_url_or_the_agent_host() {
    assert_eq!(
        with_url("udp://agent:9125").unwrap(),
        Dogstatsd::Udp("agent:9125".into())
    );
    assert_eq!(
        with_url("udp://agent").unwrap(),
        Dogstatsd::Udp("agent:8125".into())
    );
    assert_eq!(
        with_url("udp://[::1]").unwrap(),
        Dogstatsd::Udp("[::1]:8125".into())
    );
    assert_eq!(
        with_url("unix:///var/run/datadog/dsd.socket").unwrap(),
        Dogstatsd::Unix("/var/run/datadog/dsd.socket".into())
    );
    let by_host = Settings {
        dd_agent_host: Some("fd00::1".into()),
        dd_dogstatsd_port: 8125,
        ..Settings::default()
    };
    assert_eq!(
        by_host.dogstatsd().unwrap(),
        Dogstatsd::Udp("[fd00::1]:8125".into())
    );
    for bad in [
        "agent:8125",
        "udp://",
        "udp://:8125",
        "udp://agent:port",
        "unix://relative",
        "tcp://x:1",
    ] {
        assert!(with_url(bad).is_err(), "{bad} was taken");
    }
}

#[test]
fn traces_endpoint_follows_the_otel_rules() {
    let mut settings = Settings {
        dd_agent_host: Some("10.0.0.1".into()),
        ..Settings::default()
    };
    assert_eq!(
        settings.traces_endpoint().unwrap().unwrap(),
        "http://10.0.0.1:4318/v1/traces"
    );
    settings.otlp_endpoint = Some("http://c:1/".into());
    assert_eq!(
        settings.traces_endpoint().unwrap().unwrap(),
        "http://c:1/v1/traces"
    );
    settings.otlp_traces_endpoint = Some("http://c:2/x".into());
    assert_eq!(settings.traces_endpoint().unwrap().unwrap(), "http://c:2/x");
    settings.otlp_traces_endpoint = Some("https://c:2/x".into());
    assert!(matches!(
        settings.traces_endpoint(),
        Err(InitError::Scheme(_))
    ));
    settings.otlp_protocol = Some("grpc".into());
    assert!(matches!(
        settings.traces_endpoint(),
        Err(InitError::Protocol(_))
    ));
    settings.otel_sdk_disabled = true;
    assert!(settings.traces_endpoint().unwrap().is_none());
}

#[test]
fn datadog_names_win_over_otel_names() {
    let settings = Settings {
        dd_env: Some("prod".into()),
        otel_service_name: Some("from-otel".into()),
        otel_resource_attributes: Some(
            "service.name=attr,service.version=7,deployment.environment.name=dev".into(),
        ),
        dd_tags: Some("team:books, region:eu lone".into()),
        ..Settings::default()
    };
    let identity = settings.identity("details", "0.1.0");
    assert_eq!(identity.service, "from-otel");
    assert_eq!(identity.env.as_deref(), Some("prod"));
    assert_eq!(identity.version, "7");
    assert_eq!(identity.tags.len(), 3);
    assert_eq!(identity.tags[1], ("region".to_owned(), "eu".to_owned()));
}

#[test]
fn headers_of_traces_win_and_what_is_not_there_is_refused() {
    let mut settings = Settings {
        otlp_headers: "a=1".parse().ok(),
        ..Settings::default()
    };
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    assert_eq!(settings.otlp_headers().unwrap(), pair("a", "1"));
    settings.otlp_traces_headers = "b=2".parse().ok();
    assert_eq!(settings.otlp_headers().unwrap(), pair("b", "2"));
    settings.otlp_traces_headers = "secret".parse().ok();
    let error = settings.otlp_headers().unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    settings.otlp_compression = Some("gzip".into());
    assert!(matches!(
        settings.otlp_headers(),
        Err(InitError::Compression(_))
    ));
}
