//! The pages that are only looked at.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use bookinfo::wire::{Details, Reviews};
use bookinfo::{ParseError, ProductId, catalogue};
use serde::Deserialize;
use web::Forwarded;

use super::notice;
use crate::backends::Backend;
use crate::{Shop, views};

/// `GET /health`, as the contract has it.
pub(crate) async fn health() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body("Product page is healthy")
}

/// `GET /`: all books.
pub(crate) async fn home(request: HttpRequest, shop: Data<Shop>) -> HttpResponse {
    let (session, cookie) = shop.sessions.resume(&request);
    views::answer(StatusCode::OK, views::home(&session), cookie)
}

#[derive(Deserialize)]
struct Wanted {
    id: Option<String>,
}

/// The product that a query asks for; without one the first.
fn wanted(query: &str) -> Result<ProductId, ParseError> {
    let Query(wanted) = Query::<Wanted>::from_query(query).map_err(|_| ParseError::ProductId)?;
    wanted.id.map_or(Ok(ProductId::new(0)), |id| id.parse())
}

/// `GET /productpage`: a book with its details and reviews, asked for at the same time.
pub(crate) async fn product(request: HttpRequest, shop: Data<Shop>) -> HttpResponse {
    let Ok(id) = wanted(request.query_string()) else {
        return bad_id(&request);
    };
    let Some(book) = catalogue::product(id) else {
        return no_book(&request);
    };
    let (session, cookie) = shop.sessions.resume(&request);
    let thanks = shop.sessions.thanks(&request, id);
    let forwarded = Forwarded::from_request(&request).with_end_user(session.user());
    let segment = id.to_string();
    let (details, reviews, ()) = tokio::join!(
        shop.backends
            .read::<Details>(Backend::Details, &segment, &forwarded),
        shop.backends
            .read::<Reviews>(Backend::Reviews, &segment, &forwarded),
        shop.backends.flood(shop.flood_factor, &segment, &forwarded),
    );
    let (stars, forget) = thanks.unzip();
    let html = views::product(&session, book, details.as_ref(), reviews.as_ref(), stars);
    views::answer(StatusCode::OK, html, cookie.into_iter().chain(forget))
}

pub(super) fn bad_id(request: &HttpRequest) -> HttpResponse {
    notice(
        request,
        StatusCode::BAD_REQUEST,
        "That is not a book number",
        "A book is asked for by its number, as in /productpage?id=0.",
    )
}

pub(super) fn no_book(request: &HttpRequest) -> HttpResponse {
    notice(
        request,
        StatusCode::NOT_FOUND,
        "No such book",
        "The shop has no book with this number. All books are on the home page.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_query_names_a_product_or_none(query in ".{0,60}", id: i64) {
            let _ = wanted(&query);
            prop_assert_eq!(wanted(&format!("u=normal&id={id}")), Ok(ProductId::new(id)));
        }
    }
}
