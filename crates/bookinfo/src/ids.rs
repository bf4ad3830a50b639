//! Values that are checked once, where they come in.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a value was not taken; its text is for the one who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not a whole number that fits.
    #[error("a product id is a whole number")]
    ProductId,
    /// Not 1 to 5.
    #[error("stars are a whole number from 1 to 5")]
    Stars,
    /// Empty, or too long.
    #[error("a reviewer's name has 1 to {} characters", Reviewer::MAX_CHARS)]
    Reviewer,
}

/// Number of a product. Any whole number is an id; the catalogue says which ones are books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(i64);

impl ProductId {
    /// The id with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl FromStr for ProductId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self).map_err(|_| ParseError::ProductId)
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rating: 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u8")]
pub struct Stars(u8);

impl Stars {
    /// The most there is.
    pub const MAX: u8 = 5;

    /// How many.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Stars {
    type Error = ParseError;

    fn try_from(number: i64) -> Result<Self, ParseError> {
        u8::try_from(number)
            .ok()
            .filter(|stars| (1..=Self::MAX).contains(stars))
            .map(Self)
            .ok_or(ParseError::Stars)
    }
}

impl From<Stars> for u8 {
    fn from(stars: Stars) -> Self {
        stars.0
    }
}

impl FromStr for Stars {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse::<i64>()
            .map_err(|_| ParseError::Stars)?
            .try_into()
    }
}

impl fmt::Display for Stars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Name of somebody who rates: 1 to 64 characters, any script.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reviewer(String);

impl Reviewer {
    /// Longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reviewer {
    type Error = ParseError;

    fn try_from(name: String) -> Result<Self, ParseError> {
        // Four bytes a character at most: a long text is refused without counting it.
        let fits = name.len() <= Self::MAX_CHARS * 4 && name.chars().count() <= Self::MAX_CHARS;
        match fits && !name.is_empty() {
            true => Ok(Self(name)),
            false => Err(ParseError::Reviewer),
        }
    }
}

impl FromStr for Reviewer {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        name.to_owned().try_into()
    }
}

impl From<Reviewer> for String {
    fn from(reviewer: Reviewer) -> Self {
        reviewer.0
    }
}

impl Borrow<str> for Reviewer {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_product_id_is_what_parses_as_a_whole_number(text in ".*") {
            prop_assert_eq!(text.parse::<ProductId>().is_ok(), text.parse::<i64>().is_ok());
        }

        #[test]
        fn stars_are_one_to_five(number: i64) {
            prop_assert_eq!(Stars::try_from(number).is_ok(), (1..=5).contains(&number));
        }

        #[test]
        fn a_name_has_1_to_64_characters(name in "\\PC{0,80}") {
            prop_assert_eq!(name.parse::<Reviewer>().is_ok(), (1..=64).contains(&name.chars().count()));
        }
    }

    #[test]
    fn sixty_four_characters_of_any_script_fit() {
        assert!("𝄞".repeat(64).parse::<Reviewer>().is_ok());
        assert!("a".repeat(65).parse::<Reviewer>().is_err());
        assert!("".parse::<Reviewer>().is_err());
    }
}
