use super::*;

proptest::proptest! {
    #[test]
    fn only_what_the_contract_names_goes_on_and_the_user_is_ours(
        headers in proptest::collection::vec(
            (
                "[a-z-]{1,12}|(end-user|cookie|jwt|baggage|traceparent|x-b3-flags|X-Request-Id)",
                proptest::collection::vec(0..=255_u8, 0..20),
            ),
            0..12,
        ),
        user in proptest::option::of("\\PC{1,20}"),
    ) {
        let mut request = actix_web::test::TestRequest::default();
        for (name, value) in &headers {
            let pair = (
                actix_web::http::header::HeaderName::try_from(name.as_str()),
                actix_web::http::header::HeaderValue::from_bytes(value),
            );
            if let (Ok(name), Ok(value)) = pair {
                request = request.append_header((name, value));
            }
        }
        let request = request.to_http_request();
        let passed = Forwarded::from_request(&request).with_end_user(user.as_deref()).0;
        for (name, value) in &passed {
            proptest::prop_assert!(FORWARDED.contains(&name.as_str()), "{}", name);
            if *name == END_USER {
                proptest::prop_assert_eq!(Some(value.as_bytes()), user.as_deref().map(str::as_bytes));
            } else {
                let came = request.headers().get_all(name.as_str());
                proptest::prop_assert!(came.map(|v| v.as_bytes()).any(|v| v == value.as_bytes()));
            }
        }
        proptest::prop_assert_eq!(passed.contains_key(END_USER), user.is_some());
    }

    #[test]
    fn any_host_makes_a_peer_or_an_error(host in "\\PC{0,40}") {
        let peer = Peer::parse(&host, 9080, "");
        let _ = format!("http://{}/x", peer.authority).parse::<http::Uri>();
    }
}

#[test]
fn hosts_take_a_port_and_a_domain() {
    let authority = |host, domain| Peer::parse(host, 9080, domain).authority;
    assert_eq!(authority("details", ""), "details:9080");
    assert_eq!(
        authority("details", "shop.svc.cluster.local"),
        "details.shop.svc.cluster.local:9080"
    );
    assert_eq!(authority("127.0.0.1:7000", ""), "127.0.0.1:7000");
    assert_eq!(authority("[::1]", ""), "[::1]:9080");
    assert_eq!(authority("[::1]:7000", ""), "[::1]:7000");
}
