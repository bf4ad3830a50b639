//! Orders to a demo that runs, from another terminal: `bookwatch stop ratings`.
//!
//! They go over a Unix socket that is named after the user and the demo's first port, and are taken
//! from the same user alone. On Linux the socket has no file, so that none is left behind by a
//! process that was killed.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use nix::unistd::getuid;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::cli::OrderArgs;
use crate::refuse;

/// Longest order, in bytes.
const LONGEST: usize = 256;
/// Longest time for one order to come in, and for its answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Orders that may wait.
const QUEUE: usize = 8;

/// What is to happen to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It ends, and is not started again.
    Stop,
    /// It is started again.
    Start,
    /// It dies, and comes back by itself.
    Kill,
}

impl Deed {
    const ALL: [Self; 3] = [Self::Stop, Self::Start, Self::Kill];

    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Kill => "kill",
        }
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) deed: Deed,
    /// Name of a process, or `reviews` for all three.
    pub(crate) name: String,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.deed.word(), self.name)
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (word, name) = text.trim_end().split_once(' ').ok_or(())?;
        let deed = Deed::ALL.into_iter().find(|deed| deed.word() == word);
        Ok(Self {
            deed: deed.ok_or(())?,
            name: name.to_owned(),
        })
    }
}

/// An order with where its answer goes: what was done, or why not.
pub(crate) type Asked = (Order, oneshot::Sender<Result<String, String>>);

/// Takes orders for the demo on this port until the runtime ends.
pub(crate) fn listen(port_base: u16) -> io::Result<mpsc::Receiver<Asked>> {
    let listener = bind(port_base)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let (sender, orders) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, say: that passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // One at a time: who orders is a person.
            let _ = timeout(PATIENCE, serve(stream, &sender)).await;
            if sender.is_closed() {
                return;
            }
        }
    });
    Ok(orders)
}

async fn serve(mut stream: tokio::net::UnixStream, orders: &mpsc::Sender<Asked>) -> io::Result<()> {
    if stream.peer_cred()?.uid() != getuid().as_raw() {
        return Ok(());
    }
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() < LONGEST {
        if stream.read_buf(&mut line).await? == 0 {
            break;
        }
    }
    let order = str::from_utf8(&line)
        .ok()
        .and_then(|line| line.parse().ok());
    let answer = match order {
        None => Err("this is no order".to_owned()),
        Some(order) => {
            let (sender, answer) = oneshot::channel();
            let gone = || Err("the demo is stopping".to_owned());
            match orders.send((order, sender)).await {
                Ok(()) => answer.await.unwrap_or_else(|_| gone()),
                Err(_) => gone(),
            }
        }
    };
    let text = match answer {
        Ok(text) => format!("ok {text}\n"),
        Err(text) => format!("no {text}\n"),
    };
    stream.write_all(text.as_bytes()).await
}

/// Gives an order to the demo that runs. Exit codes: 0 done, 1 refused, 2 no demo runs there.
pub(crate) fn main(deed: Deed, args: &OrderArgs) -> ExitCode {
    let order = Order {
        deed,
        name: args.name.clone(),
    };
    let ask = || -> io::Result<String> {
        let mut stream = connect(args.port_base)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{order}\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match ask() {
        Ok(answer) => match answer.trim_end().split_once(' ') {
            Some(("ok", text)) => {
                tell(text);
                ExitCode::SUCCESS
            }
            Some((_, text)) => refuse(1, text),
            None => refuse(1, "the demo gave no answer"),
        },
        Err(error) => refuse(
            2,
            format!(
                "no demo of yours runs with --port-base {} ({error}); `bookwatch up` starts one",
                args.port_base
            ),
        ),
    }
}

#[expect(clippy::print_stdout, reason = "it is the answer to a person")]
fn tell(text: &str) {
    println!("{text}");
}

fn bind(port_base: u16) -> io::Result<UnixListener> {
    let address = address(port_base)?;
    // A file that nobody listens on was left by one that was killed.
    if let Some(file) = address.as_pathname()
        && UnixStream::connect_addr(&address).is_err()
    {
        let _ = std::fs::remove_file(file);
    }
    UnixListener::bind_addr(&address)
}

fn connect(port_base: u16) -> io::Result<UnixStream> {
    UnixStream::connect_addr(&address(port_base)?)
}

fn name(port_base: u16) -> String {
    format!("bookwatch-{}-{port_base}", getuid())
}

#[cfg(target_os = "linux")]
fn address(port_base: u16) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name(port_base))
}

#[cfg(not(target_os = "linux"))]
fn address(port_base: u16) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(std::env::temp_dir().join(name(port_base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        for deed in Deed::ALL {
            let order = Order {
                deed,
                name: "reviews-v1".to_owned(),
            };
            assert_eq!(format!("{order}\n").parse(), Ok(order));
        }
        for bad in ["", "stop", "burn ratings", "\n"] {
            assert!(bad.parse::<Order>().is_err(), "{bad}");
        }
    }
}
