//! The books of the shop: public-domain works, described and reviewed in our own words.

use crate::ProductId;
use crate::wire::{Details, ProductSummary};

/// A book as the shop knows it before anybody rates it.
#[derive(Debug)]
pub struct Product {
    /// Its number.
    pub id: ProductId,
    /// Its title.
    pub title: &'static str,
    /// What it is about, as HTML of our own (text and `<em>` only).
    pub description_html: &'static str,
    /// Who wrote it.
    pub author: &'static str,
    /// Year of the first edition.
    pub year: i64,
    /// Binding.
    pub kind: &'static str,
    /// Number of pages.
    pub pages: i64,
    /// Language of the text.
    pub language: &'static str,
    /// Reviews to begin with: reviewer, text, stars.
    pub reviews: [SeedReview; 2],
}

/// A review that the seed writes.
#[derive(Debug)]
pub struct SeedReview {
    /// Who wrote it.
    pub reviewer: &'static str,
    /// The text.
    pub text: &'static str,
    /// The stars, 1 to 5.
    pub stars: i64,
}

impl Product {
    /// The book's details as the seed writes them.
    pub fn details(&self) -> Details {
        let (isbn_10, isbn_13) = isbn(self.id);
        Details {
            id: self.id,
            author: self.author.into(),
            year: self.year,
            kind: self.kind.into(),
            pages: self.pages,
            publisher: "PublisherA".into(),
            language: self.language.into(),
            isbn_10,
            isbn_13,
        }
    }

    /// The book's entry in the list of products.
    pub fn summary(&self) -> ProductSummary {
        ProductSummary {
            id: self.id,
            title: self.title.into(),
            description_html: self.description_html.into(),
        }
    }
}

/// All books, in the order of their ids.
pub fn products() -> &'static [Product] {
    &PRODUCTS
}

/// The book with this id.
pub fn product(id: ProductId) -> Option<&'static Product> {
    usize::try_from(id.get())
        .ok()
        .and_then(|index| PRODUCTS.get(index))
}

/// Placeholder book numbers in Bookinfo's form: none of them is a real book's.
fn isbn(id: ProductId) -> (String, String) {
    let number = 1_234_567_890 + id.get();
    (number.to_string(), format!("123-{number}"))
}

const fn by(reviewer: &'static str, stars: i64, text: &'static str) -> SeedReview {
    SeedReview {
        reviewer,
        text,
        stars,
    }
}

macro_rules! books {
    ($($id:literal, $title:literal, $author:literal, $year:literal, $kind:literal, $pages:literal, $language:literal,
       $description:literal, [$first:expr, $second:expr];)*) => {
        static PRODUCTS: [Product; [$($id),*].len()] = [$(Product {
            id: ProductId::new($id),
            title: $title,
            author: $author,
            year: $year,
            kind: $kind,
            pages: $pages,
            language: $language,
            description_html: $description,
            reviews: [$first, $second],
        }),*];
    };
}

