//! Objectives in the words of other tools: what the tools themselves make of them, and that the
//! files of this repository are what the program writes.

mod datadog;
mod openslo;
mod prometheus;

use std::path::{Path, PathBuf};

use synthetics::config::Config;
use synthetics::export::{Exported, Format, export};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

pub(crate) fn config(text: &str) -> Config {
    Config::parse(&"test.yaml".into(), text, Path::new(""), &|_| None)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn built_in(format: Format) -> Exported {
    export(&Config::built_in(&|_| None).expect("it is sound"), format)
}

/// One check, four locations, and this objective on it.
pub(crate) fn one(objective: &str) -> String {
    format!(
        "version: 1\n\
         locations: [{{name: tokyo}}, {{name: osaka}}, {{name: seoul}}, {{name: sydney}}]\n\
         checks: [{{name: page, http: {{url: 'http://shop.test/'}}}}]\n\
         slos: [{{name: it, checks: [page], {objective}}}]\n"
    )
}
