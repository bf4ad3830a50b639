//! From what is written to what is meant: names must exist, numbers must go together.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::document as doc;
use super::problem::{Problem, position, suggest};
use super::text::NameText;
use super::tree::{Node, Step as At};
use super::{Config, HistorySink, Location, PlannedCheck, Secret, Sinks, Webhook};
use crate::probe::guard;
use crate::probe::template::{self, Environment};
use crate::probe::{Check, Far, Guard, Request, Retries};
use crate::slo::Percent;

/// Where a check is probed from this often, and has this long, unless something else is said.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
const RETENTION: Duration = Duration::from_secs(400 * 86_400);
/// Largest secret.
const LARGEST_SECRET: u64 = 64 * 1024;

/// Where the parts of a configuration come from.
pub(super) struct Sources<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) text: &'a str,
    pub(super) directory: &'a Path,
    pub(super) environment: &'a Environment<'a>,
}

impl Sources<'_> {
    /// The content of a file that holds a secret, without the line break at its end.
    pub(super) fn file(&self, name: &str) -> Result<String, String> {
        let path = self.directory.join(name.trim());
        let cannot = |error: std::io::Error| format!("`{name}` cannot be read: {error}");
        let file = std::fs::File::open(path).map_err(cannot)?;
        let mut text = String::new();
        file.take(LARGEST_SECRET + 1)
            .read_to_string(&mut text)
            .map_err(cannot)?;
        if text.len() as u64 > LARGEST_SECRET {
            return Err(format!("`{name}` has more than {LARGEST_SECRET} bytes"));
        }
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        Ok(text)
    }
}

pub(super) struct Resolver<'a> {
    pub(super) root: &'a Node,
    pub(super) sources: &'a Sources<'a>,
    pub(super) problems: &'a mut Vec<Problem>,
    pub(super) body_limit: usize,
    guard: Guard,
    /// Whether the file has a list of its own.
    listed: bool,
}

/// Makes a configuration of a document; mistakes are noted.
pub(super) fn resolve(
    mut document: doc::Document,
    root: &Node,
    sources: &Sources<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let allow = document.network.take().and_then(|network| network.allow);
    let defaults = document.defaults.take().unwrap_or_default();
    let mut resolver = Resolver {
        root,
        sources,
        problems,
        body_limit: defaults
            .body_limit
            .as_ref()
            .map_or(Request::BODY_LIMIT, |size| size.0),
        listed: allow.is_some(),
        guard: Guard::new(
            allow
                .unwrap_or_default()
                .into_iter()
                .map(|entry| entry.0)
                .collect(),
        ),
    };
    let names =
        |list: &[NameText]| -> Vec<String> { list.iter().map(|name| name.0.clone()).collect() };
    let check_names: Vec<_> = document
        .checks
        .iter()
        .map(|check| check.name.clone())
        .collect();
    let slo_names: Vec<_> = document.slos.iter().map(|slo| slo.name.clone()).collect();
    let places: Vec<_> = document
        .locations
        .iter()
        .map(|place| place.name.clone())
        .collect();
    let mut sinks = document.sinks.take().unwrap_or_default();
    let hooks: Vec<_> = sinks
        .webhooks
        .iter()
        .map(|hook| hook.name.clone())
        .collect();
    resolver.unique(&check_names, &["checks".into()], "check");
    resolver.unique(&slo_names, &["slos".into()], "objective");
    resolver.unique(&places, &["locations".into()], "location");
    resolver.unique(&hooks, &["sinks".into(), "webhooks".into()], "webhook");
    let (check_names, slo_names, hooks) = (names(&check_names), names(&slo_names), names(&hooks));

    let checks: Vec<_> = std::mem::take(&mut document.checks)
        .into_iter()
        .enumerate()
        .map(|(index, check)| resolver.check(check, index, &defaults))
        .collect();
    let slos: Vec<_> = std::mem::take(&mut document.slos)
        .into_iter()
        .enumerate()
        .map(|(index, slo)| {
            let slo = resolver.slo(slo, index, &check_names);
            let on = slo.checks.iter().filter_map(|at| checks.get(*at)?.as_ref());
            let every = on.map(|planned| planned.interval).min();
            slo.probed(every.unwrap_or_default(), 1)
        })
        .collect();
    let everybody: Vec<usize> = (0..hooks.len()).collect();
    let mut slos: Vec<_> = slos
        .into_iter()
        .map(|slo| (slo, everybody.clone()))
        .collect();
    let mut told: Vec<String> = Vec::new();
    for (index, alert) in document.alerts.into_iter().enumerate() {
        resolver.alert(alert, index, &slo_names, &hooks, &mut slos, &mut told);
    }
    let maintenance: Vec<_> = document
        .maintenance
        .into_iter()
        .enumerate()
        .map(|(index, entry)| resolver.maintenance(entry, index, &slo_names))
        .collect();
    let longest = slos.iter().map(|(slo, _)| slo.window.period()).max();
    let sinks = resolver.sinks(&mut sinks, longest.unwrap_or_default());
    let (slos, notify) = slos.into_iter().unzip();
    Some(Config {
        file: Arc::clone(sources.file),
        guard: resolver.guard,
        checks: checks.into_iter().collect::<Option<_>>()?,
        locations: document.locations.into_iter().map(location).collect(),
        slos,
        notify,
        maintenance,
        sinks,
    })
}