books! {
    0, "The Comedy of Errors", "William Shakespeare", 1595, "paperback", 200, "English",
    "Two pairs of twins, parted by a shipwreck, spend one day in <em>Ephesus</em> being taken for each other. Debts, dinners and a gold chain all reach the wrong man before anybody thinks to ask.",
    [by("Reviewer1", 5, "I laughed on nearly every page, and the last scene ties up knots I had forgotten were there. Read it aloud with friends."),
     by("Reviewer2", 4, "Quick, loud and silly in the best way. The plot leans on luck, but it never stops for breath.")];
    1, "Pride and Prejudice", "Jane Austen", 1813, "hardcover", 432, "English",
    "Five sisters, little money, and a neighbour with ten thousand a year. A comedy about first impressions and how long it takes to admit that they were wrong.",
    [by("Amira", 5, "Every conversation is a duel and I never knew whom to bet on. The letter in the middle turns the whole book round."),
     by("Jonas", 5, "I came for the romance and stayed for Mr Bennet in his library.")];
    2, "Moby-Dick", "Herman Melville", 1851, "paperback", 720, "English",
    "A captain hunts the whale that took his leg, and a sailor who signed on for the voyage tells everything he knows: about rope, about oil, about men at sea.",
    [by("Kaito", 4, "Half of it is a manual for whalers. Somehow that half is why the end works."),
     by("Lena", 3, "Magnificent, and far too long. I skipped two chapters and regretted one.")];
    3, "Frankenstein", "Mary Shelley", 1818, "paperback", 280, "English",
    "A student makes a living being and runs away from it. What follows is a chase across <em>Europe</em> to the ice, and an argument about who the monster is.",
    [by("Priya", 5, "The creature gets the best lines. I did not expect to be on its side by chapter ten."),
     by("Tomas", 4, "A horror story with very little horror and a great deal of grief.")];
    4, "Dracula", "Bram Stoker", 1897, "hardcover", 418, "English",
    "Letters, diaries and telegrams of a few people who notice, slowly, that their new neighbour casts no reflection.",
    [by("Mei", 4, "The first part in the castle is perfect. After that a railway timetable saves the day, which I liked too."),
     by("Oskar", 4, "A log file of an incident, written by the responders. Everybody on call should read it.")];
    5, "Alice's Adventures in Wonderland", "Lewis Carroll", 1865, "paperback", 196, "English",
    "A girl follows a rabbit that is late and lands where words mean what they please.",
    [by("Nadia", 5, "Read to a seven-year-old. We both laughed, at different places."),
     by("Ravi", 3, "Brilliant page by page, though I kept waiting for a story.")];
    6, "A Tale of Two Cities", "Charles Dickens", 1859, "paperback", 489, "English",
    "<em>London</em> and <em>Paris</em> before and during the Revolution, and three people whom both cities want.",
    [by("Chen", 4, "Slow to start; then the knitting begins to make sense and I could not stop."),
     by("Eva", 5, "I knew the last line already and it still got me.")];
    7, "The Time Machine", "H. G. Wells", 1895, "paperback", 118, "English",
    "An inventor tells his dinner guests where he was last week: eight hundred thousand years from now.",
    [by("Hana", 5, "Short enough for one evening, large enough for a month of thinking."),
     by("Marco", 4, "The beach at the end of the world is the strangest scene I know.")];
    8, "Jane Eyre", "Charlotte Bronte", 1847, "hardcover", 532, "English",
    "An orphan becomes a governess in a house with a locked third floor, and insists on being treated as an equal.",
    [by("Sofia", 5, "Her voice is so clear that I argued back."),
     by("Daniel", 4, "The best proposal scene and the worst kept secret in one book.")];
    9, "Twenty Thousand Leagues Under the Seas", "Jules Verne", 1870, "paperback", 394, "French",
    "Three men are taken aboard a submarine whose captain has given up the land for good.",
    [by("Yuki", 4, "Lists of fish, and then suddenly a funeral on the sea floor. Unforgettable."),
     by("Paul", 3, "I wanted more of the captain and fewer of the molluscs.")];
    10, "The Adventures of Sherlock Holmes", "Arthur Conan Doyle", 1892, "paperback", 307, "English",
    "Twelve cases from <em>Baker Street</em>: a red-headed league, a speckled band, a goose with something in its crop.",
    [by("Ines", 5, "Observability before there was a word for it: small signals, one cause."),
     by("Viktor", 5, "Start with the goose.")];
    11, "Wuthering Heights", "Emily Bronte", 1847, "paperback", 400, "English",
    "Two houses on a moor and a love that does neither of them any good, told by a housekeeper who saw it all.",
    [by("Farah", 4, "Nobody in it is likeable and I could not look away."),
     by("Liam", 3, "Bring a family tree. You will need it.")];
    12, "Journey to the West", "Wu Cheng'en", 1592, "hardcover", 640, "Chinese",
    "A monk walks to <em>India</em> for scriptures, with a monkey who once fought heaven, a pig, and a river spirit.",
    [by("Lin", 5, "The monkey carries the book, and the book knows it."),
     by("Greta", 4, "Eighty-one trials are many, but each has its own joke.")];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reviewer, Stars};

    #[test]
    fn every_book_is_whole() {
        assert!(products().len() >= 12);
        assert_eq!(products()[0].title, "The Comedy of Errors");
        for (index, book) in products().iter().enumerate() {
            assert_eq!(
                book.id.get(),
                index as i64,
                "{} has the id of another place",
                book.title
            );
            assert_eq!(product(book.id).map(|p| p.title), Some(book.title));
            let plain = book
                .description_html
                .replace("<em>", "")
                .replace("</em>", "");
            assert!(
                !plain.contains(['<', '>', '&']),
                "{} needs escaping",
                book.title
            );
            for review in &book.reviews {
                review.reviewer.parse::<Reviewer>().unwrap();
                Stars::try_from(review.stars).unwrap();
            }
        }
        assert!(
            product(ProductId::new(-1)).is_none() && product(ProductId::new(i64::MAX)).is_none()
        );
    }
}
