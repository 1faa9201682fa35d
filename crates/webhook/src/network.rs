//! Which addresses are the public internet's: to all others nothing is sent, so that nobody makes us knock at what is
//! behind our own doors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

/// What is not public: IANA's special-purpose registries (RFC 6890 and what came after), and multicast.
const RESERVED: &[&str] = &[
    // "This network", private use, carrier-grade NAT, loopback, link-local (where clouds keep their metadata)
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    // Protocol assignments, documentation, AS112, 6to4 relays, benchmarks
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    // Multicast, reserved, broadcast
    "224.0.0.0/4",
    "240.0.0.0/4",
    // IPv6 that is no global unicast (2000::/3 is all that is), and what is special within it
    "::/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "4000::/2",
    "8000::/1",
];

static NETWORKS: LazyLock<Vec<IpNet>> = LazyLock::new(|| RESERVED.iter().filter_map(|it| it.parse().ok()).collect());

/// The prefix of addresses that stand for IPv4 ones behind a translator (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// Whether an address is one of the public internet. What stands for an IPv4 address is taken for that one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V6(it) => match embedded(it) {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => outside(address),
        },
        IpAddr::V4(_) => outside(address),
    }
}

fn outside(address: IpAddr) -> bool {
    !NETWORKS.iter().any(|it| it.contains(&address))
}

/// The IPv4 address that a mapped or translated one stands for.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]].map(u16::to_be_bytes);
    let last = Ipv4Addr::new(high[0], high[1], low[0], low[1]);
    (segments[..6] == NAT64).then_some(last).or_else(|| address.to_ipv4_mapped())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn every_network_of_the_table_is_one() {
        assert_eq!(NETWORKS.len(), RESERVED.len());
    }

    #[test]
    fn what_is_public_is_let_through() {
        for it in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2400:cb00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(public(it), "{it}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for it in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2001:0:1::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!public(it), "{it}");
        }
    }
}
