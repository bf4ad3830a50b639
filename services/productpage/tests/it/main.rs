//! The product page over HTTP, against services that do what each test tells them.

mod account;
mod api;
mod fake;
mod headers;
mod pages;
mod rate;
mod shop;
mod site;
