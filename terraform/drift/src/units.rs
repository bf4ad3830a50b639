//! Units of formulas: whether what is added is of one kind, and whether what is called a percentage is one.

use std::collections::BTreeMap;

/// A unit: powers of what is counted, and what one of it is worth. A nanocore is a core with a worth of 1e-9.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    powers: BTreeMap<String, i32>,
    worth: f64,
}

impl Unit {
    /// Reads a unit as the lists write it, such as `byte/second`, `nanocore` or `%`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (over, under) = text.split_once('/').unwrap_or((text, ""));
        let mut unit = Self {
            powers: BTreeMap::new(),
            worth: 1.0,
        };
        for (part, power) in [(over, 1), (under, -1)] {
            let (name, worth) = match part {
                "" | "1" | "fraction" => continue,
                "%" | "percent" => ("", 0.01_f64),
                "nanocore" => ("core", 1e-9),
                "s" => ("second", 1.0),
                name => (name, 1.0),
            };
            unit.worth *= worth.powi(power);
            if !name.is_empty() {
                *unit.powers.entry(name.to_owned()).or_default() += power;
            }
        }
        unit
    }

    /// Whether it is hundredths of nothing else: a percentage.
    #[must_use]
    pub fn is_percentage(&self) -> bool {
        self.powers.is_empty() && close(self.worth, 0.01)
    }

    fn times(mut self, other: &Self, power: i32) -> Self {
        for (name, by) in &other.powers {
            *self.powers.entry(name.clone()).or_default() += by * power;
        }
        self.powers.retain(|_, power| *power != 0);
        self.worth *= other.worth.powi(power);
        self
    }
}

fn close(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() < 1e-6
}

/// What a part of a formula comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number that is written there.
    Constant(f64),
    /// Values of a unit.
    Of(Unit),
    /// Values whose unit nobody names.
    Unknown,
}

/// The unit of `formula` where its names have these `units`.
///
/// # Errors
/// What is wrong with it, for a person.
pub fn formula(text: &str, units: &BTreeMap<String, Kind>) -> Result<Kind, String> {
    let mut reader = Reader {
        rest: text,
        depth: 0,
        units,
    };
    let kind = reader.sum()?;
    match reader.peek() {
        None => Ok(kind),
        Some(_) => Err(format!("`{}` is not understood", reader.rest)),
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
    units: &'t BTreeMap<String, Kind>,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        there
    }

    fn word(&mut self, allowed: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !allowed(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sum(&mut self) -> Result<Kind, String> {
        let mut sum = self.product()?;
        while self.take('+') || self.take('-') {
            let other = self.product()?;
            sum = match (sum, other) {
                (Kind::Of(one), Kind::Of(other))
                    if one.powers != other.powers || !close(one.worth, other.worth) =>
                {
                    return Err("it adds values of different units".to_owned());
                }
                (Kind::Constant(one), Kind::Constant(other)) => Kind::Constant(one + other),
                (Kind::Constant(_), kind) | (kind, _) => kind,
            };
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Kind, String> {
        let mut product = self.part()?;
        loop {
            let power = match self.peek() {
                Some('*') => 1,
                Some('/') => -1,
                _ => return Ok(product),
            };
            self.rest = &self.rest[1..];
            product = match (product, self.part()?) {
                (Kind::Unknown, _) | (_, Kind::Unknown) => Kind::Unknown,
                (Kind::Constant(one), Kind::Constant(other)) => {
                    Kind::Constant(one * other.powi(power))
                }
                // Twice the number for the same thing: each is worth half.
                (Kind::Of(mut unit), Kind::Constant(number)) => {
                    unit.worth /= number.powi(power);
                    Kind::Of(unit)
                }
                (Kind::Constant(number), Kind::Of(unit)) => {
                    let mut result = Unit::parse("1").times(&unit, power);
                    result.worth /= number;
                    Kind::Of(result)
                }
                (Kind::Of(one), Kind::Of(other)) => Kind::Of(one.times(&other, power)),
            };
        }
    }

    fn part(&mut self) -> Result<Kind, String> {
        self.depth += 1;
        if self.depth > 200 {
            return Err("it is too deep".to_owned());
        }
        let ended = || "it ends too early".to_owned();
        let first = self.peek().ok_or_else(ended)?;
        let kind = if self.take('-') {
            self.part()?
        } else if self.take('(') {
            let inner = self.sum()?;
            self.close()?;
            inner
        } else if first.is_ascii_digit() {
            let number = self.word(|c| c.is_ascii_digit() || c == '.');
            Kind::Constant(
                number
                    .parse()
                    .map_err(|_| format!("{number} is no number"))?,
            )
        } else if first == '\'' {
            let text = self.rest[1..].split_once('\'').ok_or_else(ended)?;
            self.rest = text.1;
            Kind::Unknown
        } else {
            let name = self.word(|c| c.is_alphanumeric() || c == '_');
            if name.is_empty() {
                return Err(format!("`{first}` is not understood"));
            }
            if self.take('(') {
                // What a function gives is of the kind of its first argument.
                let kind = self.sum()?;
                while self.take(',') {
                    self.sum()?;
                }
                self.close()?;
                kind
            } else {
                let known = self.units.get(name).cloned();
                known.ok_or_else(|| format!("there is no query {name}"))?
            }
        };
        self.depth -= 1;
        Ok(kind)
    }

    fn close(&mut self) -> Result<(), String> {
        let closed = self.take(')');
        closed
            .then_some(())
            .ok_or_else(|| "a bracket stays open".to_owned())
    }
}
