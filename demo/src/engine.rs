//! The embedded DynamoDB as a server.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bookinfo::store::{Store, StoreArgs};
use dynoxide::Database;
use dynoxide::server::{serve_on, serve_with_shutdown};
use socket2::{Domain, Protocol, Socket, Type};
use telemetry::Settings;
use tokio::net::TcpListener;

use crate::cli::EngineArgs;
use crate::stop::Requests;
use crate::{ports, refuse};

/// Name of the data file in a directory.
const FILE: &str = "bookwatch.sqlite";
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Longest wait for clients with half a request when stopping.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or Ctrl-C. Exit codes: 0 stopped, 1 failed, 2 cannot start as told.
pub(crate) fn main(args: &EngineArgs) -> ExitCode {
    let address = SocketAddr::new(args.listen_address, args.port);
    if let Some(taken) = ports::check("dynamodb", address) {
        return refuse(
            2,
            format!("{taken}\nend what runs there, or use --port PORT"),
        );
    }
    let telemetry = match telemetry::init("dynamodb", &settings(&args.telemetry)) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(2, error),
    };
    let code = match open(args.data.as_deref()) {
        Ok(database) => match run(args, address, database) {
            Ok(()) => {
                tracing::info!("stopped");
                ExitCode::SUCCESS
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the embedded store failed");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "cannot start");
            ExitCode::from(2)
        }
    };
    telemetry.shutdown();
    code
}

/// No spans from inside the store, as from the real one; and a condition that does not hold is an
/// answer, not worth a warning.
fn settings(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.otel_sdk_disabled = true;
    settings.dd_dogstatsd_disable = true;
    if !settings.log_filter.contains("dynoxide") {
        settings.log_filter.push_str(",dynoxide=error");
    }
    settings
}

fn run(args: &EngineArgs, address: SocketAddr, database: Database) -> anyhow::Result<()> {
    // SQLite sits behind one lock: more threads would only wait for it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no event loop")?;
    runtime.block_on(async {
        let mut requests = Requests::listen().context("no signal handler")?;
        if args.seed {
            tokio::select! {
                seeded = seed(&database, &args.table_prefix) => seeded?,
                () = requests.next() => return Ok(()),
            }
        }
        let listener = listen(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().unwrap_or(address);
        let data = args.data.as_deref().map_or_else(
            || "in memory".to_owned(),
            |path| data_file(path).display().to_string(),
        );
        tracing::info!(%address, data, "listening");
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let serve = serve_with_shutdown(listener, database, async {
            let _ = stopped.await;
        });
        tokio::pin!(serve);
        let told = tokio::select! {
            ended = &mut serve => ended,
            () = requests.next() => {
                drop(stopping);
                // Who has not finished by now is cut off; what was answered is stored.
                tokio::time::timeout(STOP_LIMIT, serve).await.unwrap_or(Ok(()))
            }
        };
        told.map_err(anyhow::Error::msg)
    })
}

/// Writes the catalogue over a port that nobody knows, before anyone else can ask.
async fn seed(database: &Database, table_prefix: &str) -> anyhow::Result<()> {
    let listener = listen(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0))
        .context("no port to seed the tables on")?;
    let args = StoreArgs {
        table_prefix: table_prefix.to_owned(),
        dynamodb_endpoint: Some(format!("http://{}", listener.local_addr()?)),
        ..StoreArgs::default()
    };
    let server = tokio::spawn(serve_on(listener, database.clone()));
    let seeded = crate::seed::fill(&Store::connect(&args).await?).await;
    server.abort();
    let seeded = seeded?;
    tracing::info!(
        details = seeded.details,
        reviews = seeded.reviews,
        ratings = seeded.ratings,
        "tables are ready, new items counted"
    );
    Ok(())
}

/// The database in memory, or in the file of that path.
fn open(path: Option<&Path>) -> anyhow::Result<Database> {
    let Some(path) = path else {
        return Database::memory().context("no database in memory");
    };
    let file = data_file(path);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("--data: cannot create {}", folder.display()))?;
    }
    let name = file
        .to_str()
        .with_context(|| format!("--data: {} is not UTF-8", file.display()))?;
    Database::new(name).with_context(|| format!("--data: cannot open {name}"))
}

/// The file for `path`: itself, or one in it where it is a directory or is written as one.
fn data_file(path: &Path) -> PathBuf {
    let as_directory = path.to_string_lossy().ends_with('/');
    if path.is_dir() || as_directory {
        path.join(FILE)
    } else {
        path.to_owned()
    }
}

/// A listener whose connections send small answers at once: they inherit its `TCP_NODELAY`.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_to_a_file_or_into_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(data_file(folder.path()), folder.path().join(FILE));
        assert_eq!(data_file(Path::new("new/")), Path::new("new").join(FILE));
        let file = folder.path().join("deep/er/shop.db");
        assert_eq!(data_file(&file), file);
        open(Some(&file)).unwrap();
        assert!(file.is_file());
        let message = format!("{:#}", open(Some(&file.join("below"))).err().unwrap());
        assert!(message.contains("shop.db"), "{message}");
    }
}
