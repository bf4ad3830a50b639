//! What the services say to each other: field names, order and types are Bookinfo's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ParseError, ProductId, Reviewer, Stars};

/// Answer of `GET /details/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The product asked for.
    pub id: ProductId,
    /// Who wrote it.
    pub author: String,
    /// Year of the first edition.
    pub year: i64,
    /// Binding, such as `paperback`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number of pages.
    pub pages: i64,
    /// Who printed it.
    pub publisher: String,
    /// Language of the text.
    pub language: String,
    /// Ten-digit book number.
    #[serde(rename = "ISBN-10")]
    pub isbn_10: String,
    /// Thirteen-digit book number.
    #[serde(rename = "ISBN-13")]
    pub isbn_13: String,
}

/// Answer of `GET /ratings/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratings {
    /// The product asked for.
    pub id: ProductId,
    /// Stars by reviewer.
    pub ratings: BTreeMap<Reviewer, Stars>,
}

/// Answer of `GET /reviews/{id}`; the id is a string here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    /// The product asked for.
    pub id: String,
    /// Name of the pod or host that answered.
    pub podname: String,
    /// Name of its cluster, `null` (the text) where unknown.
    pub clustername: String,
    /// What people wrote.
    pub reviews: Vec<Review>,
}

/// One review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who wrote it.
    pub reviewer: String,
    /// The text.
    pub text: String,
    /// Stars, in the versions that ask for them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rating: Option<Rating>,
}

/// The stars of a review, or why there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rating {
    /// The reviewer's stars and the colour to show them in.
    Stars {
        /// 1 to 5.
        stars: i64,
        /// `black` (v2) or `red` (v3).
        color: String,
    },
    /// The ratings service did not answer.
    Unavailable {
        /// A sentence for the reader.
        error: String,
    },
}

impl Rating {
    /// What a review says where the ratings service did not answer.
    pub fn unavailable() -> Self {
        Self::Unavailable {
            error: "Ratings service is currently unavailable".into(),
        }
    }
}

/// One entry of `GET /api/v1/products`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSummary {
    /// Its number.
    pub id: ProductId,
    /// Its title.
    pub title: String,
    /// What it is about, as HTML.
    #[serde(rename = "descriptionHtml")]
    pub description_html: String,
}

/// Most ratings that one call may store; also the limit of one DynamoDB transaction.
pub const MAX_RATINGS_PER_CALL: usize = 100;

/// Why ratings were not taken; its text is for the one who sent them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatingsError {
    /// Not a JSON object.
    #[error("please provide valid ratings JSON")]
    Json,
    /// More than one call may bring.
    #[error("please provide valid ratings JSON: at most {MAX_RATINGS_PER_CALL} ratings a call")]
    TooMany,
    /// An entry that is no rating.
    #[error("please provide valid ratings JSON: {0}")]
    Entry(ParseError),
}

/// Reads the body of `POST /ratings/{id}`: a JSON object, reviewer to stars.
///
/// # Errors
/// Says what is wrong with the first entry that is no rating.
pub fn parse_ratings(body: &[u8]) -> Result<BTreeMap<Reviewer, Stars>, RatingsError> {
    let entries: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|_| RatingsError::Json)?;
    if entries.len() > MAX_RATINGS_PER_CALL {
        return Err(RatingsError::TooMany);
    }
    entries
        .into_iter()
        .map(|(name, stars)| {
            let reviewer = Reviewer::try_from(name)?;
            let stars = stars.as_i64().ok_or(ParseError::Stars)?.try_into()?;
            Ok((reviewer, stars))
        })
        .collect::<Result<_, ParseError>>()
        .map_err(RatingsError::Entry)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes_are_bookinfos_to_the_letter() {
        let details = Details {
            id: ProductId::new(0),
            author: "A".into(),
            year: 1595,
            kind: "paperback".into(),
            pages: 200,
            publisher: "P".into(),
            language: "English".into(),
            isbn_10: "1".into(),
            isbn_13: "2".into(),
        };
        assert_eq!(
            serde_json::to_string(&details).unwrap(),
            r#"{"id":0,"author":"A","year":1595,"type":"paperback","pages":200,"publisher":"P","language":"English","ISBN-10":"1","ISBN-13":"2"}"#
        );
        let review = |rating| Review {
            reviewer: "R".into(),
            text: "T".into(),
            rating,
        };
        let reviews = Reviews {
            id: "0".into(),
            podname: "pod".into(),
            clustername: "null".into(),
            reviews: vec![
                review(None),
                review(Some(Rating::Stars {
                    stars: 5,
                    color: "black".into(),
                })),
                review(Some(Rating::unavailable())),
            ],
        };
        let text = serde_json::to_string(&reviews).unwrap();
        assert_eq!(
            text,
            r#"{"id":"0","podname":"pod","clustername":"null","reviews":[{"reviewer":"R","text":"T"},{"reviewer":"R","text":"T","rating":{"stars":5,"color":"black"}},{"reviewer":"R","text":"T","rating":{"error":"Ratings service is currently unavailable"}}]}"#
        );
        assert_eq!(serde_json::from_str::<Reviews>(&text).unwrap(), reviews);
    }

    #[test]
    fn ratings_are_taken_or_refused_with_a_reason() {
        let good = parse_ratings(br#"{"Ann":5,"Bo":1}"#).unwrap();
        assert_eq!(good.len(), 2);
        let reason = |body: &str| parse_ratings(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(reason("not json"), "please provide valid ratings JSON");
        assert_eq!(reason("[1]"), "please provide valid ratings JSON");
        for bad in [
            r#"{"A":0}"#,
            r#"{"A":6}"#,
            r#"{"A":4.5}"#,
            r#"{"A":"5"}"#,
            r#"{"A":null}"#,
        ] {
            assert!(
                reason(bad).ends_with("from 1 to 5"),
                "{bad}: {}",
                reason(bad)
            );
        }
        assert!(reason(r#"{"":5}"#).contains("1 to 64 characters"));
        assert!(parse_ratings(b"{}").unwrap().is_empty());
        let many: BTreeMap<String, u8> = (0..101).map(|n| (n.to_string(), 1)).collect();
        assert!(reason(&serde_json::to_string(&many).unwrap()).contains("at most 100"));
    }

    proptest! {
        #[test]
        fn any_answer_of_a_service_is_read_or_refused(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            text in r#"\{"id":"?-?[0-9]{1,22}"?,"ratings":\{("[a-z]{0,3}":-?[0-9]{1,3},?){0,3}\}\}"#,
        ) {
            for body in [&body[..], text.as_bytes()] {
                let _ = serde_json::from_slice::<Details>(body);
                let _ = serde_json::from_slice::<Reviews>(body);
                if let Ok(ratings) = serde_json::from_slice::<Ratings>(body) {
                    prop_assert!(ratings.ratings.values().all(|stars| (1..=5).contains(&stars.get())));
                    let again = serde_json::to_vec(&ratings).unwrap();
                    prop_assert_eq!(serde_json::from_slice::<Ratings>(&again).unwrap(), ratings);
                }
            }
        }

        #[test]
        fn any_body_is_taken_or_refused(body in proptest::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(ratings) = parse_ratings(&body) {
                prop_assert!(ratings.len() <= MAX_RATINGS_PER_CALL);
            }
        }
    }
}
