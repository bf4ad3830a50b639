//! The form that gives stars to a book.

use std::collections::BTreeMap;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form};
use actix_web::{Error, HttpRequest, HttpResponse};
use bookinfo::{ProductId, Stars, catalogue};
use serde::Deserialize;
use web::Forwarded;

use super::account::{forged, has_token, unreadable};
use super::pages::{bad_id, no_book};
use super::{notice, notice_with};
use crate::Shop;
use crate::backends::Backend;

#[derive(Deserialize)]
pub(crate) struct Rate {
    id: Option<String>,
    stars: Option<String>,
    csrf: Option<String>,
}

/// `POST /productpage/rate`: stores the user's stars and goes back to the book.
pub(crate) async fn rate(
    request: HttpRequest,
    shop: Data<Shop>,
    form: Result<Form<Rate>, Error>,
) -> HttpResponse {
    let form = match form {
        Ok(Form(form)) => form,
        Err(error) => return unreadable(&request, &error),
    };
    let session = shop.sessions.find(&request);
    if !has_token(session.as_ref(), form.csrf.as_deref().unwrap_or_default()) {
        return forged(&request);
    }
    let Some(user) = session.as_ref().and_then(|session| session.user()) else {
        return notice(
            &request,
            StatusCode::FORBIDDEN,
            "Sign in to rate",
            "Stars are given under a name. Sign in at the top of the page first.",
        );
    };
    let Ok(id) = form.id.as_deref().unwrap_or_default().parse::<ProductId>() else {
        return bad_id(&request);
    };
    if catalogue::product(id).is_none() {
        return no_book(&request);
    }
    let page = format!("/productpage?id={id}");
    let Ok(stars) = form.stars.as_deref().unwrap_or_default().parse::<Stars>() else {
        return notice_with(
            &request,
            StatusCode::BAD_REQUEST,
            "How many stars?",
            "A book takes 1 to 5 stars. Go back and choose one.",
            None,
            &page,
        );
    };
    let body = serde_json::to_vec(&BTreeMap::from([(user, stars)])).unwrap_or_default(); // texts and numbers
    let forwarded = Forwarded::from_request(&request).with_end_user(Some(user));
    match shop.backends.rate(&id.to_string(), &forwarded, body).await {
        Ok(()) => HttpResponse::SeeOther()
            .insert_header((header::LOCATION, page))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .cookie(shop.sessions.thank(id, stars))
            .finish(),
        Err(failure) => notice_with(
            &request,
            failure.gateway_status(),
            "Your stars are not stored",
            Backend::Ratings.sorry(),
            Some("ratings"),
            &page,
        ),
    }
}
