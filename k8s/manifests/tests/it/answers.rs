//! What the checks believe of the programs, asked from the programs.

use clap::Parser as _;
use manifests::running::PATHS;
use sandbox::{Engine, Running};
use telemetry::Metrics;

/// What `running::PATHS` says, asked from the programs. The images are asked too, by `Dockerfiles/ci/shop.sh`.
#[tokio::test]
async fn probes_ask_paths_that_are_answered() {
    let engine = Engine::start().await;
    let store = engine.seeded().await;
    let mut details = details::Cli::parse_from(["details", "--port", "0"]);
    details.store = store.clone();
    let mut ratings = ratings::Cli::parse_from(["ratings", "--port", "0"]);
    ratings.store = store.clone();
    let mut reviews = reviews::Cli::parse_from(["reviews", "--port", "0"]);
    reviews.store = store;
    let productpage = productpage::Cli::parse_from(["productpage", "--port", "0"]);
    let off = Metrics::disabled;
    let faults = ratings::Faults::from_now(ratings::Mode::None);
    let servers = [
        (
            "details",
            details::server(&details, off()).await.expect("details"),
        ),
        (
            "ratings",
            ratings::server(&ratings, off(), faults)
                .await
                .expect("ratings"),
        ),
        (
            "reviews",
            reviews::server(&reviews, off()).await.expect("reviews"),
        ),
        (
            "productpage",
            productpage::server(&productpage, off()).expect("productpage"),
        ),
    ];
    let mut asked = Vec::new();
    for (name, server) in servers {
        let port = server.address().port();
        asked.push((
            name,
            format!("http://127.0.0.1:{port}"),
            Some(Running::start(server)),
        ));
    }
    let console = console::Console::bind(console::Config::loopback())
        .await
        .expect("a console");
    asked.push(("console", format!("http://{}", console.address()), None));
    let url = engine
        .store_args()
        .dynamodb_endpoint
        .expect("an engine of our own");
    asked.push(("bookwatch", url, None));
    for (name, base, _running) in &asked {
        let (_, paths) = PATHS
            .iter()
            .find(|(known, _)| known == name)
            .expect("its paths");
        for path in *paths {
            let answer = reqwest::get(format!("{base}{path}"))
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{name} {path}");
        }
    }
}
