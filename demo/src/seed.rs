//! Tables and catalogue.

use std::process::ExitCode;

use anyhow::Context as _;
use bookinfo::store::{Seeded, Store, StoreArgs};

use crate::logs::{Printer, Stream};
use crate::{event_loop, refuse};

/// Creates what is missing and says how much that was. Exit codes: 0 done, 1 the store failed, 2 the
/// settings cannot be used.
pub(crate) fn main(args: &StoreArgs) -> ExitCode {
    let runtime = match event_loop() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    runtime.block_on(async {
        let store = match Store::connect(args).await {
            Ok(store) => store,
            Err(error) => return refuse(2, error),
        };
        match fill(&store).await {
            Ok(Seeded {
                details,
                reviews,
                ratings,
            }) => {
                let printer = Printer::start(Stream::Out);
                printer.print(format!(
                    "tables `{}*` are ready; new: {details} details, {reviews} reviews, {ratings} ratings\n",
                    args.table_prefix
                ));
                printer.flush();
                ExitCode::SUCCESS
            }
            Err(error) => refuse(1, format!("{error:#}")),
        }
    })
}

/// Creates the tables and writes the catalogue, where they are not there yet.
pub(crate) async fn fill(store: &Store) -> anyhow::Result<Seeded> {
    store
        .create_tables()
        .await
        .context("cannot create the tables")?;
    store.seed().await.context("cannot write the catalogue")
}
