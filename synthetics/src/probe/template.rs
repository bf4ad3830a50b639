//! Texts that are not whole yet: `${NAME}` stands for a variable of the environment, filled in
//! when the configuration is loaded; `{{name}}` for a value that a journey picks up on its way.
//!
//! A text shows itself as it was written, so that what the environment put in is never printed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Values that a journey carries, by name.
pub type Variables = BTreeMap<String, String>;

/// Looks up a variable of the environment.
pub type Environment<'e> = dyn Fn(&str) -> Option<String> + Send + Sync + 'e;

/// A text with placeholders.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Environment(String),
    Variable(String),
}

/// A text whose placeholders cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The variable is not set and has no default.
    #[error("the environment has no variable `{0}`")]
    Unset(String),
    /// `${` without its end.
    #[error("`${{` without `}}`; write `$${{` for the two characters themselves")]
    Open,
    /// `{{` without its end.
    #[error("`{{{{` without `}}}}`")]
    OpenVariable,
    /// No name can be made of that.
    #[error("`{0}` is no name: use letters, digits and underscores")]
    Name(String),
}

impl Template {
    /// A text without placeholders, whatever it has in it.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self {
            source: text.to_owned(),
            parts: vec![Part::Text(text.to_owned())],
        }
    }

    /// A text that shows itself as `source`, such as the content of a file.
    #[must_use]
    pub fn hidden(source: &str, text: String) -> Self {
        Self {
            source: source.to_owned(),
            parts: vec![Part::Environment(text)],
        }
    }

    /// Reads placeholders, and fills in the environment. `${NAME:-other}` stands for `other`
    /// where the variable is not set or empty; `$${` for the two characters `${`.
    ///
    /// # Errors
    /// Where a placeholder cannot be read, or a variable is missing.
    pub fn parse(text: &str, environment: &Environment<'_>) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '{']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("$${") {
                plain.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("${") {
                let (inner, after) = after.split_once('}').ok_or(TemplateError::Open)?;
                let value = lookup(inner, environment)?;
                flush(&mut plain, &mut parts);
                parts.push(Part::Environment(value));
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{{") {
                let (inner, after) = after.split_once("}}").ok_or(TemplateError::OpenVariable)?;
                flush(&mut plain, &mut parts);
                parts.push(Part::Variable(name(inner.trim())?.to_owned()));
                rest = after;
            } else {
                plain.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
        plain.push_str(rest);
        flush(&mut plain, &mut parts);
        let source = text.to_owned();
        Ok(Self { source, parts })
    }

    /// The whole text; a variable that was not picked up is its error.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn render<'t>(&'t self, variables: &Variables) -> Result<Cow<'t, str>, &'t str> {
        if let [Part::Text(only) | Part::Environment(only)] = self.parts.as_slice() {
            return Ok(Cow::Borrowed(only));
        }
        let mut text = String::with_capacity(self.source.len());
        for part in &self.parts {
            text.push_str(match part {
                Part::Text(plain) | Part::Environment(plain) => plain,
                Part::Variable(name) => variables.get(name).ok_or(name.as_str())?,
            });
        }
        Ok(Cow::Owned(text))
    }

    /// The whole text, where no variable of a journey is in it.
    #[must_use]
    pub fn fixed(&self) -> Option<Cow<'_, str>> {
        self.render(&Variables::new()).ok()
    }

    /// The names of the variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether the environment put something in after the beginning: what stands there may be a
    /// secret. A base address at the beginning is none.
    #[must_use]
    pub fn hides(&self) -> bool {
        let later = self.parts.iter().skip(1);
        later
            .into_iter()
            .any(|part| matches!(part, Part::Environment(_)))
    }
}

/// Fills in `${NAME}` alone; `{{` stays as it is.
///
/// # Errors
/// Where a placeholder cannot be read, or a variable is missing.
pub fn expand(text: &str, environment: &Environment<'_>) -> Result<String, TemplateError> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            whole.push_str(&rest[..at]);
            whole.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        whole.push_str(&rest[..at]);
        let (inner, after) = rest[at + 2..].split_once('}').ok_or(TemplateError::Open)?;
        whole.push_str(&lookup(inner, environment)?);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

fn lookup(inner: &str, environment: &Environment<'_>) -> Result<String, TemplateError> {
    let (variable, default) = match inner.split_once(":-") {
        Some((variable, default)) => (variable, Some(default)),
        None => (inner, None),
    };
    let variable = name(variable)?;
    let value = environment(variable).filter(|value| default.is_none() || !value.is_empty());
    value
        .or_else(|| default.map(str::to_owned))
        .ok_or_else(|| TemplateError::Unset(variable.to_owned()))
}

fn name(text: &str) -> Result<&str, TemplateError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(fits)
    {
        return Err(TemplateError::Name(text.chars().take(40).collect()));
    }
    Ok(text)
}

fn flush(plain: &mut String, parts: &mut Vec<Part>) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

/// As it was written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cret".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Result<Template, TemplateError> {
        Template::parse(text, &environment)
    }

    #[test]
    fn both_kinds_of_placeholders_are_filled_in() {
        let variables = Variables::from([("user".to_owned(), "ada".to_owned())]);
        for (text, whole) in [
            ("plain $5 {x}", "plain $5 {x}"),
            ("a ${TOKEN} b", "a s3cret b"),
            ("${NONE:-other}", "other"),
            ("${EMPTY:-other}", "other"),
            ("${EMPTY}", ""),
            ("$${TOKEN}", "${TOKEN}"),
            ("hello {{ user }}{{user}}", "hello adaada"),
        ] {
            let template = parse(text).expect(text);
            assert_eq!(template.render(&variables).as_deref(), Ok(whole), "{text}");
            assert_eq!(template.to_string(), text, "it shows itself as written");
            let none = Variables::new();
            if !text.contains("{{") {
                assert_eq!(expand(text, &environment).as_deref(), Ok(whole), "{text}");
                assert_eq!(template.render(&none).as_deref(), Ok(whole), "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_told() {
        for (text, error) in [
            ("${NONE}", TemplateError::Unset("NONE".into())),
            ("${TOKEN", TemplateError::Open),
            ("{{user", TemplateError::OpenVariable),
            ("${A B}", TemplateError::Name("A B".into())),
            ("{{}}", TemplateError::Name(String::new())),
            ("${1}", TemplateError::Name("1".into())),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        let template = parse("{{user}}").expect("it is sound");
        assert_eq!(template.render(&Variables::new()), Err("user"));
        assert_eq!(template.fixed(), None);
    }

    #[test]
    fn no_secret_is_printed() {
        let template = parse("key=${TOKEN}").expect("it is sound");
        assert!(template.hides());
        assert!(!format!("{template} {template:?}").contains("s3cret"));
        assert!(!parse("${TOKEN}/path").expect("it is sound").hides());
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(text in "[$a{}:\\-TOKENé ]{0,30}") {
            if let Ok(template) = parse(&text) {
                let _ = template.render(&Variables::new());
            }
            let _ = expand(&text, &environment);
        }
    }
}
