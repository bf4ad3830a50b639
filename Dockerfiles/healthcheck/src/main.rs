//! `healthcheck PORT [PATH]`: is the server on this machine well?
//!
//! Docker and the platforms like it ask by running a program in the container, and our images hold neither a shell
//! nor `curl`. With a path it wants an answer of 2xx to `GET`; without one, a connection is enough.
//!
//! Exit codes, as Docker reads them: 0 well, 1 not; a call that makes no sense counts as not.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for the connection, and again for each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// `HTTP/1.1 200`: what the answer has to begin with, in bytes.
const STATUS_LINE: usize = 12;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match check(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Docker keeps what it says with the container's state. Where nobody listens, the code still tells.
            let _ = writeln!(std::io::stderr(), "healthcheck: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn check(words: &[String]) -> Result<(), String> {
    let usage = || "write `healthcheck PORT [PATH]`, such as `healthcheck 9080 /livez`".to_owned();
    let (port, path) = match words {
        [port] => (port, None),
        [port, path] => (port, Some(path)),
        _ => return Err(usage()),
    };
    let port: u16 = port.parse().map_err(|_| usage())?;
    if path.is_some_and(|path| !path.starts_with('/') || path.contains(char::is_whitespace)) {
        return Err(usage());
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|error| format!("no connection to {address}: {error}"))?;
    let Some(path) = path else { return Ok(()) };
    let failed = |error: std::io::Error| format!("no answer from {address}{path}: {error}");
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut status = [0; STATUS_LINE];
    stream.read_exact(&mut status).map_err(failed)?;
    if status.starts_with(b"HTTP/1.") && status[8..].starts_with(b" 2") {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&status);
    Err(format!(
        "{address}{path} answered `{}`",
        told.escape_debug()
    ))
}
