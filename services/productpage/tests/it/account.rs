//! Signing in and out, and the cookie that remembers it.

use reqwest::Method;

use crate::shop::{Seen, Shop, client, get, send};

const SESSION: &str = "bookshop_session";

async fn login(shop: &Shop, headers: &[(&str, &str)], form: &str) -> Seen {
    send(Method::POST, shop.address, "/login", headers, Some(form)).await
}

/// `name=value` of the session cookie.
fn pair(seen: &Seen) -> String {
    let cookie = seen.cookie(SESSION).expect("a session");
    cookie.split(';').next().expect("its pair").to_owned()
}

async fn signed_in(shop: &Shop, cookie: &str) -> bool {
    let page = get(shop.address, "/productpage", &[("cookie", cookie)]).await;
    page.body.contains(r#"<strong id="user">"#)
}

#[tokio::test]
async fn login_works_as_in_bookinfo() {
    let shop = Shop::good().await;
    let seen = login(&shop, &[], "username=jason&passwd=x").await;
    assert_eq!(
        (seen.status, seen.header("location")),
        (302, "/productpage")
    );
    let cookie = seen.cookie(SESSION).unwrap();
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(flag), "{flag}: {cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Domain"));
    let page = get(shop.address, "/", &[("cookie", &pair(&seen))]).await;
    assert!(page.body.contains(r#"<strong id="user">jason</strong>"#));
    assert!(
        page.cookie(SESSION).is_none(),
        "a fresh session is not written anew"
    );
}

#[tokio::test]
async fn cookies_are_secure_where_asked() {
    let shop = Shop::with(&["--cookie-secure"]).await;
    for seen in [shop.get("/").await, login(&shop, &[], "username=a").await] {
        assert!(seen.cookie(SESSION).unwrap().contains("; Secure"));
    }
}

#[tokio::test]
async fn the_way_back_is_the_page_of_the_form() {
    let shop = Shop::good().await;
    let here = format!("http://{}", shop.address);
    for (referer, location) in [
        (format!("{here}/productpage?id=3"), "/productpage?id=3"),
        (format!("{here}/"), "/"),
        (format!("{here}//evil.example/"), "/productpage"),
        (format!("{here}/logout"), "/productpage"),
        (
            "http://evil.example/productpage?id=3".into(),
            "/productpage",
        ),
        (format!("{here}.evil.example/"), "/productpage"),
        (format!("{here}@evil.example/"), "/productpage"),
        ("/productpage?id=3".into(), "/productpage"),
        ("\\\\evil.example".into(), "/productpage"),
    ] {
        let headers = [("referer", referer.as_str())];
        let seen = login(&shop, &headers, "username=a").await;
        assert_eq!(
            (seen.status, seen.header("location")),
            (302, location),
            "{referer}"
        );
        let seen = get(shop.address, "/logout", &headers).await;
        assert_eq!(
            (seen.status, seen.header("location")),
            (302, location),
            "{referer}"
        );
    }
}

#[tokio::test]
async fn names_that_do_not_work_are_refused_with_a_page() {
    let shop = Shop::good().await;
    let long = format!("username={}", "x".repeat(65));
    for form in [
        "",
        "username=",
        "username=++",
        "user=a",
        "username=a%0d%0aend-user:+b",
        "username=a%00",
        "username=a%7f",
        "username=a&username=b",
        &long,
    ] {
        let seen = login(&shop, &[], form).await;
        assert_eq!(seen.status, 400, "{form}");
        assert!(seen.is_html(), "{form}");
        assert!(!seen.body.contains(r#"<strong id="user">"#));
    }
    let longest = format!("username=+{}+", "%E6%9D%8E".repeat(64));
    let seen = login(&shop, &[], &longest).await;
    assert_eq!(seen.status, 302);
    assert!(signed_in(&shop, &pair(&seen)).await);
}

#[tokio::test]
async fn forms_that_cannot_be_read_are_refused_with_a_page() {
    let shop = Shop::good().await;
    let huge = format!("username={}", "x".repeat(100 * 1024));
    let seen = login(&shop, &[], &huge).await;
    assert_eq!(seen.status, 413);
    assert!(seen.is_html());
    let client = client().build().unwrap();
    for path in ["/login", "/logout", "/productpage/rate"] {
        let seen = client
            .post(format!("http://{}{path}", shop.address))
            .header("content-type", "application/json")
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(seen.status().as_u16(), 400, "{path}");
    }
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_in_or_out() {
    let shop = Shop::good().await;
    let here = format!("http://{}", shop.address);
    for header in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let seen = login(&shop, &[header], "username=a").await;
        assert_eq!(seen.status, 403, "{header:?}");
        assert!(seen.is_html());
        let seen = send(Method::POST, shop.address, "/logout", &[header], Some("")).await;
        assert_eq!(seen.status, 403, "{header:?}");
    }
    let seen = get(shop.address, "/logout", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(seen.status, 403);
    assert!(!seen.header("set-cookie").contains("Max-Age=0"));
    for header in [("origin", here.as_str()), ("sec-fetch-site", "same-origin")] {
        assert_eq!(login(&shop, &[header], "username=a").await.status, 302);
    }
}

#[tokio::test]
async fn a_token_of_another_session_is_refused() {
    let shop = Shop::good().await;
    let (ours, theirs) = (shop.browser(), shop.browser());
    let (token, other) = (ours.get("/").await.token(), theirs.get("/").await.token());
    assert_ne!(token, other);
    for wrong in [other.as_str(), "", "x"] {
        for path in ["/login", "/logout"] {
            let form = format!("username=a&csrf={wrong}");
            let seen = ours.post(path, &form).await;
            assert_eq!(seen.status, 403, "{path} with `{wrong}`");
        }
    }
    // Without its cookie a token is nobody's.
    let form = format!("username=a&csrf={token}");
    assert_eq!(login(&shop, &[], &form).await.status, 403);
    assert_eq!(ours.post("/login", &form).await.status, 302);
    let after = ours.get("/").await;
    assert!(after.body.contains(r#"<strong id="user">a</strong>"#));
    assert_ne!(after.token(), token, "the token outlives the sign-in");
}

#[tokio::test]
async fn logout_forgets_the_user() {
    let shop = Shop::good().await;
    let browser = shop.browser();
    for by_form in [true, false] {
        browser.sign_in("ada").await;
        let page = browser.get("/").await;
        assert!(page.body.contains(r#"<strong id="user">ada</strong>"#));
        let seen = match by_form {
            true => {
                browser
                    .post("/logout", &format!("csrf={}", page.token()))
                    .await
            }
            false => browser.get("/logout").await,
        };
        assert_eq!(
            (seen.status, seen.header("location")),
            (302, "/productpage")
        );
        let cookie = seen.cookie(SESSION).unwrap();
        assert!(
            cookie.contains("Max-Age=0") && cookie.contains("Path=/"),
            "{cookie}"
        );
        let page = browser.get("/").await;
        assert!(!page.body.contains(r#"<strong id="user">"#));
    }
}

#[tokio::test]
async fn a_cookie_that_we_did_not_sign_is_no_session() {
    let shop = Shop::good().await;
    let good = pair(&login(&shop, &[], "username=ada").await);
    assert!(signed_in(&shop, &good).await);
    assert!(good.ends_with(".ada"));
    let forged = good.replace(".ada", ".eve");
    let (_, value) = good.split_once('=').unwrap();
    let unsigned = format!("{SESSION}={}", &value[44..]);
    for bad in [
        forged.as_str(),
        &unsigned,
        "bookshop_session=",
        "bookshop_session",
    ] {
        assert!(!signed_in(&shop, bad).await, "{bad}");
    }
    // Cookies of other programs on the same host change nothing.
    let crowd = format!("a=%ff; \"; {SESSION}=old; {good}; =; b");
    assert!(signed_in(&shop, &crowd).await);
}

#[tokio::test]
async fn a_session_is_good_where_its_key_is_known() {
    let key = "k".repeat(32);
    let one = Shop::with(&["--session-key", &key]).await;
    let two = Shop::with(&["--session-key", &key]).await;
    let other = Shop::with(&["--session-key", &"l".repeat(32)]).await;
    let random = Shop::good().await;
    let cookie = pair(&login(&one, &[], "username=ada").await);
    assert!(signed_in(&two, &cookie).await);
    assert!(!signed_in(&other, &cookie).await);
    assert!(!signed_in(&random, &cookie).await);
}

#[tokio::test]
async fn a_visitor_keeps_one_session() {
    let shop = Shop::with(&["--session-ttl", "1h"]).await;
    let first = shop.get("/").await;
    assert!(first.cookie(SESSION).unwrap().contains("Max-Age=3600"));
    let again = get(shop.address, "/", &[("cookie", &pair(&first))]).await;
    assert!(again.cookie(SESSION).is_none());
    assert_eq!(again.token(), first.token());
}

#[test]
fn a_short_key_is_refused_and_never_printed() {
    let secret = "hunter2-is-too-short";
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_productpage"))
        .args(["--port", "0", "--log-format", "json"])
        .env("SESSION_KEY", secret)
        .output()
        .expect("the executable runs");
    assert_eq!(output.status.code(), Some(2));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("32 bytes") && !said.contains(secret),
        "{said}"
    );
}
