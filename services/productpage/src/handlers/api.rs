//! The JSON interface: what the services say, with one wording for what they cannot say.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use web::{Error, Forwarded};

use crate::backends::{Backend, segment};
use crate::{Shop, views};

/// `GET /api/v1/products`.
pub(crate) async fn products() -> HttpResponse {
    json(views::products_json())
}

/// `GET /api/v1/products/{id}`.
pub(crate) async fn details(request: HttpRequest, shop: Data<Shop>) -> Result<HttpResponse, Error> {
    pass_on(Backend::Details, &request, &shop).await
}

/// `GET /api/v1/products/{id}/reviews`.
pub(crate) async fn reviews(request: HttpRequest, shop: Data<Shop>) -> Result<HttpResponse, Error> {
    pass_on(Backend::Reviews, &request, &shop).await
}

/// `GET /api/v1/products/{id}/ratings`.
pub(crate) async fn ratings(request: HttpRequest, shop: Data<Shop>) -> Result<HttpResponse, Error> {
    pass_on(Backend::Ratings, &request, &shop).await
}

/// JSON for a path under `/api` that is not there.
pub(crate) async fn not_found(request: HttpRequest) -> Result<HttpResponse, Error> {
    Err(Error::new(
        StatusCode::NOT_FOUND,
        format!("no such path: {}", request.path()),
    ))
}

async fn pass_on(
    backend: Backend,
    request: &HttpRequest,
    shop: &Shop,
) -> Result<HttpResponse, Error> {
    let session = shop.sessions.find(request);
    let user = session.as_ref().and_then(|session| session.user());
    let forwarded = Forwarded::from_request(request).with_end_user(user);
    // `/api/v1/products/{id}`: the id as it came, since the router decodes some of it and not all.
    let id = request.uri().path().split('/').nth(4).unwrap_or_default();
    shop.backends
        .json(backend, &segment(id), &forwarded)
        .await
        .map(json)
        .map_err(|failure| Error::new(failure.status(), backend.sorry()).with_cause(failure))
}

fn json(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}
