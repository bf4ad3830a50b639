//! Items of the tables, to and from the domain.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{StoreError, StoredReview, number};
use crate::wire::Details;
use crate::{ProductId, Reviewer, Stars};

type Item = HashMap<String, AttributeValue>;

pub(super) fn details(id: ProductId, item: &Item, table: &str) -> Result<Details, StoreError> {
    Ok(Details {
        id,
        author: text(item, "author", table)?,
        year: whole(item, "year", table)?,
        kind: text(item, "type", table)?,
        pages: whole(item, "pages", table)?,
        publisher: text(item, "publisher", table)?,
        language: text(item, "language", table)?,
        isbn_10: text(item, "isbn_10", table)?,
        isbn_13: text(item, "isbn_13", table)?,
    })
}

pub(super) fn details_item(details: &Details) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let whole = |value: i64| AttributeValue::N(value.to_string());
    Item::from([
        ("id".into(), number(details.id)),
        ("author".into(), text(&details.author)),
        ("year".into(), whole(details.year)),
        ("type".into(), text(&details.kind)),
        ("pages".into(), whole(details.pages)),
        ("publisher".into(), text(&details.publisher)),
        ("language".into(), text(&details.language)),
        ("isbn_10".into(), text(&details.isbn_10)),
        ("isbn_13".into(), text(&details.isbn_13)),
    ])
}

pub(super) fn review(item: &Item, table: &str) -> Result<StoredReview, StoreError> {
    Ok(StoredReview {
        reviewer: text(item, "reviewer", table)?,
        text: text(item, "text", table)?,
    })
}

pub(super) fn review_item(id: ProductId, reviewer: &str, text: &str) -> Item {
    Item::from([
        ("product_id".into(), number(id)),
        ("reviewer".into(), AttributeValue::S(reviewer.to_owned())),
        ("text".into(), AttributeValue::S(text.to_owned())),
    ])
}

pub(super) fn rating(item: &Item, table: &str) -> Result<(Reviewer, Stars), StoreError> {
    let bad = |error: crate::ParseError| bad_data(table, &error.to_string());
    let reviewer = text(item, "reviewer", table)?.parse().map_err(bad)?;
    let stars = whole(item, "stars", table)?.try_into().map_err(bad)?;
    Ok((reviewer, stars))
}

pub(super) fn rating_item(id: ProductId, reviewer: &Reviewer, stars: Stars) -> Item {
    Item::from([
        ("product_id".into(), number(id)),
        ("reviewer".into(), AttributeValue::S(reviewer.to_string())),
        ("stars".into(), AttributeValue::N(stars.to_string())),
    ])
}

fn text(item: &Item, name: &str, table: &str) -> Result<String, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value.clone()),
        _ => Err(bad_data(
            table,
            &format!("attribute `{name}` is not a text"),
        )),
    }
}

fn whole(item: &Item, name: &str, table: &str) -> Result<i64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| bad_data(table, &format!("attribute `{name}` is not a whole number")))
}

fn bad_data(table: &str, what: &str) -> StoreError {
    StoreError::BadData {
        table: table.to_owned(),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            ".{0,70}".prop_map(AttributeValue::S),
            "-?[0-9]{1,25}(\\.[0-9])?|NaN|".prop_map(AttributeValue::N),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null(true)),
            Just(AttributeValue::L(Vec::new())),
        ]
    }

    fn item() -> impl Strategy<Value = Item> {
        let name =
            "author|year|type|pages|publisher|language|isbn_10|isbn_13|reviewer|text|stars|id";
        proptest::collection::hash_map(name, attribute(), 0..12)
    }

    proptest! {
        #[test]
        fn any_item_is_read_or_is_bad_data(item in item()) {
            let is_bad = |error: Option<StoreError>| match error {
                None => true,
                Some(StoreError::BadData { table, what }) => table == "t" && !what.is_empty(),
                Some(_) => false,
            };
            let id = ProductId::new(0);
            prop_assert!(is_bad(details(id, &item, "t").err()));
            prop_assert!(is_bad(review(&item, "t").err()));
            prop_assert!(is_bad(rating(&item, "t").err()));
        }

        #[test]
        fn what_is_written_is_read_back(
            id: i64, texts in proptest::collection::vec(".{0,20}", 6), year: i64, pages: i64,
            name in "\\PC{1,64}", number in 1..=5_i64,
        ) {
            let id = ProductId::new(id);
            let mut text = texts.into_iter();
            let mut text = || text.next().unwrap_or_default();
            let book = Details {
                id, year, pages, author: text(), kind: text(), publisher: text(), language: text(),
                isbn_10: text(), isbn_13: text(),
            };
            prop_assert_eq!(details(id, &details_item(&book), "t").unwrap(), book);
            let (who, stars): (Reviewer, _) = (name.parse().unwrap(), Stars::try_from(number).unwrap());
            prop_assert_eq!(rating(&rating_item(id, &who, stars), "t").unwrap(), (who, stars));
        }
    }
}
