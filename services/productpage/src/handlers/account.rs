//! Signing in and out.

use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form};
use actix_web::{Error, HttpRequest, HttpResponse};
use serde::Deserialize;

use super::notice;
use crate::session::{Session, parse_name};
use crate::{Shop, origin};

#[derive(Deserialize)]
pub(crate) struct SignIn {
    username: Option<String>,
    csrf: Option<String>,
}

/// `POST /login`: signs in and goes back to the page that the form was on.
///
/// A form without a token is taken from clients that are no browsers, as Bookinfo has it.
pub(crate) async fn login(
    request: HttpRequest,
    shop: Data<Shop>,
    form: Result<Form<SignIn>, Error>,
) -> HttpResponse {
    let form = match form {
        Ok(Form(form)) => form,
        Err(error) => return unreadable(&request, &error),
    };
    if !is_ours(&request, &shop, form.csrf.as_deref()) {
        return forged(&request);
    }
    match parse_name(form.username.as_deref().unwrap_or_default()) {
        Ok(user) => back(&request, shop.sessions.sign_in(user)),
        Err(error) => notice(
            &request,
            StatusCode::BAD_REQUEST,
            "That name does not work",
            &format!("Nobody is signed in: {error}."),
        ),
    }
}

/// `GET /logout`: signs out, unless another site has put the link there.
pub(crate) async fn logout_by_link(request: HttpRequest, shop: Data<Shop>) -> HttpResponse {
    match origin::is_foreign(&request) {
        true => forged(&request),
        false => back(&request, shop.sessions.sign_out()),
    }
}

#[derive(Deserialize)]
pub(crate) struct SignOut {
    csrf: Option<String>,
}

/// `POST /logout`: the form on our pages.
pub(crate) async fn logout(
    request: HttpRequest,
    shop: Data<Shop>,
    form: Result<Form<SignOut>, Error>,
) -> HttpResponse {
    match form {
        Ok(Form(form)) if is_ours(&request, &shop, form.csrf.as_deref()) => {
            back(&request, shop.sessions.sign_out())
        }
        Ok(_) => forged(&request),
        Err(error) => unreadable(&request, &error),
    }
}

/// Whether a form is from one of our pages; without a token, whether nothing says otherwise.
fn is_ours(request: &HttpRequest, shop: &Shop, token: Option<&str>) -> bool {
    match token {
        Some(token) => has_token(shop.sessions.find(request).as_ref(), token),
        None => !origin::is_foreign(request),
    }
}

/// Whether `token` is the one of this session.
pub(super) fn has_token(session: Option<&Session>, token: &str) -> bool {
    session.is_some_and(|session| session.has_token(token))
}

/// The page for a form that is not from a page of this session.
pub(super) fn forged(request: &HttpRequest) -> HttpResponse {
    notice(
        request,
        StatusCode::FORBIDDEN,
        "This form is out of date",
        "It does not belong to your session, so nothing was done. Open the page anew and send it again.",
    )
}

/// The page for a form that cannot be read.
pub(super) fn unreadable(request: &HttpRequest, error: &Error) -> HttpResponse {
    notice(
        request,
        error.as_response_error().status_code(),
        "The form cannot be read",
        "Nothing was done. Open the page anew and send it again.",
    )
}

/// 302 to the page before, as Bookinfo has it.
fn back(request: &HttpRequest, cookie: Cookie<'static>) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, origin::way_back(request)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie)
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_form_is_read_or_refused(body in ".{0,80}") {
            let _ = actix_web::web::Query::<SignIn>::from_query(&body);
            let form = format!("csrf=t&username={body}&other");
            if let Ok(form) = actix_web::web::Query::<SignIn>::from_query(&form) {
                prop_assert_eq!(form.csrf.as_deref(), Some("t"));
                prop_assert!(form.username.is_some());
            }
        }
    }
}