fn location(place: doc::Location) -> Location {
    let share = |share: Percent| share.ratio().to_f64();
    Location {
        title: place.title.unwrap_or_else(|| place.name.0.clone()),
        name: place.name.0.into(),
        far: place.simulated.map(|simulated| Far {
            delay: simulated.delay.0,
            jitter: simulated.jitter.map_or(Duration::ZERO, |jitter| jitter.0),
            loss: simulated.loss.map_or(0.0, |loss| share(loss.0)),
        }),
    }
}

impl Resolver<'_> {
    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn unique(&mut self, names: &[NameText], path: &[At<'_>], what: &str) {
        for (index, name) in names.iter().enumerate() {
            let first = names.iter().position(|other| other.0 == name.0);
            if let Some(first) = first.filter(|first| *first < index) {
                let at = |index| {
                    self.root
                        .at(&[path, &[At::Item(index), "name".into()]].concat())
                };
                let (line, _) = position(self.sources.text, at(first).start);
                let message = format!("there are two of the name `{}`", name.0);
                let help =
                    format!("the other {what} is in line {line}: give one of them another name");
                self.problem(Problem::new(at(index), message).help(help));
            }
        }
    }

    /// Position of `name` in `names`, or a note of what was probably meant.
    pub(super) fn find(
        &mut self,
        name: &str,
        names: &[String],
        path: &[At<'_>],
        what: &str,
    ) -> Option<usize> {
        let found = names.iter().position(|known| known == name);
        if found.is_none() {
            let message = format!("there is no {what} `{name}`");
            let help = suggest(name, names.iter().map(String::as_str));
            self.problem(Problem::new(self.root.at(path), message).help(help));
        }
        found
    }

    /// Notes a host that a check names; with a list, it must be there.
    pub(super) fn host(&mut self, host: &str, path: &[At<'_>]) {
        let bare = host.trim_matches(['[', ']']);
        if !self.listed {
            let address = bare.parse().ok();
            if let Some(what) = address.and_then(guard::protected) {
                let message = format!("`{bare}` is not probed: it is {what}");
                let help =
                    format!("where it is really meant, write `network: {{allow: ['{bare}']}}`");
                self.problem(Problem::new(self.root.at(path), message).help(help));
            }
            self.guard.name(host);
            return;
        }
        let permitted = match bare.parse() {
            Ok(address) => self.guard.permits(bare, address).is_ok(),
            // Where it leads is seen when it is resolved.
            Err(_) => self.guard.permits_name(host) || self.guard.has_networks(),
        };
        if !permitted {
            let message = format!("`{host}` is not in `network.allow`");
            let help = format!(
                "add `- {bare}` there, or leave `network` out to allow what the checks name"
            );
            self.problem(Problem::new(self.root.at(path), message).help(help));
        }
    }

    fn check(
        &mut self,
        mut check: doc::Check,
        index: usize,
        defaults: &doc::Defaults,
    ) -> Option<PlannedCheck> {
        let path: [At<'_>; 2] = ["checks".into(), At::Item(index)];
        let own = |name| self.root.at(&[&path[..], &[At::Key(name)]].concat());
        let (has_timeout, has_interval) = (check.timeout.is_some(), check.interval.is_some());
        let at = match (has_timeout, has_interval) {
            (true, _) => own("timeout"),
            (_, true) => own("interval"),
            _ => own("name"),
        };
        let interval = check.interval.as_ref().or(defaults.interval.as_ref());
        let interval = interval.map_or(INTERVAL, |span| span.0);
        let timeout = check.timeout.as_ref().or(defaults.timeout.as_ref());
        let timeout = timeout.map_or(TIMEOUT, |span| span.0);
        let retries = check.retries.as_ref().or(defaults.retries.as_ref());
        let retries = retries.map_or_else(Retries::default, |retries| Retries {
            most: retries.most,
            pause: retries
                .pause
                .as_ref()
                .map_or(Duration::ZERO, |pause| pause.0),
        });
        let kind = self.kind(&mut check, &path)?;
        let check = Check {
            name: check.name.0.into(),
            kind,
            timeout,
            retries,
        };
        if check.longest() > interval {
            let show = humantime::format_duration;
            let (timeout, all) = (show(timeout), show(check.longest()));
            let attempts = if retries.most > 0 {
                format!(
                    "with {} retries a probe takes up to {all}, longer",
                    retries.most
                )
            } else {
                format!("a timeout of {timeout} is longer")
            };
            let message = format!(
                "`{}`: {attempts} than the interval of {}: probes would overlap",
                check.name,
                show(interval)
            );
            let help = "make the timeout shorter, or the interval longer";
            self.problem(Problem::new(at, message).help(help));
        }
        Some(PlannedCheck { check, interval })
    }

    pub(super) fn sinks(&mut self, sinks: &mut doc::Sinks, longest: Duration) -> Sinks {
        let history = sinks.history.take().map(|history| HistorySink {
            table: history.table,
            retention: history.retention.map_or(RETENTION, |span| span.0),
        });
        if let Some(history) = &history
            && history.retention < longest
        {
            let show = humantime::format_duration;
            let message = format!(
                "history is kept for {}, less than the longest window, {}",
                show(history.retention),
                show(longest)
            );
            let path = ["sinks".into(), "history".into(), "retention".into()];
            let problem = Problem::new(self.root.at(&path), message);
            self.problem(problem.help("keep it for as long as the longest window, at least"));
        }
        let webhooks = std::mem::take(&mut sinks.webhooks);
        let webhooks = webhooks
            .into_iter()
            .enumerate()
            .filter_map(|(index, hook)| {
                let path = [
                    "sinks".into(),
                    "webhooks".into(),
                    At::Item(index),
                    "url".into(),
                ];
                let url = self.secret(&hook.url.0, &path)?;
                let sound = url::Url::parse(url.expose())
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                if !sound {
                    let problem =
                        Problem::new(self.root.at(&path), "`url` is no http or https address");
                    self.problem(problem.help("its text is not shown, because it may be a secret"));
                    return None;
                }
                Some(Webhook {
                    name: hook.name.0,
                    url,
                    slack: matches!(hook.format, Some(doc::WebhookFormat::Slack)),
                })
            });
        Sinks {
            webhooks: webhooks.collect(),
            dogstatsd: sinks.dogstatsd.as_ref().is_none_or(|sink| sink.enabled),
            history,
        }
    }

    pub(super) fn secret(&mut self, text: &str, path: &[At<'_>]) -> Option<Secret> {
        let found = match text.strip_prefix("file:") {
            Some(file) => self.sources.file(file),
            None => template::expand(text, self.sources.environment).map_err(|e| e.to_string()),
        };
        match found {
            Ok(text) => Some(Secret::new(text)),
            Err(error) => {
                let help = "set it, or write a default as `${NAME:-default}`";
                self.problem(Problem::new(self.root.at(path), error).help(help));
                None
            }
        }
    }
}
