//! Objectives, alerts and maintenance: names must exist, and numbers must go together.

use std::sync::Arc;
use std::time::Duration;

use super::document as doc;
use super::problem::{Problem, position};
use super::resolve::Resolver;
use super::tree::Step as At;
use crate::objective::{Indicator, Slo, SourceLine};
use crate::slo::burn::{self, BurnAlert};
use crate::slo::maintenance::Maintenance;
use crate::slo::{LocationRule, Percent, Window};

impl Resolver<'_> {
    pub(super) fn slo(&mut self, slo: doc::Slo, index: usize, names: &[String]) -> Slo {
        let path: [At<'_>; 2] = ["slos".into(), At::Item(index)];
        let under = |name| [&path[..], &[At::Key(name)]].concat();
        let indicator = match (slo.availability, slo.latency) {
            (Some(availability), _) => Indicator::Availability {
                min_good: availability
                    .up_from
                    .map_or(Percent::HUNDRED, |share| share.0),
            },
            (None, Some(latency)) => Indicator::Latency {
                within: latency.within.0,
            },
            (None, None) => Indicator::Success,
        };
        let mut on = Vec::new();
        for (at, name) in slo.checks.iter().enumerate() {
            let path = [&under("checks")[..], &[At::Item(at)]].concat();
            let Some(found) = self.find(&name.0, names, &path, "check") else {
                continue;
            };
            if on.contains(&found) {
                let message = format!("`{}` is here twice", name.0);
                let problem = Problem::new(self.root.at(&path), message);
                self.problem(problem.help("its probes would count twice: take one out"));
                continue;
            }
            on.push(found);
        }
        let window = slo.window.map_or(Window::SEVEN_DAYS, |window| window.0);
        let target = slo.target.0;
        let (line, _) = position(self.sources.text, self.root.at(&under("name")).start);
        Slo {
            title: slo.title.unwrap_or_else(|| slo.name.0.clone()),
            rule: match slo.locations {
                None | Some(doc::Rule::AllUp) => LocationRule::AllUp,
                Some(doc::Rule::Majority) => LocationRule::Majority,
                Some(doc::Rule::Pooled) => LocationRule::Pooled,
            },
            window,
            alerts: burn::usual(target, window.period()),
            source: Some(SourceLine {
                file: Arc::clone(self.sources.file),
                line,
            }),
            ..Slo::new(&slo.name.0, target, indicator, on)
        }
    }

    pub(super) fn alert(
        &mut self,
        alert: doc::Alert,
        index: usize,
        names: &[String],
        hooks: &[String],
        slos: &mut [(Slo, Vec<usize>)],
        told: &mut Vec<String>,
    ) {
        let path: [At<'_>; 2] = ["alerts".into(), At::Item(index)];
        let under = |name| [&path[..], &[At::Key(name)]].concat();
        let Some(found) = self.find(&alert.slo.0, names, &under("slo"), "objective") else {
            return;
        };
        if told.contains(&alert.slo.0) {
            let message = format!("`{}` has alerts already", alert.slo.0);
            let problem = Problem::new(self.root.at(&under("slo")), message);
            self.problem(problem.help("put all of them under one entry"));
            return;
        }
        told.push(alert.slo.0);
        let Some((slo, notify)) = slos.get_mut(found) else {
            return;
        };
        if let Some(burns) = alert.burn {
            let period = slo.window.period();
            slo.alerts.clear();
            for (at, entry) in burns.into_iter().enumerate() {
                let path = [&under("burn")[..], &[At::Item(at)]].concat();
                let Some(burn) = self.burn(&entry, slo.target, period, &path) else {
                    continue;
                };
                if slo.alerts.iter().any(|other| other.long() == burn.long()) {
                    let at = self.root.at(&[&path[..], &["long".into()]].concat());
                    let message = "there is an alert over this window already";
                    let help = "keep the one with the lower factor: it fires whenever both do";
                    self.problem(Problem::new(at, message).help(help));
                    continue;
                }
                slo.alerts.push(burn);
            }
        }
        if let Some(names) = alert.notify {
            notify.clear();
            for (at, name) in names.iter().enumerate() {
                let path = [&under("notify")[..], &[At::Item(at)]].concat();
                notify.extend(self.find(&name.0, hooks, &path, "webhook"));
            }
        }
    }

    fn burn(
        &mut self,
        entry: &doc::Burn,
        target: crate::slo::Target,
        period: Duration,
        path: &[At<'_>],
    ) -> Option<BurnAlert> {
        let long = entry.long.0;
        let under = |name| [path, &[At::Key(name)]].concat();
        if long > period {
            let show = humantime::format_duration;
            let message = format!(
                "{} is longer than the objective's window, {}",
                show(long),
                show(period)
            );
            let problem = Problem::new(self.root.at(&under("long")), message);
            self.problem(problem.help("make it the window at most"));
            return None;
        }
        let (name, factor) = match (&entry.factor, &entry.budget) {
            (Some(factor), _) => ("factor", Some(factor.0)),
            (None, Some(share)) => ("budget", burn::factor(share.0, period, long)),
            (None, None) => return None,
        };
        match BurnAlert::new(target, factor?, long) {
            Ok(alert) => Some(alert),
            Err(error) => {
                let help = format!(
                    "it takes a burn rate of at least 1 and below {}, the highest at {target}",
                    burn::maximum(target)
                );
                let at = self.root.at(&under(name));
                self.problem(Problem::new(at, error.to_string()).help(help));
                None
            }
        }
    }

    pub(super) fn maintenance(
        &mut self,
        entry: doc::Maintenance,
        index: usize,
        names: &[String],
    ) -> Maintenance {
        let path: [At<'_>; 2] = ["maintenance".into(), At::Item(index)];
        let under = |name| [&path[..], &[At::Key(name)]].concat();
        let (from, until) = (entry.from.0, entry.until.0);
        let every = entry.every.map(|span| span.0);
        if until <= from {
            let problem = Problem::new(self.root.at(&under("until")), "it ends before it begins");
            self.problem(problem.help("`until` is a moment after `from`"));
        } else if let Some(every) = every
            && every < until.since(from)
        {
            let message = "it begins again before it has ended";
            let problem = Problem::new(self.root.at(&under("every")), message);
            self.problem(problem.help("make `every` as long as it lasts, at least"));
        }
        for (at, name) in entry.slos.iter().flatten().enumerate() {
            let path = [&under("slos")[..], &[At::Item(at)]].concat();
            self.find(&name.0, names, &path, "objective");
        }
        let slos = entry
            .slos
            .map(|slos| slos.into_iter().map(|name| name.0).collect());
        Maintenance {
            name: entry.name,
            from,
            until,
            every,
            slos,
        }
    }
}
