//! DogStatsD datagrams, over UDP and over a Unix socket.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{UdpSocket, UnixDatagram};
use tokio_util::sync::CancellationToken;

use crate::dogstatsd::MAX_DATAGRAM;
use crate::store::{Source, Store};

/// What the kernel is asked to hold for us while we are busy, in bytes; it gives what its own limit allows.
const KERNEL_BUFFER: usize = 8 << 20;

/// How many datagrams are taken in one go: enough to make the lock cheap, few enough to hold it shortly.
const BATCH: usize = 32;

/// One byte more than the Agent reads, to see that a datagram is longer.
const SLOT: usize = MAX_DATAGRAM + 1;

/// A bound datagram socket.
#[derive(Debug)]
pub(super) enum Datagrams {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// The file of a Unix socket: removed when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already, or not ours any more: nothing to be done either way.
        let _ = fs::remove_file(&self.0);
    }
}

impl Datagrams {
    pub(super) fn udp(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        grow(SockRef::from(&socket));
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into()).map(Self::Udp)
    }

    pub(super) fn unix(path: &Path) -> io::Result<(Self, SocketFile)> {
        remove_stale(path)?;
        let socket = UnixDatagram::bind(path)?;
        let file = SocketFile(path.to_owned());
        grow(SockRef::from(&socket));
        // As the Agent has it: every user may write.
        fs::set_permissions(path, fs::Permissions::from_mode(0o722))?;
        Ok((Self::Unix(socket), file))
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Udp(socket) => socket.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.readable().await,
            Self::Unix(socket) => socket.readable().await,
        }
    }

    fn try_recv(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.try_recv(into),
            Self::Unix(socket) => socket.try_recv(into),
        }
    }
}

/// A larger buffer is a wish: without it we only lose datagrams sooner.
fn grow(socket: SockRef<'_>) {
    if let Err(error) = socket.set_recv_buffer_size(KERNEL_BUFFER) {
        tracing::debug!(%error, "the receive buffer keeps its size");
    }
}

/// Removes a socket that nobody listens on. One that somebody listens on is in use, and another file is not ours to remove.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(file) if !file.file_type().is_socket() => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "there is a file of this name that is not a socket",
        )),
        Ok(_) => match std::os::unix::net::UnixDatagram::unbound()?.connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
            Err(error) => Err(error),
            Ok(()) => Err(io::Error::new(
                ErrorKind::AddrInUse,
                "another process listens on this socket",
            )),
        },
    }
}

/// Takes datagrams until told to stop; then closes the way in, if it is a file, and takes what the kernel still holds.
pub(super) async fn receive(
    socket: Datagrams,
    mut file: Option<SocketFile>,
    source: Source,
    store: Store,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; SLOT * BATCH];
    loop {
        let stopping = tokio::select! {
            () = stop.cancelled() => true,
            ready = socket.readable() => {
                if let Err(error) = ready {
                    pause(&error).await;
                }
                false
            }
        };
        if stopping {
            file.take();
        }
        if let Err(error) = drain(
            &socket,
            source,
            &store,
            &mut buffer,
            if stopping { usize::MAX } else { 1 },
        ) {
            pause(&error).await;
        }
        if stopping {
            return;
        }
        tokio::task::consume_budget().await;
    }
}

/// Takes at most so many batches, fewer if no more is there.
fn drain(
    socket: &Datagrams,
    source: Source,
    store: &Store,
    buffer: &mut [u8],
    batches: usize,
) -> io::Result<()> {
    for _ in 0..batches {
        let mut lengths = [0; BATCH];
        let mut count = 0;
        let mut end = Ok(());
        for (slot, length) in buffer.chunks_exact_mut(SLOT).zip(&mut lengths) {
            match socket.try_recv(slot) {
                Ok(received) => *length = received,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            }
            count += 1;
        }
        if count > 0 {
            let datagrams = buffer.chunks_exact(SLOT).zip(lengths).take(count);
            store.take_datagrams(
                source,
                datagrams.filter_map(|(slot, length)| slot.get(..length)),
            );
        }
        match end {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// An error on a datagram socket passes (the kernel is out of memory); it must not make a busy loop.
async fn pause(error: &io::Error) {
    tracing::warn!(%error, "reading a datagram failed");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// The drops that Linux counts for the UDP sockets of this port, in the last column of its tables.
pub(super) fn lost(address: SocketAddr) -> Option<u64> {
    let table = if address.is_ipv4() {
        "/proc/net/udp"
    } else {
        "/proc/net/udp6"
    };
    drops(&fs::read_to_string(table).ok()?, address.port())
}

fn drops(table: &str, port: u16) -> Option<u64> {
    let rows = table.lines().skip(1).filter_map(|row| {
        let mut columns = row.split_ascii_whitespace();
        let (_, local) = columns.nth(1)?.rsplit_once(':')?;
        let drops = columns.last()?.parse::<u64>().ok()?;
        (u16::from_str_radix(local, 16).ok()? == port).then_some(drops)
    });
    rows.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::drops;

    const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  110: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 31337 2 0000000000000000 42
  111: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 31338 2 0000000000000000 7
";

    #[test]
    fn drops_are_those_of_the_port() {
        assert_eq!(drops(TABLE, 8125), Some(42));
        assert_eq!(drops(TABLE, 53), Some(7));
        assert_eq!(drops(TABLE, 54), None);
        assert_eq!(drops("", 53), None);
    }
}
