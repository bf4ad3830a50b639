//! What a person sees in a real browser, with pictures.

mod burn;
mod console;
mod shop;
