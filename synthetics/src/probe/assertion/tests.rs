use http::HeaderValue;
use serde_json::json;

use super::*;

fn check(status: u16, body: &str, assertion: Assertion) -> Result<(), FailureKind> {
    Answer::new(status, &HeaderMap::new(), body.as_bytes())
        .satisfies(&[assertion], &Variables::new())
        .map_err(|failure| failure.kind)
}

fn status(range: RangeInclusive<u16>) -> Assertion {
    Assertion::Status(vec![range])
}

fn at(path: &str, expectation: JsonExpectation) -> Assertion {
    Assertion::Json(path.parse().expect("a path"), expectation)
}

#[test]
fn status_and_text() {
    assert_eq!(check(200, "", status(200..=299)), Ok(()));
    assert_eq!(check(300, "", status(200..=299)), Err(FailureKind::Status));
    let has = Assertion::Body(TextTest::Contains("needle".into()));
    assert_eq!(check(200, "hay needle", has.clone()), Ok(()));
    assert_eq!(check(200, "", has), Err(FailureKind::Body));
    let lacks = Assertion::Body(TextTest::Lacks("needle".into()));
    assert_eq!(check(200, "hay", lacks.clone()), Ok(()));
    assert_eq!(check(200, "needle", lacks), Err(FailureKind::Body));
}

#[test]
fn json_values() {
    use JsonExpectation::{Absent, Equals, Exists, NotEmpty};
    let body = r#"{"id":0,"list":[],"map":{"a":1}}"#;
    let fails = Err(FailureKind::Json);
    assert_eq!(check(200, body, at("$.id", Exists)), Ok(()));
    assert_eq!(check(200, body, at("$.no", Exists)), fails);
    assert_eq!(check(200, body, at("$.no", Absent)), Ok(()));
    assert_eq!(check(200, body, at("$.id", Absent)), fails);
    assert_eq!(check(200, body, at("$.id", Equals(json!(0)))), Ok(()));
    assert_eq!(check(200, body, at("$.id", Equals(json!("0")))), fails);
    assert_eq!(check(200, body, at("$.no", Equals(json!(0)))), fails);
    assert_eq!(check(200, body, at("$.map", NotEmpty)), Ok(()));
    assert_eq!(check(200, body, at("$.list", NotEmpty)), fails);
    assert_eq!(check(200, body, at("$.id", NotEmpty)), fails);
    assert_eq!(check(200, "<html>", at("$.id", Exists)), fails);
}

#[test]
fn headers_latency_and_certificates() {
    let mut headers = HeaderMap::new();
    headers.append("via", HeaderValue::from_static("a"));
    headers.append("via", HeaderValue::from_static("b"));
    let mut answer = Answer::new(200, &headers, b"");
    answer.duration = Duration::from_millis(100);
    let mut test = |assertion: Assertion, days| {
        answer.certificate_days = days;
        let result = answer.satisfies(&[assertion], &Variables::new());
        result.map_err(|failure| failure.kind)
    };
    let mut header = |name: &'static str, test_: HeaderTest| {
        test(
            Assertion::Header(HeaderName::from_static(name), test_),
            None,
        )
    };
    let is = |text: &str| HeaderTest::Value(TextTest::Is(text.into()));
    let lacks = |text: &str| HeaderTest::Value(TextTest::Lacks(text.into()));
    let fails = Err(FailureKind::Header);
    assert_eq!(header("via", HeaderTest::Present), Ok(()));
    assert_eq!(header("via", HeaderTest::Absent), fails);
    assert_eq!(header("etag", HeaderTest::Absent), Ok(()));
    assert_eq!(header("etag", HeaderTest::Present), fails);
    assert_eq!(header("via", is("b")), Ok(()), "one of them is enough");
    assert_eq!(header("via", is("c")), fails);
    assert_eq!(header("via", lacks("c")), Ok(()));
    assert_eq!(header("via", lacks("b")), fails, "none of them may");
    let ms = Duration::from_millis;
    assert_eq!(
        test(Assertion::Latency(ms(100)), None),
        Ok(()),
        "equality passes"
    );
    assert_eq!(
        test(Assertion::Latency(ms(99)), None),
        Err(FailureKind::Latency)
    );
    let days = Assertion::CertificateDays;
    assert_eq!(test(days(14), Some(14)), Ok(()));
    assert_eq!(test(days(14), Some(13)), Err(FailureKind::Certificate));
    assert_eq!(test(days(0), Some(-1)), Err(FailureKind::Certificate));
    assert_eq!(test(days(0), None), Err(FailureKind::Certificate));
}

#[test]
fn texts_carry_values_and_do_not_show_them() {
    let secret = |_: &str| Some("s3cret".to_owned());
    let template = Template::parse("${T} {{user}}", &secret).expect("it is sound");
    let variables = Variables::from([("user".to_owned(), "ada".to_owned())]);
    let test = TextTest::Contains(template);
    assert_eq!(test.holds("the body", b"<s3cret ada>", &variables), Ok(()));
    let error = test
        .holds("the body", b"", &variables)
        .expect_err("it lacks it");
    assert_eq!(error, "the body lacks `${T} {{user}}`");
    assert!(test.holds("the body", b"", &Variables::new()).is_err());
    let regex = TextTest::Matches(Regex::new("^a.c$").expect("an expression"));
    assert!(regex.holds("", b"abc", &variables).is_ok());
    assert!(regex.holds("", b"abcd", &variables).is_err());
}

#[test]
fn json_as_text() {
    let text = |test| at("$.v", JsonExpectation::Text(test));
    let is = |text: &str| TextTest::Is(text.into());
    assert_eq!(check(200, r#"{"v":"1"}"#, text(is("1"))), Ok(()));
    assert_eq!(check(200, r#"{"v":1}"#, text(is("1"))), Ok(()));
    let fails = Err(FailureKind::Json);
    assert_eq!(check(200, r#"{"v":2}"#, text(is("1"))), fails);
    assert_eq!(check(200, "{}", text(is("1"))), fails);
}

#[test]
fn the_first_broken_assertion_is_told() {
    let assertions = [
        Assertion::Status(vec![200..=200, 300..=399]),
        Assertion::Body(TextTest::Contains("x".into())),
    ];
    let failure = Answer::new(503, &HeaderMap::new(), b"")
        .satisfies(&assertions, &Variables::new())
        .expect_err("both fail");
    assert_eq!(failure.detail, "status 503, expected 200 or 300 to 399");
}
