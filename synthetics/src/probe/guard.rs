//! Which hosts and addresses may be probed.
//!
//! A configuration decides where requests go, and so does everybody who can answer with a
//! redirect or move a name. So each address is looked at after its name is resolved, and again at
//! each redirect: it must be on the list, and link-local and metadata addresses must be there as
//! addresses, because from inside a cloud they hand out credentials.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// This host.
    Host(String),
    /// Every host below this domain, not the domain itself: `*.example.com`.
    Below(String),
    /// These addresses, under whatever name.
    Network(IpNet),
}

/// A text that is no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a host (`shop.example.com`, `*.example.com`) nor a network (`10.0.0.0/8`, `::1`)"
)]
pub struct AllowedError(String);

impl FromStr for Allowed {
    type Err = AllowedError;

    fn from_str(text: &str) -> Result<Self, AllowedError> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        let error = || AllowedError(text.chars().take(80).collect());
        let lower = text.to_ascii_lowercase();
        let (below, host) = match lower.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, lower.as_str()),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let label = |label: &str| !label.is_empty() && label.len() <= 63;
        let numbers = host.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !host.chars().all(fits) || !host.split('.').all(label) || numbers || host.len() > 253 {
            return Err(error());
        }
        let host = host.to_owned();
        Ok(if below {
            Self::Below(host)
        } else {
            Self::Host(host)
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Below(host) => write!(f, "*.{host}"),
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                network.addr().fmt(f)
            }
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// The list. An empty one allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    allowed: Vec<Allowed>,
    /// Hosts and addresses that the checks name themselves. An address counts as named there
    /// only where it is not one of the protected ones.
    named: Vec<Allowed>,
}

/// Why an address may not be probed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It is not on the list.
    #[error("`{host}` is not on the list of hosts that may be probed; add it to `network.allow`")]
    Host {
        /// The host.
        host: String,
    },
    /// The name is on the list, and leads to an address that is protected.
    #[error(
        "`{host}` leads to {address}, which is {what}: it may be probed only if `network.allow` has the address"
    )]
    Address {
        /// The host.
        host: String,
        /// What it was resolved to.
        address: IpAddr,
        /// What kind of address that is.
        what: &'static str,
    },
}

