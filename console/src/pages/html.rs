//! The pages: read, place, render. A page is whole without script; script keeps it up to date and draws the charts.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use telemetry::names;

use super::api::MINUTE;
use super::templates::{
    Bar, ChartView, Frame, Kept, LogsPage, MetricsPage, MonitorsPage, NoticePage, OverviewPage,
    ServicePage, SlosPage, TelemetryPage, TracePage, TracesPage,
};
use super::{Site, format, map, query, words};
use crate::intake;
use crate::view::logs::Found;
use crate::view::metrics::Statistic;
use crate::view::{
    health, logs as found_logs, metrics as values, monitors as watched, overview as seen,
    service as one, slos as objectives, traces as found,
};

fn frame(site: &Site, here: &'static str) -> Frame {
    Frame {
        here,
        zone: site.zone.clone(),
    }
}

fn page(template: &impl Template) -> Response {
    let mut html = String::with_capacity(32 * 1024);
    match template.render_into(&mut html) {
        Ok(()) => (
            [(
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            )],
            html,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn services(site: &Site) -> Vec<String> {
    let read = site.store.read(|figures, _| {
        let all = figures.services.sorted();
        all.into_iter().map(|(name, _)| name.to_string()).collect()
    });
    read.unwrap_or_default()
}

pub(super) async fn not_found(State(site): State<Site>, uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        let body =
            axum::Json(serde_json::json!({ "error": "no such path; see /api/v1/openapi.json" }));
        return (StatusCode::NOT_FOUND, body).into_response();
    }
    missing(
        &site,
        "There is no such page",
        "The address may have been mistyped.",
        "/",
    )
}

fn missing(site: &Site, heading: &str, text: &str, back: &str) -> Response {
    let notice = NoticePage {
        frame: frame(site, ""),
        heading,
        text,
        back,
    };
    (StatusCode::NOT_FOUND, page(&notice)).into_response()
}

pub(super) async fn overview(State(site): State<Site>) -> Response {
    let overview = seen::overview(&site.store, MINUTE);
    let monitors = watched::monitors(&site.watch(), site.store.now());
    page(&OverviewPage {
        frame: frame(&site, "/"),
        drawing: map::draw(&overview),
        lone: overview.lone().collect(),
        monitors,
        overview: &overview,
    })
}

pub(super) async fn service(State(site): State<Site>, Path(name): Path<String>) -> Response {
    let age = site.store.limits().age;
    let Some(signals) = one::signals(&site.store, &name, age) else {
        return missing(
            &site,
            "No such service",
            "Nothing has arrived from a service of this name, or it is too long ago.",
            "/",
        );
    };
    let encoded = format::encoded(&name);
    let source = format!("/api/v1/services/{encoded}/signals");
    let charts = signals.iter().enumerate().map(|(at, chart)| {
        let title = match chart.name.as_str() {
            "latency" => "Latency",
            "traffic" => "Traffic",
            "errors" => "Errors: failed of all",
            _ => "Saturation: requests in progress",
        };
        ChartView::new(chart, title.to_owned(), source.clone(), at, &site.zone)
    });
    page(&ServicePage {
        frame: frame(&site, ""),
        signals: charts.collect(),
        routes: seen::routes(&site.store, MINUTE, Some(&name), None),
        encoded,
        name,
    })
}

pub(super) async fn traces(
    State(site): State<Site>,
    Query(query): Query<query::Traces>,
) -> Response {
    let (asked, wrong) = match query.search() {
        Ok(search) => (search, None),
        Err(error) => (found::Search::default(), Some(error.to_string())),
    };
    page(&TracesPage {
        frame: frame(&site, "/traces"),
        services: services(&site),
        lines: found::search(&site.store, &asked),
        asked,
        wrong,
    })
}

pub(super) async fn trace(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let view = intake::trace_id(&id).and_then(|id| found::trace(&site.store, id));
    let Some(view) = view else {
        return missing(
            &site,
            "This trace is not kept",
            "Nothing of it has arrived yet, or it has made room for newer ones.",
            "/traces",
        );
    };
    page(&TracePage {
        frame: frame(&site, ""),
        bars: Bar::all(&view),
        scale: Bar::scale(&view),
        view: &view,
    })
}

pub(super) async fn metrics(
    State(site): State<Site>,
    Query(query): Query<query::Metric>,
) -> Response {
    let metrics = values::list(&site.store);
    let mut query = query;
    if query.name.is_none() {
        // The emitter's gauge is what people come for; without it, whatever is there.
        let gauge = metrics
            .iter()
            .find(|metric| metric.name == names::MY_METRIC.name);
        query.name = gauge.or(metrics.first()).map(|metric| metric.name.clone());
        if gauge.is_some() && query.by.is_none() {
            query.by = Some(names::tag::HOST.to_owned());
        }
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (by, statistic, tags) = (text(&query.by), text(&query.statistic), text(&query.tags));
    let (asked, wrong) = match query.query(site.store.limits().age) {
        Ok(asked) => (asked, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let chart = asked
        .as_ref()
        .and_then(|asked| values::chart(&site.store, asked));
    let chosen = asked
        .as_ref()
        .and_then(|asked| metrics.iter().find(|metric| metric.name == asked.name));
    let view = chart.as_ref().map(|chart| {
        let source = format!(
            "/api/v1/metrics/chart?name={}&by={}&statistic={}&tags={}",
            format::encoded(&chart.name),
            format::encoded(&by),
            format::encoded(&statistic),
            format::encoded(&tags),
        );
        let title = format!("{} ({})", chart.name, chart.statistic.name());
        ChartView::new(chart, title, source, 0, &site.zone)
    });
    let wrong = wrong.or_else(|| {
        (asked.is_some() && view.is_none()).then(|| "no value of this metric is kept".to_owned())
    });
    page(&MetricsPage {
        frame: frame(&site, "/metrics"),
        chosen: query.name.clone(),
        description: chosen.map_or_else(String::new, |metric| metric.description.clone()),
        keys: chosen.map_or_else(Vec::new, |metric| metric.tags.keys().cloned().collect()),
        statistics: chosen.map_or_else(Vec::new, |metric| {
            Statistic::of(metric.shape)
                .iter()
                .map(|statistic| statistic.name())
                .collect()
        }),
        by,
        statistic,
        tags,
        chart: view,
        wrong,
        metrics,
    })
}

pub(super) async fn logs(State(site): State<Site>, Query(query): Query<query::Logs>) -> Response {
    let mut query = query;
    if query.severity.as_deref() == Some("any") {
        query.severity = None;
    }
    let (asked, found, wrong) = match query.filter() {
        Ok(filter) => {
            let found = found_logs::find(&site.store, &filter);
            (filter, found, None)
        }
        Err(error) => (
            found_logs::Filter::default(),
            Found {
                lines: Vec::new(),
                complete: true,
            },
            Some(error.to_string()),
        ),
    };
    page(&LogsPage {
        frame: frame(&site, "/logs"),
        services: services(&site),
        severities: &["any", "debug", "info", "warn", "error", "fatal"],
        asked,
        wrong,
        found,
    })
}

pub(super) async fn slos(State(site): State<Site>) -> Response {
    let charts = [
        (names::SYNTHETICS_SLO_BUDGET, "Error budget left"),
        (names::SYNTHETICS_SLO_BURN_RATE, "Burn rate"),
    ];
    let charts = charts.into_iter().filter_map(|(metric, title)| {
        let asked = values::Query {
            name: metric.name.to_owned(),
            tags: Vec::new(),
            by: Some(names::tag::SLO.to_owned()),
            statistic: None,
            window: site.store.limits().age,
        };
        let chart = values::chart(&site.store, &asked)?;
        let source = format!(
            "/api/v1/metrics/chart?name={}&by={}",
            metric.name,
            names::tag::SLO
        );
        Some(ChartView::new(
            &chart,
            title.to_owned(),
            source,
            0,
            &site.zone,
        ))
    });
    let slos = objectives::slos(&site.store);
    page(&SlosPage {
        frame: frame(&site, "/slos"),
        label: words::demo(&slos),
        slos,
        charts: charts.collect(),
        prober: site.synthetics.as_ref().map(ToString::to_string),
    })
}

pub(super) async fn monitors(State(site): State<Site>) -> Response {
    let watch = site.watch();
    let view = watched::monitors(&watch, site.store.now());
    let rules = watch.rules().iter().map(|rule| rule.sentence()).collect();
    drop(watch);
    page(&MonitorsPage {
        frame: frame(&site, "/monitors"),
        view,
        rules,
    })
}

pub(super) async fn telemetry(State(site): State<Site>) -> Response {
    let health = health::health(&site.store, (site.lost)());
    page(&TelemetryPage {
        frame: frame(&site, "/telemetry"),
        kept: Kept::all(&health),
        health,
    })
}
