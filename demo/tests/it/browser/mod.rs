//! What a person sees in a real browser, with pictures.

mod console;
mod shop;