impl Guard {
    /// Allows these.
    #[must_use]
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self {
            allowed,
            named: Vec::new(),
        }
    }

    /// Also allows a host that a check names, as far as that goes: a protected address stays
    /// forbidden.
    pub fn name(&mut self, host: &str) {
        if let Ok(entry) = host.parse::<Allowed>()
            && !self.named.contains(&entry)
        {
            self.named.push(entry);
        }
    }

    /// Whether a request may go to `host` at `address`, which is what the host resolved to.
    ///
    /// # Errors
    /// Why not.
    pub fn permits(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        let listed = |list: &[Allowed]| {
            list.iter().any(
                |entry| matches!(entry, Allowed::Network(network) if network.contains(&address)),
            )
        };
        if listed(&self.allowed) {
            return Ok(());
        }
        let what = protected(address);
        if what.is_none() && listed(&self.named) {
            return Ok(());
        }
        if !self.permits_name(host) && !listed(&self.named) {
            return Err(Forbidden::Host { host: host.into() });
        }
        // `localhost` is the one name that means the machine itself.
        let loopback = address.is_loopback() && host != "localhost" && !is_address(host);
        match what.or(loopback.then_some("this machine")) {
            None => Ok(()),
            Some(what) => Err(Forbidden::Address {
                host: host.into(),
                address,
                what,
            }),
        }
    }

    /// Whether `host` is on the list by name; if not, its addresses may be.
    #[must_use]
    pub fn permits_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.allowed
            .iter()
            .chain(&self.named)
            .any(|entry| match entry {
                Allowed::Host(name) => host.eq_ignore_ascii_case(name),
                Allowed::Below(domain) => {
                    host.len() > domain.len() + 1
                        && host.is_char_boundary(host.len() - domain.len())
                        && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
                        && host.as_bytes()[host.len() - domain.len() - 1] == b'.'
                }
                Allowed::Network(_) => false,
            })
    }

    /// Whether the list has addresses, so that a name that is not on it may still lead there.
    #[must_use]
    pub fn has_networks(&self) -> bool {
        self.allowed
            .iter()
            .any(|entry| matches!(entry, Allowed::Network(_)))
    }
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// What makes an address one that nobody probes by accident.
#[must_use]
pub fn protected(address: IpAddr) -> Option<&'static str> {
    /// Where clouds keep the metadata of a machine, besides the link-local ones.
    const METADATA_V4: [Ipv4Addr; 2] = [
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(168, 63, 129, 16),
    ];
    const METADATA_V6: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    match address.to_canonical() {
        IpAddr::V4(v4) if v4 == Ipv4Addr::new(169, 254, 169, 254) || METADATA_V4.contains(&v4) => {
            Some("a metadata address")
        }
        IpAddr::V6(v6) if METADATA_V6.contains(&v6) => Some("a metadata address"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("link-local"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
        ip if ip.is_unspecified() => Some("no address of a host"),
        ip if ip.is_multicast() => Some("a multicast address"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("a broadcast address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str], named: &[&str]) -> Guard {
        let allowed = allowed
            .iter()
            .map(|text| text.parse().expect(text))
            .collect();
        let mut guard = Guard::new(allowed);
        named.iter().for_each(|host| guard.name(host));
        guard
    }

    fn permits(guard: &Guard, host: &str, address: &str) -> bool {
        guard.permits(host, address.parse().expect(address)).is_ok()
    }

    #[test]
    fn names_and_networks() {
        let guard = guard(&["shop.test", "*.wild.test", "10.0.0.0/8", "::1"], &[]);
        for (host, address, allowed) in [
            ("shop.test", "192.0.2.1", true),
            ("SHOP.test.", "192.0.2.1", true),
            ("a.shop.test", "192.0.2.1", false),
            ("a.wild.test", "192.0.2.1", true),
            ("a.b.wild.test", "192.0.2.1", true),
            ("wild.test", "192.0.2.1", false),
            ("xwild.test", "192.0.2.1", false),
            ("other.test", "10.1.2.3", true),
            ("other.test", "11.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("::1", "::1", true),
            ("x", "::ffff:10.1.2.3", true),
        ] {
            assert_eq!(permits(&guard, host, address), allowed, "{host} {address}");
        }
    }

    #[test]
    fn a_name_on_the_list_opens_no_protected_address() {
        let guard = guard(
            &["shop.test"],
            &["shop.test", "169.254.169.254", "127.0.0.1"],
        );
        for address in [
            "169.254.169.254",
            "169.254.1.1",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            let refused = guard.permits("shop.test", address.parse().expect(address));
            assert!(
                matches!(refused, Err(Forbidden::Address { .. })),
                "{address}"
            );
            assert!(!permits(&guard, address, address), "{address}");
        }
        assert!(
            permits(&guard, "127.0.0.1", "127.0.0.1"),
            "a check names it"
        );
        let open = self::guard(&["169.254.169.254"], &[]);
        assert!(permits(&open, "169.254.169.254", "169.254.169.254"));
        assert!(permits(&open, "metadata.test", "169.254.169.254"));
    }

    #[test]
    fn only_localhost_means_this_machine() {
        let guard = guard(&["shop.test", "localhost"], &[]);
        assert!(permits(&guard, "localhost", "127.0.0.1"));
        assert!(permits(&guard, "localhost", "::1"));
        assert!(!permits(&guard, "shop.test", "127.0.0.1"));
        assert!(
            !permits(&guard, "127.0.0.1", "127.0.0.1"),
            "not on the list"
        );
    }

    #[test]
    fn entries_are_read_and_shown() {
        for text in ["shop.test", "*.shop.test", "10.0.0.0/8", "::1", "127.0.0.1"] {
            assert_eq!(text.parse::<Allowed>().expect(text).to_string(), text);
        }
        for bad in [
            "",
            "*",
            "*.",
            "a b",
            "http://x",
            "10.0.0",
            "1.2.3.4/33",
            "a..b",
        ] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
    }
}
