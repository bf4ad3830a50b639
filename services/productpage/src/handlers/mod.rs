//! What answers each path.

pub(crate) mod account;
pub(crate) mod api;
pub(crate) mod pages;
pub(crate) mod rate;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self as actix, Data};
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder};

use crate::{Shop, views};

/// A resource that answers `GET` and `HEAD`, and a page with 405 to the rest.
pub(crate) fn with_get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(path, "GET, HEAD").route(web::get_or_head().to(handler))
}

/// A resource that answers only the routes added to it, and a page with 405 to the rest.
pub(crate) fn resource(path: &str, allow: &'static str) -> Resource {
    actix::resource(path).default_service(actix::to(move |request: HttpRequest| async move {
        let text = format!("This address takes {allow} only.");
        let mut response = notice(
            &request,
            StatusCode::METHOD_NOT_ALLOWED,
            "That does not work here",
            &text,
        );
        response
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static(allow));
        response
    }))
}

/// A page for a path that is not there.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    notice(
        &request,
        StatusCode::NOT_FOUND,
        "No such page",
        "There is nothing at this address. All books are on the home page.",
    )
}

/// A page that says what went wrong, with the way home.
fn notice(request: &HttpRequest, status: StatusCode, heading: &str, text: &str) -> HttpResponse {
    notice_with(request, status, heading, text, None, "/")
}

fn notice_with(
    request: &HttpRequest,
    status: StatusCode,
    heading: &str,
    text: &str,
    unavailable: Option<&'static str>,
    back: &str,
) -> HttpResponse {
    let Some(shop) = request.app_data::<Data<Shop>>() else {
        return HttpResponse::new(status); // every app has one, see `server`
    };
    let (session, cookie) = shop.sessions.resume(request);
    let html = views::notice(&session, status, heading, text, unavailable, back);
    views::answer(status, html, cookie)
}
