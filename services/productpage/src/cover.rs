//! A cover for every book, drawn from its number: no image is loaded.

use askama::Template;
use bookinfo::catalogue::Product;

/// Most characters of a line of the title, where no word is longer.
const LINE: usize = 12;
/// Room for a line, in the drawing's units, and the largest letters in it.
const LINE_WIDTH: usize = 196;
const FONT_SIZE: usize = 29;
/// Number of motifs in the template.
const MOTIFS: i64 = 7;

#[derive(Template)]
#[template(path = "cover.svg")]
struct Cover<'a> {
    hue: i64,
    second_hue: i64,
    motif: i64,
    lines: Vec<Line>,
    font_size: usize,
    author: &'a str,
}

struct Line {
    y: usize,
    text: String,
}

/// The cover as an SVG element.
pub(crate) fn draw(book: &Product) -> String {
    let id = book.id.get();
    // Steps of 137 degrees (the golden angle) keep neighbours apart.
    let hue = (id * 137 + 205).rem_euclid(360);
    let texts = wrap(book.title, LINE);
    let longest = texts.iter().map(|line| line.chars().count()).max();
    // A bold letter of a wide serif face takes 0.68 of its size on average.
    let font_size = FONT_SIZE.min(LINE_WIDTH * 100 / (68 * longest.unwrap_or(1).max(1)));
    let lines = texts
        .into_iter()
        .enumerate()
        .map(|(row, text)| Line {
            y: 52 + row * (font_size + 5),
            text,
        })
        .collect();
    Cover {
        hue,
        second_hue: (hue + 40) % 360,
        motif: id.rem_euclid(MOTIFS),
        lines,
        font_size,
        author: book.author,
    }
    .render()
    .unwrap_or_default() // writing to a string does not fail
}

/// Words in lines of at most `width` characters; a longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
