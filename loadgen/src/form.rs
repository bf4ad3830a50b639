//! Finds the token of the rating form in the product page.

/// Where the rating form sends to.
const ACTION: &str = "/productpage/rate";

/// The value of the field `csrf` in the form that rates; `None` where the page has no such form.
///
/// Reads tags and attributes only as far as that takes: the page comes from our own shop or from one that
/// speaks the same contract.
pub(crate) fn rating_token(page: &str) -> Option<String> {
    let mut rest = page;
    while let Some(start) = find_tag(rest, "form") {
        rest = &rest[start..];
        let (head, body) = rest.split_once('>')?;
        let (form, after) = match body.split_once("</form") {
            Some(parts) => parts,
            None => (body, ""),
        };
        rest = after;
        // A path before the action is the mount point of the shop.
        if attribute(head, "action")
            .is_some_and(|action| action.split('?').next().unwrap_or("").ends_with(ACTION))
        {
            return field(form, "csrf");
        }
    }
    None
}

fn field(form: &str, name: &str) -> Option<String> {
    let mut rest = form;
    while let Some(start) = find_tag(rest, "input") {
        rest = &rest[start..];
        let end = rest.find('>').unwrap_or(rest.len());
        let tag = &rest[..end];
        if attribute(tag, "name").is_some_and(|n| n == name) {
            return attribute(tag, "value").filter(|value| !value.is_empty());
        }
        rest = &rest[end..];
    }
    None
}

/// Offset just behind `<name` of the next such tag.
fn find_tag(html: &str, name: &str) -> Option<usize> {
    let mut offset = 0;
    loop {
        let open = html[offset..].find('<')? + offset + 1;
        let tag = html.get(open..open + name.len());
        let end = html[open..].chars().nth(name.len());
        if tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name))
            && end.is_none_or(|c| c.is_ascii_whitespace() || c == '>' || c == '/')
        {
            return Some(open + name.len());
        }
        offset = open;
    }
}

/// The value of an attribute in what stands between `<name` and `>`.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag.trim_start();
    while !rest.is_empty() {
        let key_end = rest
            .find(|c: char| c == '=' || c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let key = &rest[..key_end];
        rest = rest[key_end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((after, "")),
                _ => after
                    .split_once(|c: char| c.is_ascii_whitespace())
                    .unwrap_or((after, "")),
            };
            rest = rest.trim_start();
        }
        if key.eq_ignore_ascii_case(name) {
            return Some(unescape(value));
        }
    }
    None
}

fn unescape(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_token_is_that_of_the_rating_form() {
        let page = r#"<html><!-- <form> --><form class=x method="post" action="/login">
            <input type="hidden" name="csrf" value="wrong"></form>
            <formula></formula>
            <FORM method='post' action='/shop/productpage/rate?id=3'><input name="stars" type=radio checked>
            <input value="a+b/c=&amp;&#34;d" type="hidden" name='csrf' /></FORM>"#;
        assert_eq!(rating_token(page).as_deref(), Some("a+b/c=&\"d"));
    }

    #[test]
    fn a_page_without_the_form_or_its_token_has_none() {
        for page in [
            "",
            "<",
            "<form",
            "plain text",
            r#"<form action="/login"><input name="csrf" value="x"></form>"#,
            r#"<form action="/productpage/rate"></form><input name="csrf" value="x">"#,
            r#"<form action="/productpage/rate"><input name="csrf" value=""></form>"#,
            r#"<form action="/productpage/rate"><input name="csrf"></form>"#,
        ] {
            assert_eq!(rating_token(page), None, "{page}");
        }
    }

    proptest! {
        #[test]
        fn no_page_breaks_it(page in "(<form|action=|/productpage/rate|<input|name=csrf|value=|[\"'>é&; ]|\\PC){0,40}") {
            let _ = rating_token(&page);
        }

        #[test]
        fn every_token_comes_back(token in "[A-Za-z0-9+/=_.-]{1,60}", around in "[a-z \n]{0,20}") {
            let page = format!("{around}<form action=\"/productpage/rate\">{around}\
                <input type=\"hidden\" name=\"csrf\" value=\"{token}\">{around}</form>");
            prop_assert_eq!(rating_token(&page), Some(token));
        }
    }
}
