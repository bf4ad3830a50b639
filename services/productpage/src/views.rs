//! The pages as HTML. Templates escape every text by themselves; what goes out unescaped (`|safe`) is
//! only the catalogue's own HTML and drawings.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use askama::Template;
use bookinfo::Stars;
use bookinfo::catalogue::{self, Product};
use bookinfo::wire::{Details, Rating, Review, Reviews};

use crate::session::Session;
use crate::{assets, cover};

/// Nothing from elsewhere, no script at all, forms to this site only, and no frame round it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Room for a product page; a larger one grows.
const PAGE_BYTES: usize = 8 * 1024;

/// Parts of pages that are the same for everybody, made once.
struct Prepared {
    /// Covers by product id.
    covers: Vec<String>,
    /// All books as cards.
    cards: String,
    /// Answer of `GET /api/v1/products`.
    products: Bytes,
}

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| {
    let books = catalogue::products();
    let covers: Vec<String> = books.iter().map(cover::draw).collect();
    let summaries: Vec<_> = books.iter().map(Product::summary).collect();
    Prepared {
        cards: Cards {
            books: books.iter().zip(&covers).collect(),
        }
        .render()
        .unwrap_or_default(), // writing to a string does not fail
        products: serde_json::to_vec(&summaries).unwrap_or_default().into(), // nor do texts and numbers
        covers,
    }
});

/// All books as JSON.
pub(crate) fn products_json() -> Bytes {
    PREPARED.products.clone()
}

/// Makes what is prepared, so that the first visitor does not wait for it.
pub(crate) fn prepare() {
    LazyLock::force(&PREPARED);
    assets::stylesheet();
}

#[derive(Template)]
#[template(path = "cards.html")]
struct Cards<'a> {
    books: Vec<(&'a Product, &'a String)>,
}

/// What every page shows round its content.
pub(crate) struct Frame<'a> {
    user: Option<&'a str>,
    token: &'a str,
}

impl<'a> Frame<'a> {
    fn of(session: &'a Session) -> Self {
        Self {
            user: session.user(),
            token: session.token(),
        }
    }

    fn stylesheet(&self) -> &'static str {
        assets::stylesheet()
    }

    fn icon(&self) -> &'static str {
        assets::icon()
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    cards: &'a str,
}

/// The home page.
pub(crate) fn home(session: &Session) -> String {
    render(&Home {
        frame: Frame::of(session),
        cards: &PREPARED.cards,
    })
}

#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage<'a> {
    frame: Frame<'a>,
    book: &'static Product,
    cover: &'static str,
    details: Option<&'a Details>,
    reviews: Option<&'a Reviews>,
    thanks: Option<Stars>,
    sorry_details: &'static str,
    sorry_reviews: &'static str,
}

/// The page of a book. Without details or reviews it says that they are missing.
pub(crate) fn product(
    session: &Session,
    book: &'static Product,
    details: Option<&Details>,
    reviews: Option<&Reviews>,
    thanks: Option<Stars>,
) -> String {
    use crate::backends::Backend;
    let index = usize::try_from(book.id.get()).unwrap_or(usize::MAX);
    render(&ProductPage {
        frame: Frame::of(session),
        book,
        cover: PREPARED.covers.get(index).map_or("", String::as_str),
        details,
        reviews,
        thanks,
        sorry_details: Backend::Details.sorry(),
        sorry_reviews: Backend::Reviews.sorry(),
    })
}

impl ProductPage<'_> {
    fn stars<'r>(&self, review: &'r Review) -> StarsView<'r> {
        StarsView::of(review)
    }

    /// Name of the instance that answered, where it says one.
    fn served_by(reviews: &Reviews) -> Option<&str> {
        Some(reviews.podname.as_str()).filter(|name| !matches!(*name, "" | "null"))
    }
}

/// The stars of one review.
enum StarsView<'r> {
    None,
    Shown {
        stars: Stars,
        full: &'static str,
        empty: &'static str,
        color: &'static str,
    },
    Unavailable(&'r str),
}

impl<'r> StarsView<'r> {
    fn of(review: &'r Review) -> Self {
        match &review.rating {
            None => Self::None,
            Some(Rating::Unavailable { error }) => Self::Unavailable(error),
            Some(Rating::Stars { stars, color }) => match Stars::try_from(*stars) {
                Ok(stars) => {
                    let (full, empty) = glyphs(stars);
                    Self::Shown {
                        stars,
                        full,
                        empty,
                        color: color_class(color),
                    }
                }
                Err(_) => Self::Unavailable("The rating cannot be read"),
            },
        }
    }
}

fn glyphs(stars: Stars) -> (&'static str, &'static str) {
    const STAR: usize = "★".len();
    let full = usize::from(stars.get()) * STAR;
    (
        "★★★★★".get(..full).unwrap_or_default(),
        "☆☆☆☆☆".get(full..).unwrap_or_default(),
    )
}

/// Class of the style sheet for a star colour. A colour that it does not know is shown as black: texts
/// from elsewhere do not become style.
fn color_class(color: &str) -> &'static str {
    match color {
        "red" => "red",
        "blue" => "blue",
        "green" => "green",
        "orange" => "orange",
        "purple" => "purple",
        _ => "black",
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    frame: Frame<'a>,
    status: u16,
    heading: &'a str,
    text: &'a str,
    /// Marks the service that is missing.
    unavailable: Option<&'static str>,
    back: &'a str,
}

/// A page that says why there is nothing else.
pub(crate) fn notice(
    session: &Session,
    status: StatusCode,
    heading: &str,
    text: &str,
    unavailable: Option<&'static str>,
    back: &str,
) -> String {
    render(&Notice {
        frame: Frame::of(session),
        status: status.as_u16(),
        heading,
        text,
        unavailable,
        back,
    })
}

fn render(template: &impl Template) -> String {
    let mut html = String::with_capacity(PAGE_BYTES);
    // Writing to a string does not fail.
    let _ = template.render_into(&mut html);
    html
}

/// The answer that carries a page.
pub(crate) fn answer(
    status: StatusCode,
    html: String,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        // Every page shows who is signed in and carries a token.
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    for cookie in cookies {
        response.cookie(cookie);
    }
    response.body(html)
}
