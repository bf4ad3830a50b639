//! Who is signed in: a signed cookie, and the token that ties forms to it.
//!
//! The cookie holds `<end>.<token>.<user>`: when the session ends (seconds since 1970), a random number
//! in hex, and the user's name in percent-encoding, empty for a visitor. Its signature keeps everybody
//! else from writing one, and `HttpOnly` keeps scripts from reading one; so the token in a form proves
//! that the form came from a page of this session.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::http::header;
use bookinfo::{ParseError, ProductId, Reviewer, Stars};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::SessionKey;

/// Browsers share the cookies of all ports of a host: a name that no other program takes.
const SESSION: &str = "bookshop_session";
/// Says once, after a rating, that it is stored.
const THANKS: &str = "bookshop_thanks";
/// Path of the pages that say thanks.
const THANKS_PATH: &str = "/productpage";
const THANKS_AGE: CookieAge = CookieAge::seconds(60);

/// Opens and writes session cookies.
#[derive(Clone)]
pub(crate) struct Sessions {
    key: Key,
    /// Length of a session; a visit after half of it starts it anew.
    ttl: Duration,
    secure: bool,
}

/// One visitor's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    user: Option<Reviewer>,
    token: String,
    /// Seconds since 1970.
    ends: u64,
}

/// Why a name cannot sign in; its text is for the one who typed it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error(transparent)]
    Length(#[from] ParseError),
    #[error("a name has no control characters")]
    Control,
}

/// A name as somebody typed it, without the blanks round it.
pub(crate) fn parse_name(typed: &str) -> Result<Reviewer, NameError> {
    let name = typed.trim();
    let reviewer = name.parse()?;
    // The name goes to other services in a header, where control characters cannot stand.
    match name.contains(char::is_control) {
        true => Err(NameError::Control),
        false => Ok(reviewer),
    }
}

impl Session {
    /// A session that begins now.
    fn begin(user: Option<Reviewer>) -> Self {
        Self {
            user,
            token: format!("{:032x}", rand::random::<u128>()),
            ends: 0, // set when it is written
        }
    }

    /// Name of the user, if somebody is signed in.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_ref().map(Reviewer::as_str)
    }

    /// What the forms of this session carry.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether a form carries the token of this session.
    pub(crate) fn has_token(&self, token: &str) -> bool {
        // Looks at every byte, so that the time taken says nothing about where they differ.
        let (ours, theirs) = (self.token.as_bytes(), token.as_bytes());
        ours.len() == theirs.len()
            && ours
                .iter()
                .zip(theirs)
                .fold(0, |differ, (a, b)| differ | (a ^ b))
                == 0
    }

    /// Reads the signed part of a cookie.
    fn parse(payload: &str) -> Option<Self> {
        let mut parts = payload.splitn(3, '.');
        let (ends, token, user) = (parts.next()?, parts.next()?, parts.next()?);
        let user = match user {
            "" => None,
            name => {
                let name = percent_decode_str(name).decode_utf8().ok()?;
                Some(parse_name(&name).ok()?)
            }
        };
        Some(Self {
            user,
            token: token.to_owned(),
            ends: ends.parse().ok()?,
        })
    }

    fn payload(&self) -> String {
        let user = utf8_percent_encode(self.user().unwrap_or_default(), NON_ALPHANUMERIC);
        format!("{}.{}.{user}", self.ends, self.token)
    }
}

impl Sessions {
    /// Without a key one is made at random.
    pub(crate) fn new(key: Option<&SessionKey>, ttl: Duration, secure: bool) -> Self {
        Self {
            key: match key {
                Some(key) => Key::derive_from(key.as_bytes()),
                None => Key::generate(),
            },
            ttl,
            secure,
        }
    }

    /// The session that the request's cookie holds.
    pub(crate) fn find(&self, request: &HttpRequest) -> Option<Session> {
        self.find_at(request, now())
    }

    fn find_at(&self, request: &HttpRequest, now: u64) -> Option<Session> {
        cookies(request, SESSION).find_map(|value| self.open(value, now))
    }

    fn open(&self, value: &str, now: u64) -> Option<Session> {
        let cookie = Cookie::new(SESSION, value.to_owned());
        let payload = CookieJar::new().signed(&self.key).verify(cookie)?;
        Session::parse(payload.value()).filter(|session| now < session.ends)
    }

    /// The request's session, or a new one; and the cookie to send along where it is new or has less
    /// than half of its time left.
    pub(crate) fn resume(&self, request: &HttpRequest) -> (Session, Option<Cookie<'static>>) {
        self.resume_at(request, now())
    }

    fn resume_at(&self, request: &HttpRequest, now: u64) -> (Session, Option<Cookie<'static>>) {
        match self.find_at(request, now) {
            Some(session) if session.ends - now > self.ttl.as_secs() / 2 => (session, None),
            Some(session) => self.write(session, now),
            None => self.write(Session::begin(None), now),
        }
    }

