//! Whether the ports are free, before anything is started; and who has them if not.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use crate::plan::{Door, PORT_BASE, PORTS, Plan, Program, Transport};

/// An address that cannot be listened on.
#[derive(Debug)]
pub(crate) struct Taken {
    name: String,
    door: Door,
    error: io::Error,
    holder: Option<Holder>,
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    command: String,
    pid: i32,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, door, .. } = self;
        match door.transport {
            Transport::Tcp => write!(f, "{} ({name}) ", door.address)?,
            Transport::Udp => write!(f, "{}/udp ({name}) ", door.address)?,
        }
        match (self.error.kind(), &self.holder) {
            (io::ErrorKind::AddrInUse, Some(holder)) => {
                write!(f, "is in use by {}, process {}", holder.command, holder.pid)
            }
            (io::ErrorKind::AddrInUse, None) => {
                write!(f, "is in use, by a process that cannot be seen from here")
            }
            _ => write!(f, "cannot be listened on: {}", self.error),
        }
    }
}

/// The addresses of the plan that cannot be had now.
pub(crate) fn taken(plan: &Plan) -> Vec<Taken> {
    plan.processes
        .iter()
        .flat_map(|spec| {
            spec.doors().filter_map(|door| {
                let name = match Some(door.address) == spec.listens {
                    true => spec.name.to_owned(),
                    false => format!("{}, {}", spec.name, door.what),
                };
                check_door(name, door)
            })
        })
        .collect()
}

/// `None` where the address is free for HTTP.
pub(crate) fn check(name: &str, address: SocketAddr) -> Option<Taken> {
    let door = Door {
        what: "HTTP",
        address,
        transport: Transport::Tcp,
    };
    check_door(name.to_owned(), door)
}

fn check_door(name: String, door: Door) -> Option<Taken> {
    // Bound as the servers bind it, and let go again at once.
    let error = match door.transport {
        Transport::Tcp => TcpListener::bind(door.address).err()?,
        Transport::Udp => UdpSocket::bind(door.address).err()?,
    };
    let holder = match error.kind() {
        io::ErrorKind::AddrInUse => holder(door),
        _ => None,
    };
    Some(Taken {
        name,
        door,
        error,
        holder,
    })
}

/// The whole message: what, by whom, and the way out.
pub(crate) fn explain(plan: &Plan, taken: &[Taken]) -> String {
    let mut text = String::from("nothing was started, since not all addresses are free:");
    for one in taken {
        text.push_str(&format!("\n  {one}"));
    }
    let in_use = taken
        .iter()
        .any(|one| one.error.kind() == io::ErrorKind::AddrInUse);
    if !in_use {
        return text;
    }
    text.push_str("\nend what runs there, or move the demo");
    match free_base(plan) {
        Some(base) => text.push_str(&format!(": bookwatch up --port-base {base}")),
        None => text.push_str(" with --port-base PORT"),
    }
    let one_of = |program| {
        let spec = plan.processes.iter().find(|spec| spec.program == program);
        let listens = spec.and_then(|spec| spec.listens);
        matches!(taken, [one] if Some(one.door.address) == listens)
    };
    if one_of(Program::Dynamodb) {
        text.push_str("\nor move the store alone: bookwatch up --dynamodb-port PORT");
    }
    if one_of(Program::Console) {
        text.push_str("\nor move the console's pages alone: bookwatch up --console-port PORT");
    }
    if one_of(Program::Synthetics) {
        text.push_str("\nor move the status page alone: bookwatch up --status-port PORT");
    }
    let agents = plan.console().is_some_and(|console| {
        let mut doors = console.also_listens.iter();
        doors.any(|door| taken.iter().any(|one| one.door == *door))
    });
    if agents {
        text.push_str(
            "\nis it an agent that should get the telemetry? Then name it, and no console is started: bookwatch up --dd-agent-host 127.0.0.1",
        );
    }
    text
}

/// A base from which all ports that a plan may take are free.
fn free_base(plan: &Plan) -> Option<u16> {
    let ip = plan.processes.iter().find_map(|spec| spec.listens)?.ip();
    (1..100)
        .filter_map(|step| PORT_BASE.checked_add(step * 100))
        .take_while(|base| *base <= u16::MAX - PORTS)
        .find(|base| {
            (*base..=base + PORTS).all(|port| {
                TcpListener::bind((ip, port)).is_ok() && UdpSocket::bind((ip, port)).is_ok()
            })
        })
}

/// Who listens there, as far as this user may see.
#[cfg(target_os = "linux")]
fn holder(door: Door) -> Option<Holder> {
    use procfs::net::{TcpState, tcp, tcp6, udp, udp6};
    use procfs::process::{FDTarget, all_processes};

    let port = door.address.port();
    let inodes: Vec<u64> = match door.transport {
        Transport::Tcp => [tcp(), tcp6()]
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)
            .map(|entry| entry.inode)
            .collect(),
        Transport::Udp => [udp(), udp6()]
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.local_address.port() == port)
            .map(|entry| entry.inode)
            .collect(),
    };
    let holds = |process: &procfs::process::Process| {
        process.fd().is_ok_and(|mut open| {
            open.any(|fd| {
                fd.is_ok_and(|fd| matches!(fd.target, FDTarget::Socket(i) if inodes.contains(&i)))
            })
        })
    };
    let process = all_processes().ok()?.flatten().find(holds)?;
    let command = process.stat().map(|stat| stat.comm).unwrap_or_default();
    Some(Holder {
        command: command.escape_debug().to_string(),
        pid: process.pid,
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_door: Door) -> Option<Holder> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_free_and_a_taken_one_names_who_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = check("details", address).expect("it is taken");
        let message = taken.to_string();
        assert!(message.contains(&format!("{address} (details)")));
        if cfg!(target_os = "linux") {
            let me = format!("process {}", std::process::id());
            assert!(message.contains(&me), "{message}");
        }
        drop(listener);
        assert!(check("details", address).is_none());
    }

    #[test]
    fn a_datagram_port_that_is_taken_names_who_has_it() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let door = Door {
            what: "DogStatsD",
            address: socket.local_addr().unwrap(),
            transport: Transport::Udp,
        };
        let taken = check_door("console, DogStatsD".to_owned(), door).expect("it is taken");
        let message = taken.to_string();
        assert!(message.contains("/udp (console, DogStatsD)"), "{message}");
        if cfg!(target_os = "linux") {
            let me = format!("process {}", std::process::id());
            assert!(message.contains(&me), "{message}");
        }
        drop(socket);
        assert!(check_door("x".to_owned(), door).is_none());
    }

    #[test]
    fn an_address_of_another_machine_is_told_from_a_port_in_use() {
        let elsewhere = "192.0.2.1:9080".parse().unwrap();
        let message = check("details", elsewhere).expect("not ours").to_string();
        assert!(message.contains("cannot be listened on"), "{message}");
    }
}
