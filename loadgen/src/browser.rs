//! Sends one request, reads its whole answer and times it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use goose::goose::{GooseRequest, GooseUser};
use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, Response, Url};
use url::form_urlencoded;

use crate::outage::Outages;
use crate::pacer::{Pacer, Standing, Turn};
use crate::record::{Outcome, Recorder, Sample};
use crate::route::Route;
use crate::stop::Stop;

/// Longest answer that is read; a longer one counts as broken.
const LONGEST_ANSWER: usize = 64 << 20;
/// How much of a page is kept to look for a form in.
const LONGEST_PAGE: usize = 1 << 20;
/// Connections unused for this long are closed, just before the usual server (5 s) would do it while a
/// request is on its way.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What all users share.
pub(crate) struct Site {
    pub(crate) client: Client,
    /// Address of the shop.
    pub(crate) url: Url,
    pub(crate) pacer: Arc<Pacer>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) outages: Outages,
    pub(crate) stop: Stop,
}

/// The client of all users. It follows no redirect, so that every request is one row, takes no proxy from
/// the environment, since that is what would be measured, and keeps no cookies, which belong to a visit.
///
/// # Errors
/// Where no TLS can be set up.
pub(crate) fn client(timeout: Duration, users: u32) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("bookwatch-loadgen/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .connect_timeout(timeout.min(CONNECT_TIMEOUT))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(users as usize)
        .build()
}

/// An answer, as far as a visit looks at it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) ok: bool,
    /// The text, where it was asked for.
    pub(crate) text: String,
}

/// One visit's window on the site: its cookies, and its place in the line for turns.
pub(crate) struct Browser<'a> {
    user: &'a mut GooseUser,
    site: &'a Site,
    cookies: Jar,
    standing: Standing,
}

/// A request to make.
pub(crate) struct Errand<'a> {
    pub(crate) route: Route,
    /// Path and query, from the shop's root.
    pub(crate) path: &'a str,
    /// Fields to post; none for a GET.
    pub(crate) form: &'a [(&'a str, &'a str)],
    /// Whether the visit reads the answer.
    pub(crate) read: bool,
}

impl<'a> Errand<'a> {
    /// A GET whose answer nobody reads.
    pub(crate) fn get(route: Route, path: &'a str) -> Self {
        Self {
            route,
            path,
            form: &[],
            read: false,
        }
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(user: &'a mut GooseUser, site: &'a Site) -> Self {
        Self {
            user,
            site,
            cookies: Jar::default(),
            standing: Standing::Arriving,
        }
    }

    /// Waits for a turn and gets a page that nobody reads. `None` once the run is over.
    pub(crate) async fn get(&mut self, route: Route, path: &str) -> Option<Page> {
        self.run(Errand::get(route, path)).await
    }

    /// Waits for a turn and makes the request. `None` once the run is over.
    pub(crate) async fn run(&mut self, errand: Errand<'_>) -> Option<Page> {
        let turn = self.turn().await?;
        self.send(turn, errand).await
    }

    /// Waits for leave to send the next request. `None` once the run is over.
    pub(crate) async fn turn(&mut self) -> Option<Turn> {
        let turn = tokio::select! {
            turn = self.site.pacer.turn(self.standing) => turn,
            () = self.site.stop.draining() => None,
        };
        if turn.is_none() {
            // The schedule may be through a moment before the run is. Coming back at once to ask again
            // would keep the threads from everything else, the clock that ends the run among it.
            self.site.stop.draining().await;
        }
        self.standing = Standing::Visiting;
        turn
    }

    /// Makes the request and records it. `None` where it was cut off by the end of the run.
    pub(crate) async fn send(&mut self, turn: Turn, errand: Errand<'_>) -> Option<Page> {
        let site = self.site;
        let route = errand.route;
        let sent = Instant::now();
        let (outcome, text) = tokio::select! {
            end = self.exchange(errand) => end,
            () = site.stop.over() => (Outcome::CutOff, String::new()),
        };
        let ended = Instant::now();
        site.recorder.record(&Sample {
            route,
            outcome,
            raw: ended - sent,
            corrected: ended - turn.overdue.unwrap_or(sent).min(sent),
            at: ended - site.pacer.start_time().unwrap_or(sent),
        });
        site.outages.saw(outcome, ended);
        if outcome == Outcome::CutOff {
            return None;
        }
        Some(Page {
            ok: outcome == Outcome::Ok,
            text,
        })
    }

    async fn exchange(&mut self, errand: Errand<'_>) -> (Outcome, String) {
        let failed = |outcome| (outcome, String::new());
        let url = join(&self.site.url, errand.path);
        let mut request = match errand.route.method() {
            "POST" => {
                let body = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(errand.form)
                    .finish();
                self.site
                    .client
                    .post(url.clone())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body)
            }
            _ => self.site.client.get(url.clone()),
        };
        if let Some(cookies) = self.cookies.cookies(&url) {
            request = request.header(COOKIE, cookies);
        }
        let request = GooseRequest::builder()
            .set_request_builder(request)
            .name(errand.route.name())
            .build();
        let response = match self.user.request(request).await.map(|goose| goose.response) {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failed(classify(&error)),
            // Metrics, logs and throttle of the library are off, so nothing is left that could fail.
            Err(_) => return failed(Outcome::Broken),
        };
        let mut set = response.headers().get_all(SET_COOKIE).iter().peekable();
        if set.peek().is_some() {
            self.cookies.set_cookies(&mut set, &url);
        }
        let status = response.status().as_u16();
        match read(response, errand.read).await {
            Err(outcome) => failed(outcome),
            Ok(text) if errand.route.is_expected(status) => (Outcome::Ok, text),
            Ok(text) => (Outcome::Status(status), text),
        }
    }
}

/// Reads the answer to its end, and keeps it where it is wanted.
async fn read(mut response: Response, keep: bool) -> Result<String, Outcome> {
    let mut length = 0;
    let mut page = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
        length += chunk.len();
        if length > LONGEST_ANSWER {
            return Err(Outcome::Broken);
        }
        if keep && page.len() < LONGEST_PAGE {
            page.extend_from_slice(&chunk[..chunk.len().min(LONGEST_PAGE - page.len())]);
        }
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn classify(error: &reqwest::Error) -> Outcome {
    if error.is_connect() {
        Outcome::Connect
    } else if error.is_timeout() {
        Outcome::Timeout
    } else {
        Outcome::Broken
    }
}

/// The shop's address with a path of its own behind whatever path the address has.
fn join(base: &Url, path_and_query: &str) -> Url {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_behind_the_path_of_the_shop() {
        let joined =
            |base: &str, path| join(&Url::parse(base).expect("an address"), path).to_string();
        assert_eq!(joined("http://shop:1", "/"), "http://shop:1/");
        assert_eq!(
            joined("http://shop:1/", "/productpage?id=3"),
            "http://shop:1/productpage?id=3"
        );
        assert_eq!(
            joined("https://gw/books/", "/health"),
            "https://gw/books/health"
        );
    }
}
