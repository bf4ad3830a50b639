//! A service behind the product page that does what a test tells it, and remembers what it was asked.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::sync::Barrier;

/// A request as the fake got it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query, undecoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// What it answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// With this status and body.
    With(u16, Vec<u8>),
    /// Never.
    Silence,
    /// With the body, once as many others as the barrier wants are waiting as well.
    Together(Arc<Barrier>, Vec<u8>),
}

pub(crate) fn ok(body: &str) -> Answer {
    Answer::With(200, body.as_bytes().to_vec())
}

pub(crate) fn status(status: u16) -> Answer {
    Answer::With(status, br#"{"error":"planned"}"#.to_vec())
}

#[derive(Default)]
struct State {
    /// Answers to give first, each once.
    first: Vec<Answer>,
    then: Option<Answer>,
    asked: Vec<Asked>,
}

/// The fake. It runs until the test ends.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn answering(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        Self::on(listener, answer)
    }

    pub(crate) fn on(listener: TcpListener, answer: Answer) -> Self {
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State {
            then: Some(answer),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(Arc::clone(&shared)))
                .default_service(web::to(handle))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("a listener")
        .run();
        tokio::spawn(server);
        Self { address, state }
    }

    /// Gives these answers first, each once.
    pub(crate) fn first(self, answers: Vec<Answer>) -> Self {
        self.state.lock().expect("not poisoned").first = answers;
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().expect("not poisoned").asked.clone()
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }
}

async fn handle(
    request: HttpRequest,
    body: Bytes,
    state: web::Data<Arc<Mutex<State>>>,
) -> HttpResponse {
    let answer = {
        let mut state = state.lock().expect("not poisoned");
        state.asked.push(Asked {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        match state.first.is_empty() {
            true => state.then.clone().expect("an answer"),
            false => state.first.remove(0),
        }
    };
    let (status, body) = match answer {
        Answer::With(status, body) => (status, body),
        Answer::Silence => {
            // Longer than any time-out of the tests; ends so that the fake can stop.
            tokio::time::sleep(Duration::from_secs(60)).await;
            (200, Vec::new())
        }
        Answer::Together(barrier, body) => {
            barrier.wait().await;
            (200, body)
        }
    };
    HttpResponse::build(StatusCode::from_u16(status).expect("a status"))
        .insert_header(("content-type", "application/json"))
        .body(body)
}

/// A host and port where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("bound").to_string()
}

pub(crate) const DETAILS: &str = r#"{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA","language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}"#;
pub(crate) const REVIEWS_V1: &str = r#"{"id":"0","podname":"reviews-v1-abc","clustername":"null","reviews":[{"reviewer":"Reviewer1","text":"Knots I had forgotten."},{"reviewer":"Reviewer2","text":"Never stops for breath."}]}"#;
pub(crate) const REVIEWS_V3: &str = r#"{"id":"0","podname":"reviews-v3-abc","clustername":"null","reviews":[{"reviewer":"Reviewer1","text":"Knots I had forgotten.","rating":{"stars":5,"color":"red"}},{"reviewer":"Reviewer2","text":"Never stops for breath.","rating":{"stars":4,"color":"black"}}]}"#;
pub(crate) const REVIEWS_UNRATED: &str = r#"{"id":"0","podname":"reviews-v2-abc","clustername":"null","reviews":[{"reviewer":"Reviewer1","text":"Knots I had forgotten.","rating":{"error":"Ratings service is currently unavailable"}}]}"#;
pub(crate) const RATINGS: &str = r#"{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}"#;