    /// Cookie of a new session for `user`. The token is new as well, so that nothing known from before
    /// the sign-in is of use after it.
    pub(crate) fn sign_in(&self, user: Reviewer) -> Cookie<'static> {
        let session = Session::begin(Some(user));
        let (_, cookie) = self.write(session, now());
        cookie.unwrap_or_else(|| self.sign_out())
    }

    /// Cookie that makes the browser forget the session.
    pub(crate) fn sign_out(&self) -> Cookie<'static> {
        self.cookie(SESSION, String::new(), "/", CookieAge::ZERO)
    }

    fn write(&self, mut session: Session, now: u64) -> (Session, Option<Cookie<'static>>) {
        session.ends = now.saturating_add(self.ttl.as_secs().max(1));
        let age = CookieAge::seconds(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX).max(1));
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key)
            .add(self.cookie(SESSION, session.payload(), "/", age));
        (session, jar.get(SESSION).cloned())
    }

    /// Cookie that lets the next product page say thanks.
    pub(crate) fn thank(&self, id: ProductId, stars: Stars) -> Cookie<'static> {
        self.cookie(THANKS, format!("{id}.{stars}"), THANKS_PATH, THANKS_AGE)
    }

    /// The stars to say thanks for on the page of `id`, and the cookie that says it only once.
    pub(crate) fn thanks(
        &self,
        request: &HttpRequest,
        id: ProductId,
    ) -> Option<(Stars, Cookie<'static>)> {
        let stars = cookies(request, THANKS).find_map(|value| {
            let (book, stars) = value.split_once('.')?;
            (book.parse() == Ok(id)).then(|| stars.parse().ok())?
        })?;
        let forget = self.cookie(THANKS, String::new(), THANKS_PATH, CookieAge::ZERO);
        Some((stars, forget))
    }

    fn cookie(
        &self,
        name: &'static str,
        value: String,
        path: &'static str,
        age: CookieAge,
    ) -> Cookie<'static> {
        let mut cookie = Cookie::new(name, value);
        cookie.set_path(path);
        cookie.set_max_age(age);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_secure(self.secure);
        cookie
    }
}

/// Raw values of all cookies with this name.
///
/// Read by hand, because one malformed cookie of another program on the same host must not sign
/// anybody out here.
fn cookies<'a>(request: &'a HttpRequest, name: &'a str) -> impl Iterator<Item = &'a str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(move |header| values(header, name))
}

fn values<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    header.split(';').filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "read here alone; what ends and renews sessions takes the time as an argument"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    fn sessions(key: &str) -> Sessions {
        let key = key.repeat(32).parse().unwrap();
        Sessions::new(Some(&key), Duration::from_secs(100), false)
    }

    fn cookie_of(sessions: &Sessions, user: &str, now: u64) -> String {
        let session = Session::begin(Some(user.parse().unwrap()));
        sessions.write(session, now).1.unwrap().value().to_owned()
    }

    #[test]
    fn a_session_ends_in_time_and_opens_with_its_key_only() {
        let ours = sessions("a");
        let value = cookie_of(&ours, "Zoë", 1000);
        assert_eq!(ours.open(&value, 1099).unwrap().user(), Some("Zoë"));
        assert_eq!(sessions("a").open(&value, 1099), ours.open(&value, 1099));
        assert_eq!(ours.open(&value, 1100), None);
        assert_eq!(sessions("b").open(&value, 1000), None);
    }

    #[test]
    fn a_used_session_is_renewed_and_an_ended_one_is_not() {
        let ours = sessions("a");
        let value = cookie_of(&ours, "ada", 1000);
        let request = TestRequest::default()
            .insert_header((header::COOKIE, format!("{SESSION}={value}")))
            .to_http_request();
        let (first, cookie) = ours.resume_at(&request, 1049);
        assert!(first.user() == Some("ada") && cookie.is_none());
        let (renewed, cookie) = ours.resume_at(&request, 1050);
        assert_eq!(
            (renewed.user(), renewed.token()),
            (Some("ada"), first.token())
        );
        assert_eq!(ours.open(cookie.unwrap().value(), 1149), Some(renewed));
        let (fresh, cookie) = ours.resume_at(&request, 1100);
        assert!(fresh.user().is_none() && fresh.token() != first.token());
        assert!(cookie.is_some());
    }

    #[test]
    fn tokens_are_the_sessions_own() {
        let session = Session::begin(None);
        assert!(session.has_token(session.token()));
        assert!(!session.has_token(""));
        assert!(!session.has_token(Session::begin(None).token()));
        assert_eq!(session.token().len(), 32);
    }

    proptest! {
        #[test]
        fn any_cookie_is_read_or_ignored(header in ".{0,200}") {
            for value in values(&header, SESSION) {
                prop_assert!(sessions("a").open(value, 0).is_none());
            }
            let _ = Session::parse(&header);
        }

        #[test]
        fn a_changed_cookie_is_no_session(at in 0_usize..1000, to in "[ -~]") {
            let ours = sessions("a");
            let mut value = cookie_of(&ours, "mallory", 0);
            let at = at % value.len();
            let changed = value.get(at..=at) != Some(&to);
            value.replace_range(at..=at, &to);
            prop_assert_eq!(ours.open(&value, 1).is_none(), changed);
        }

        #[test]
        fn every_name_that_signs_in_comes_back(typed in "\\PC{0,80}") {
            let ours = sessions("a");
            if let Ok(name) = parse_name(&typed) {
                let value = cookie_of(&ours, name.as_str(), 0);
                prop_assert!(value.bytes().all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b)));
                let header = format!("other=%ff; {SESSION}={value}; x");
                let opened = values(&header, SESSION).find_map(|v| ours.open(v, 1)).unwrap();
                prop_assert_eq!(opened.user(), Some(name.as_str()));
            }
        }

        #[test]
        fn a_typed_name_is_taken_trimmed_or_refused(typed in any::<String>()) {
            match parse_name(&typed) {
                Ok(name) => {
                    prop_assert_eq!(name.as_str(), typed.trim());
                    prop_assert!(!typed.trim().contains(char::is_control));
                }
                Err(NameError::Control) => prop_assert!(typed.contains(char::is_control)),
                Err(NameError::Length(_)) => {
                    prop_assert!(!(1..=64).contains(&typed.trim().chars().count()));
                }
            }
        }
    }
}
