//! Checks as the prober takes them, from checks as they are written.

use std::path::Path;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use super::document as doc;
use super::document::OneOrMany;
use super::problem::{Problem, suggest};
use super::resolve::Resolver;
use super::tree::Step as At;
use crate::probe::check::{
    Address, Capture, CaptureFrom, DnsCheck, HttpVersion, Step, TcpCheck, TlsCheck,
};
use crate::probe::tls::{TlsClient, Trust};
use crate::probe::{Kind, Request, Template, TextTest};

/// Days that a certificate must last where nothing else is said.
const CERTIFICATE_DAYS: u16 = 14;

impl Resolver<'_> {
    /// How a check asks; `None` where that has mistakes, which are noted.
    pub(super) fn kind(&mut self, check: &mut doc::Check, path: &[At<'_>]) -> Option<Kind> {
        let under = |name| [path, &[At::Key(name)]].concat();
        if let Some(request) = check.http.take() {
            let request = self.request(request, &under("http"), &[])?;
            return Some(Kind::Http(Box::new(request)));
        }
        if let Some(steps) = check.journey.take() {
            return self.journey(steps, &under("journey"));
        }
        if let Some(tcp) = check.tcp.take() {
            let path = under("tcp");
            self.host(
                &tcp.address.0.host,
                &[&path[..], &["address".into()]].concat(),
            );
            let send = self.optional(tcp.send, &path, "send", &[])?;
            let expect = self.optional(tcp.expect, &path, "expect", &[])?;
            return Some(Kind::Tcp(TcpCheck {
                endpoint: tcp.address.0,
                send,
                expect: expect.map(TextTest::Contains),
                latency: tcp.latency.map(|span| span.0),
            }));
        }
        if let Some(dns) = check.dns.take() {
            let path = under("dns");
            if let Some(server) = &dns.server {
                self.host(&server.0.host, &[&path[..], &["server".into()]].concat());
            }
            let answers = dns.answers.map(OneOrMany::into_vec).unwrap_or_default();
            let answers = self.texts(answers, &path, "answers", TextTest::Is, &[])?;
            return Some(Kind::Dns(DnsCheck {
                name: dns.name.0,
                record: dns.record.map_or(RecordType::A, |record| record.0),
                server: dns.server.map(|server| server.0),
                code: dns.code.map_or(ResponseCode::NoError, |code| code.0),
                answers,
                latency: dns.latency.map(|span| span.0),
            }));
        }
        let tls = check.tls.take()?;
        let path = under("tls");
        self.host(
            &tls.address.0.host,
            &[&path[..], &["address".into()]].concat(),
        );
        let trust = self.trust(tls.trust, &path)?;
        Some(Kind::Tls(TlsCheck {
            endpoint: tls.address.0,
            server_name: tls.server_name,
            certificate_days: tls.certificate_days.unwrap_or(CERTIFICATE_DAYS).into(),
            tls: trust,
            latency: tls.latency.map(|span| span.0),
        }))
    }

    fn journey(&mut self, steps: Vec<doc::Step>, path: &[At<'_>]) -> Option<Kind> {
        let mut known: Vec<String> = Vec::new();
        let mut resolved = Vec::with_capacity(steps.len());
        for (index, step) in steps.into_iter().enumerate() {
            let path = [path, &[At::Item(index)]].concat();
            let request = self.request(step.http, &[&path[..], &["http".into()]].concat(), &known);
            let captures: Vec<_> = step
                .capture
                .into_iter()
                .filter_map(|capture| {
                    let from = capture.json.map(|path| CaptureFrom::Json(path.0));
                    let from = from.or(capture.header.map(|name| CaptureFrom::Header(name.0)));
                    let from = from.or(capture.body.map(|regex| CaptureFrom::Body(regex.0)))?;
                    let name = capture.name;
                    Some(Capture { name, from })
                })
                .collect();
            known.extend(captures.iter().map(|capture| capture.name.clone()));
            resolved.push(request.map(|request| Step {
                name: step.name.0.into(),
                request,
                captures,
            }));
        }
        let steps: Option<Vec<_>> = resolved.into_iter().collect();
        Some(Kind::Journey(steps?.into()))
    }

    /// A request; `known` are the values of a journey that are there by then.
    fn request(
        &mut self,
        request: doc::Request,
        path: &[At<'_>],
        known: &[String],
    ) -> Option<Request> {
        let before = self.problems.len();
        let under = |name| [path, &[At::Key(name)]].concat();
        let url = self.template(&request.url.0, &under("url"), known);
        let address = url.and_then(|url| self.address(url, &under("url")));
        let mut headers = Vec::new();
        for (index, header) in request.headers.into_iter().enumerate() {
            let path = [&under("headers")[..], &[At::Item(index), "value".into()]].concat();
            let Some(value) = self.template(&header.value.0, &path, known) else {
                continue;
            };
            let fits = |text: &str| http::HeaderValue::from_str(text).is_ok();
            if value.fixed().is_some_and(|text| !fits(&text)) {
                let message = format!("the value of `{}` cannot stand in a header", header.name.0);
                let help = "a line break is what it has most often; quote the text, or end its file without one";
                self.problem(Problem::new(self.root.at(&path), message).help(help));
            }
            headers.push((header.name.0, value));
        }
        let body = self.optional(request.body, path, "body", known)?;
        let tls = self.trust(request.trust, path)?;
        let expect = request.expect.unwrap_or_default();
        let timing = expect.latency.as_ref().map(|span| span.0);
        let assertions = self.assertions(expect, timing, &under("expect"), known);
        if self.problems.len() > before {
            return None;
        }
        Some(Request {
            method: request.method.map_or(http::Method::GET, |method| method.0),
            address: address?,
            headers,
            body,
            redirects: request.redirects.unwrap_or(0),
            version: match request.version {
                None | Some(doc::HttpVersion::Auto) => HttpVersion::Auto,
                Some(doc::HttpVersion::One) => HttpVersion::One,
                Some(doc::HttpVersion::Two) => HttpVersion::Two,
            },
            tls,
            body_limit: request.body_limit.map_or(self.body_limit, |size| size.0),
            assertions,
        })
    }

    fn address(&mut self, template: Template, path: &[At<'_>]) -> Option<Address> {
        let at = self.root.at(path);
        let Some(text) = template.fixed() else {
            // The host stands before the first value, or it is not known before the journey.
            return Some(Address::Template(template));
        };
        let help = "write `http://host:port/path` or `https://...`";
        let hidden = template.hides();
        let url = match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) if hidden => {
                drop(url);
                self.problem(
                    Problem::new(at, format!("`{template}` is not http or https")).help(help),
                );
                return None;
            }
            Ok(url) => {
                let message = format!("`{}` is not probed: `url` is http or https", url.scheme());
                self.problem(Problem::new(at, message).help(help));
                return None;
            }
            Err(error) => {
                let message = format!("`{template}` is no address: {error}");
                self.problem(Problem::new(at, message).help(help));
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            let message = "an address with a password would stand in traces and reports";
            let help =
                "send it as a header: `authorization` with `${NAME}` or `file:` in its value";
            self.problem(Problem::new(at, message).help(help));
            return None;
        }
        self.host(url.host_str().unwrap_or_default(), path);
        Some(if hidden {
            Address::Template(template)
        } else {
            Address::Fixed(url)
        })
    }

    fn trust(&mut self, trust: Option<doc::Trust>, path: &[At<'_>]) -> Option<Option<TlsClient>> {
        let Some(trust) = trust else {
            return Some(None);
        };
        let path = [path, &["trust".into()]].concat();
        if let Some(file) = trust.ca {
            let at = self.root.at(&[&path[..], &["ca".into()]].concat());
            let whole = self.sources.directory.join(Path::new(&file));
            let found = CertificateDer::pem_file_iter(&whole)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            match found {
                Ok(roots) if !roots.is_empty() => {
                    return Some(Some(TlsClient::new(Trust::Also(roots))));
                }
                Ok(_) => {
                    let message = format!("`{file}` has no certificate in it");
                    self.problem(Problem::new(at, message).help("it takes a PEM file"));
                }
                Err(error) => {
                    let message = format!("`{file}` cannot be read: {error}");
                    let help = "it takes a PEM file, beside this one or with its whole path";
                    self.problem(Problem::new(at, message).help(help));
                }
            }
            return None;
        }
        Some((trust.everybody == Some(true)).then(|| TlsClient::new(Trust::Everybody)))
    }

    pub(super) fn texts(
        &mut self,
        texts: Vec<super::text::TemplateText>,
        path: &[At<'_>],
        name: &str,
        make: fn(Template) -> TextTest,
        known: &[String],
    ) -> Option<Vec<TextTest>> {
        let path = [path, &[At::Key(name)]].concat();
        let resolved: Vec<_> = texts
            .into_iter()
            .enumerate()
            .map(|(index, text)| {
                let path = [&path[..], &[At::Item(index)]].concat();
                self.template(&text.0, &path, known).map(make)
            })
            .collect();
        resolved.into_iter().collect()
    }

    /// A text that may be left out. `None` is a mistake, `Some(None)` is none.
    pub(super) fn optional(
        &mut self,
        text: Option<super::text::TemplateText>,
        path: &[At<'_>],
        name: &str,
        known: &[String],
    ) -> Option<Option<Template>> {
        let Some(text) = text else {
            return Some(None);
        };
        let path = [path, &[At::Key(name)]].concat();
        self.template(&text.0, &path, known).map(Some)
    }

    pub(super) fn template(
        &mut self,
        text: &str,
        path: &[At<'_>],
        known: &[String],
    ) -> Option<Template> {
        let at = self.root.at(path);
        if let Some(file) = text.strip_prefix("file:") {
            return match self.sources.file(file) {
                Ok(content) => Some(Template::hidden(text, content)),
                Err(error) => {
                    let help = "the file stands beside this one, or is named with its whole path";
                    self.problem(Problem::new(at, error).help(help));
                    None
                }
            };
        }
        let template = match Template::parse(text, self.sources.environment) {
            Ok(template) => template,
            Err(error) => {
                let help = "set it, write a default as `${NAME:-default}`, or `$${` for the two characters";
                self.problem(Problem::new(at, error.to_string()).help(help));
                return None;
            }
        };
        for name in template.variables() {
            if !known.iter().any(|known| known == name) {
                let message = format!("no earlier step picks up `{name}`");
                let help = if known.is_empty() {
                    "only a journey has values, and only after a step with `capture`".to_owned()
                } else {
                    suggest(name, known.iter().map(String::as_str))
                };
                self.problem(Problem::new(at.clone(), message).help(help));
            }
        }
        Some(template)
    }
}
