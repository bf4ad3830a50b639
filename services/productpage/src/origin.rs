//! Where a request says it comes from: the way back after a form, and whether another site sent it.

use actix_web::HttpRequest;
use actix_web::http::header;

/// Where a reader goes who came from nowhere we know.
const DEFAULT: &str = "/productpage";
/// Going back to these would do something again, or nothing.
const ACTIONS: [&str; 3] = ["/login", "/logout", "/productpage/rate"];

/// Path and query of the page that a form was on, or the product page.
///
/// It is always a path of this site: only the path of `Referer` is taken, and only where its host is
/// the one that was asked.
pub(crate) fn way_back(request: &HttpRequest) -> &str {
    let text = |name| request.headers().get(name).and_then(|v| v.to_str().ok());
    match (text(header::REFERER), host(request)) {
        (Some(referer), Some(host)) => path_of(referer, host).unwrap_or(DEFAULT),
        _ => DEFAULT,
    }
}

/// Path and query of `referer` where it is a page of `host`.
pub(crate) fn path_of<'a>(referer: &'a str, host: &str) -> Option<&'a str> {
    let (authority, rest) = split(referer)?;
    if !authority.eq_ignore_ascii_case(host) {
        return None;
    }
    let target = rest.split('#').next().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    // `//host` and `/\host` would name another site; other characters have no place in a header.
    let is_path = path.starts_with('/')
        && !path.starts_with("//")
        && target.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (is_path && !ACTIONS.contains(&path)).then_some(target)
}

/// Whether a browser says that a page of another site made this request.
///
/// `Sec-Fetch-Site` and `Origin` cannot be set by a page. A client that sends neither is no browser
/// that could be misled.
pub(crate) fn is_foreign(request: &HttpRequest) -> bool {
    let headers = request.headers();
    if headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
    {
        return true;
    }
    headers.get(header::ORIGIN).is_some_and(|origin| {
        let authority = origin.to_str().ok().and_then(split).map(|(a, _)| a);
        match (authority, host(request)) {
            (Some(authority), Some(host)) => !authority.eq_ignore_ascii_case(host),
            _ => true, // `null`, or no host to compare with
        }
    })
}

/// Authority and the rest of an HTTP address.
fn split(address: &str) -> Option<(&str, &str)> {
    let rest = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some(rest.split_at(end))
}

/// Host and port that the client asked.
fn host(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_pages_of_the_same_host_are_gone_back_to() {
        let back = |referer| path_of(referer, "shop:9080");
        assert_eq!(back("http://shop:9080/"), Some("/"));
        assert_eq!(
            back("https://SHOP:9080/productpage?id=3#reviews"),
            Some("/productpage?id=3")
        );
        for bad in [
            "",
            "/productpage",
            "http://shop:9080",
            "http://shop:9080?x=/",
            "http://evil/productpage",
            "http://shop:9080@evil/productpage",
            "http://evil@shop:9080/",
            "http://shop:9080.evil/",
            "http://shop:9080//evil/",
            "http://shop:9080/\\evil/",
            "http://shop:9080/a b",
            "http://shop:9080/logout",
            "http://shop:9080/login?x",
            "http://shop:9080/productpage/rate",
            "ftp://shop:9080/",
            "javascript:alert(1)",
        ] {
            assert_eq!(back(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_way_back_never_leaves_the_site(rest in ".{0,40}") {
            for referer in [format!("http://shop{rest}"), rest] {
                if let Some(path) = path_of(&referer, "shop") {
                    let mut bytes = path.bytes();
                    prop_assert_eq!(bytes.next(), Some(b'/'));
                    prop_assert!(!matches!(bytes.next(), Some(b'/' | b'\\')));
                    prop_assert!(path.bytes().all(|b| b.is_ascii_graphic()));
                }
            }
        }
    }
}
