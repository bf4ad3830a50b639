//! The shopper's journey, and the mix of visits.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::program::{Outcome, start};
use crate::shop::{Reply, Request, Served, Shop};

/// A shop with sessions: sign-in hands out a cookie, the signed-in page a form with a token.
#[derive(Default)]
struct Sessions(Mutex<Vec<String>>);

impl Sessions {
    fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap_or_default();
        let session = request
            .cookie
            .as_deref()
            .and_then(|c| c.strip_prefix("session="))
            .map(str::to_owned);
        let known = |s: &String| self.0.lock().expect("no panic").contains(s);
        match (request.method.as_str(), path) {
            ("POST", "/login") => {
                let mut sessions = self.0.lock().expect("no panic");
                let session = format!("s{}", sessions.len());
                sessions.push(session.clone());
                let user = request.body.strip_prefix("username=");
                assert!(user.is_some_and(|u| !u.is_empty()), "{}", request.body);
                Reply::status(302).with("location", "/productpage").with(
                    "set-cookie",
                    format!("session={session}; Path=/; HttpOnly; SameSite=Lax"),
                )
            }
            ("GET", "/productpage") => match session.filter(known) {
                Some(session) => Reply::ok().body(format!(
                    r#"<form action="/login"><input name="csrf" value="not this"></form>
                       <form method="post" action="/productpage/rate">
                       <input type="hidden" name="csrf" value="token-{session}&amp;=+"></form>"#
                )),
                None => Reply::ok().body(r#"<form action="/login"></form>"#),
            },
            ("POST", "/productpage/rate") => {
                let wanted = session
                    .filter(known)
                    .map(|s| format!("csrf=token-{s}%26%3D%2B"));
                match wanted.is_some_and(|wanted| request.body.ends_with(&wanted)) {
                    true => Reply::status(303).with("location", "/productpage"),
                    false => Reply::status(403),
                }
            }
            ("GET", "/logout") => Reply::status(302)
                .with("location", "/productpage")
                .with("set-cookie", "session=; Max-Age=0; Path=/"),
            _ => Reply::ok(),
        }
    }
}

fn fields(body: &str) -> BTreeMap<&str, &str> {
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect()
}

fn shoppers(seed: &str) -> (Outcome, Vec<Served>) {
    let sessions = Sessions::default();
    let shop = Shop::open(move |_, request| sessions.answer(request));
    let args = "--rate 0 --users 1 --ring-weight 0 --shopper-weight 1 --max-error-rate 0 --seed";
    let mut args: Vec<_> = args.split(' ').collect();
    args.push(seed);
    let load = start(&shop.url(), &args);
    shop.wait_for(7 * 20);
    load.signal("TERM");
    (load.end(), shop.close())
}

#[test]
fn a_shopper_comes_in_looks_signs_in_reads_rates_and_signs_out() {
    let (outcome, served) = shoppers("7");
    assert_eq!(
        outcome.code,
        Some(0),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
    let mut journeys = 0;
    for journey in served.chunks_exact(7) {
        let seen: Vec<_> = journey
            .iter()
            .map(|s| {
                let path = s.request.path.split('?').next().unwrap_or_default();
                (s.request.method.as_str(), path)
            })
            .collect();
        let rated = fields(&journey[5].request.body);
        let id = rated["id"];
        let reviews = format!("/api/v1/products/{id}/reviews");
        assert_eq!(
            seen,
            [
                ("GET", "/"),
                ("GET", "/productpage"),
                ("POST", "/login"),
                ("GET", "/productpage"),
                ("GET", reviews.as_str()),
                ("POST", "/productpage/rate"),
                ("GET", "/logout"),
            ]
        );
        assert_eq!(journey[1].request.path, format!("/productpage?id={id}"));
        assert_eq!(journey[3].request.path, journey[1].request.path);
        assert!(id.parse::<u32>().is_ok_and(|id| id < 12), "book {id}");
        assert!(matches!(rated["stars"], "1" | "2" | "3" | "4" | "5"));
        assert!(
            journey[..3].iter().all(|s| s.request.cookie.is_none()),
            "each visit starts signed out"
        );
        assert!(journey[3..].iter().all(|s| s.request.cookie.is_some()));
        journeys += 1;
    }
    assert!(journeys >= 20);
    let whole = outcome.count("/visits/journeys_whole");
    assert!(whole.abs_diff(journeys) <= 1, "{whole} of {journeys}");
    assert_eq!(outcome.count("/visits/journeys_failed"), 0);
    assert_eq!(outcome.count("/totals/errors"), 0);
    let names: std::collections::BTreeSet<_> = served
        .iter()
        .filter(|s| s.request.path == "/login")
        .map(|s| s.request.body.clone())
        .collect();
    assert!((2..=20).contains(&names.len()), "{names:?}");
}

#[test]
fn a_seed_makes_the_same_choices_again() {
    let choices = |seed| -> Vec<String> {
        let (_, served) = shoppers(seed);
        let of_shopper = |s: Served| format!("{} {}", s.request.path, s.request.body);
        let mut all: Vec<_> = served.into_iter().map(of_shopper).collect();
        all.truncate(140);
        // Tokens are the shop's choice.
        for choice in &mut all {
            choice.truncate(choice.find("&csrf").unwrap_or(choice.len()));
        }
        all
    };
    let first = choices("11");
    assert_eq!(first.len(), 140);
    assert_eq!(first, choices("11"));
    assert_ne!(first, choices("12"));
}

#[test]
fn a_page_without_a_form_to_rate_is_told_and_the_visit_goes_on() {
    let shop = Shop::open(|_, _| Reply::ok());
    let args = "--rate 0 --users 1 --ring-weight 0 --max-error-rate 0";
    let load = start(&shop.url(), &args.split(' ').collect::<Vec<_>>());
    shop.wait_for(60);
    load.signal("TERM");
    let outcome = load.end();
    assert_eq!(outcome.code, Some(0), "no request failed");
    let failed = outcome.count("/visits/journeys_failed");
    assert!(failed >= 9);
    assert_eq!(outcome.count("/visits/rating_forms_missing"), failed);
    assert_eq!(outcome.count("/visits/journeys_whole"), 0);
    assert!(outcome.stdout.contains("no form to rate with"));
    let served = shop.close();
    assert!(served.iter().any(|s| s.request.path == "/logout"));
}

#[test]
fn weights_mix_the_visits_and_a_path_in_the_address_stays() {
    let shop = Shop::open(|_, _| Reply::ok());
    let args = "--rate 0 --users 4 --ring-weight 3 --shopper-weight 1";
    let url = format!("{}/shop/", shop.url());
    let load = start(&url, &args.split(' ').collect::<Vec<_>>());
    shop.wait_for(600);
    load.signal("TERM");
    let outcome = load.end();
    let rounds = outcome.count("/visits/ring_rounds");
    let journeys = outcome.count("/visits/journeys_failed");
    assert!(
        rounds.abs_diff(journeys * 3) <= 12,
        "{rounds} rounds, {journeys} journeys"
    );
    let served = shop.close();
    assert!(served.iter().all(|s| s.request.path.starts_with("/shop/")));
}
