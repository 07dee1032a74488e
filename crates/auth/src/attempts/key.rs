//! What somebody is counted by.

use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest as _, Sha256};

/// A text that somebody sent, as long however long that is.
pub(super) type Name = [u8; 32];

/// What a text is remembered by.
pub(super) fn name(text: &str) -> Name {
    Sha256::digest(text).into()
}

/// Whoever can have this address can have these: of IPv6 all of a /64, which is the least
/// that one subscriber is given (RFC 6177).
pub(crate) fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        for (address, is) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("", ""),
        ] {
            assert_eq!(network(address), is);
        }
    }
}
