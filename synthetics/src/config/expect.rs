//! What must come back, as the prober tests it.

use std::time::Duration;

use super::document as doc;
use super::document::OneOrMany;
use super::problem::Problem;
use super::resolve::Resolver;
use super::tree::Step as At;
use crate::probe::{Assertion, HeaderTest, JsonExpectation, Template, TextTest};

impl Resolver<'_> {
    pub(super) fn assertions(
        &mut self,
        expect: doc::Expect,
        latency: Option<Duration>,
        path: &[At<'_>],
        known: &[String],
    ) -> Vec<Assertion> {
        let status = expect.status.map(OneOrMany::into_vec);
        let status = status.map_or(vec![200..=200], |all| {
            all.into_iter().map(|s| s.0).collect()
        });
        let mut all = vec![Assertion::Status(status)];
        for (index, test) in expect.headers.into_iter().enumerate() {
            let path = [path, &["headers".into(), At::Item(index)]].concat();
            all.extend(self.header_test(test, &path, known));
        }
        if let Some(body) = expect.body {
            let path = [path, &["body".into()]].concat();
            let contains = body.contains.map(OneOrMany::into_vec).unwrap_or_default();
            let lacks = body.lacks.map(OneOrMany::into_vec).unwrap_or_default();
            let matches = body.matches.map(OneOrMany::into_vec).unwrap_or_default();
            let tests = self.texts(contains, &path, "contains", TextTest::Contains, known);
            all.extend(tests.unwrap_or_default().into_iter().map(Assertion::Body));
            let tests = self.texts(lacks, &path, "lacks", TextTest::Lacks, known);
            all.extend(tests.unwrap_or_default().into_iter().map(Assertion::Body));
            let tests = matches.into_iter().map(|regex| TextTest::Matches(regex.0));
            all.extend(tests.map(Assertion::Body));
        }
        for (index, test) in expect.json.into_iter().enumerate() {
            let path = [path, &["json".into(), At::Item(index)]].concat();
            all.extend(self.json_test(test, &path, known));
        }
        all.extend(
            expect
                .certificate_days
                .map(|days| Assertion::CertificateDays(days.into())),
        );
        all.extend(latency.map(Assertion::Latency));
        all
    }

    fn header_test(
        &mut self,
        test: doc::HeaderTest,
        path: &[At<'_>],
        known: &[String],
    ) -> Vec<Assertion> {
        let mut tests = Vec::new();
        for (text, name, make) in [
            (test.is, "is", TextTest::Is as fn(Template) -> TextTest),
            (test.contains, "contains", TextTest::Contains),
            (test.lacks, "lacks", TextTest::Lacks),
        ] {
            let Some(template) = self.optional(text, path, name, known) else {
                continue;
            };
            tests.extend(template.map(make));
        }
        tests.extend(test.matches.map(|regex| TextTest::Matches(regex.0)));
        let header = test.name.0;
        if test.present == Some(false) {
            if !tests.is_empty() {
                let at = self.root.at(&[path, &["present".into()]].concat());
                let message = format!("`{header}` must not be there, and yet has a value to test");
                self.problem(Problem::new(at, message).help("keep `present: false` or the tests"));
            }
            return vec![Assertion::Header(header, HeaderTest::Absent)];
        }
        if tests.is_empty() {
            return vec![Assertion::Header(header, HeaderTest::Present)];
        }
        let value = |test| Assertion::Header(header.clone(), HeaderTest::Value(test));
        tests.into_iter().map(value).collect()
    }

    fn json_test(
        &mut self,
        test: doc::JsonTest,
        path: &[At<'_>],
        known: &[String],
    ) -> Vec<Assertion> {
        let json = test.path.0;
        let mut all = Vec::new();
        all.extend(test.equals.map(JsonExpectation::Equals));
        for (text, name, make) in [
            (test.is, "is", TextTest::Is as fn(Template) -> TextTest),
            (test.contains, "contains", TextTest::Contains),
        ] {
            let Some(template) = self.optional(text, path, name, known) else {
                continue;
            };
            all.extend(template.map(|template| JsonExpectation::Text(make(template))));
        }
        all.extend(
            test.matches
                .map(|regex| JsonExpectation::Text(TextTest::Matches(regex.0))),
        );
        if test.not_empty == Some(true) {
            all.push(JsonExpectation::NotEmpty);
        }
        if test.absent == Some(true) {
            if !all.is_empty() {
                let at = self.root.at(&[path, &["absent".into()]].concat());
                let message = format!("`{json}` must not be there, and yet has a value to test");
                self.problem(Problem::new(at, message).help("keep `absent: true` or the tests"));
            }
            all = vec![JsonExpectation::Absent];
        }
        if all.is_empty() {
            all.push(JsonExpectation::Exists);
        }
        let assertion = |expectation| Assertion::Json(json.clone(), expectation);
        all.into_iter().map(assertion).collect()
    }
}
