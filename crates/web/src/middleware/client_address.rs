//! Who is at the other end, when a proxy stands between.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are read only when the peer of the
//! connection is a trusted proxy, and `X-Forwarded-For` from the right, where the
//! proxies we trust have written: everything left of the first address that is not
//! a trusted proxy's is the caller's own invention. RFC 7239's `Forwarded` is not
//! read.

use std::{net::IpAddr, str::FromStr};

use http::{HeaderMap, HeaderName};

/// Addresses of `X-Forwarded-For` that are looked at, from the right.
const HOPS_MAX: usize = 32;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address of the caller, behind every trusted proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRange {
    network: u128,
    mask: u128,
}

/// A text that is no address and no range of addresses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a range such as `10.0.0.0/8`")]
pub struct IpRangeError(String);

impl IpRange {
    /// Whether the address lies in the range. An IPv4 address and the same address
    /// mapped into IPv6 are one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        widen(address) & self.mask == self.network
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || IpRangeError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse::<u32>().map_err(|_| error())?
            }
            Some(_) => return Err(error()),
            None => bits,
        };
        if prefix > bits {
            return Err(error());
        }
        // An IPv4 address occupies the last 32 bits of its mapped form.
        let fixed = prefix + (128 - bits);
        let mask = if fixed == 0 { 0 } else { u128::MAX << (128 - fixed) };
        Ok(Self { network: widen(address) & mask, mask })
    }
}

/// Every address as 128 bits, IPv4 in its mapped form.
fn widen(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// What is known of a request's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) client: ClientAddress,
    /// Whether the peer of the connection is a trusted proxy.
    pub(crate) proxied: bool,
    /// Whether a trusted proxy says that the caller came over HTTPS.
    pub(crate) https: bool,
}

/// Finds the caller behind `peer`.
pub(crate) fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpRange]) -> Origin {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return Origin { client: ClientAddress(peer), proxied: false, https: false };
    }
    let https = headers
        .get_all(X_FORWARDED_PROTO)
        .iter()
        .next_back()
        .and_then(|value| value.as_bytes().rsplit(|byte| *byte == b',').next())
        .is_some_and(|scheme| scheme.trim_ascii().eq_ignore_ascii_case(b"https"));
    let client = ClientAddress(walk(peer, headers, trusted));
    Origin { client, proxied: true, https }
}

fn is_trusted(address: IpAddr, trusted: &[IpRange]) -> bool {
    trusted.iter().any(|range| range.contains(address))
}

/// From the right, the first address that is not a trusted proxy's; where that is
/// unreadable, the last proxy that was.
fn walk(peer: IpAddr, headers: &HeaderMap, trusted: &[IpRange]) -> IpAddr {
    let hops = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut nearest = peer;
    for hop in hops.take(HOPS_MAX) {
        let Some(address) = read_hop(hop) else { return nearest };
        nearest = address;
        if !is_trusted(address, trusted) {
            return address;
        }
    }
    nearest
}

/// An address, with or without a port: `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`.
fn read_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop.trim_ascii()).ok()?;
    let address = match text.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inside) => inside.parse().ok()?,
            None => text.parse::<std::net::SocketAddr>().ok()?.ip(),
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ranges(texts: &[&str]) -> Vec<IpRange> {
        texts.iter().map(|text| text.parse().expect("a range")).collect()
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let trusted = ranges(&["10.0.0.0/8", "fd00::/8"]);
        resolve(peer.parse().unwrap(), &headers, &trusted).client.0.to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(client("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.2.3.4", "203.0.113.9, 10.0.0.7"]), "203.0.113.9");
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk_at_the_last_trusted_proxy() {
        assert_eq!(client("10.0.0.1", &["1.2.3.4, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[""]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_chain_of_trusted_proxies_alone_gives_the_leftmost_and_is_bounded() {
        assert_eq!(client("10.0.0.1", &["10.9.9.9, 10.0.0.2"]), "10.9.9.9");
        let long = ["10.0.0.2"; 40].join(",");
        assert_eq!(client("10.0.0.1", &[&format!("203.0.113.9,{long}")]), "10.0.0.2");
    }

    #[test]
    fn the_scheme_is_the_nearest_proxys_word_alone() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_PROTO, HeaderValue::from_static("https, http"));
        let trusted = ranges(&["10.0.0.1"]);
        assert!(!resolve("10.0.0.1".parse().unwrap(), &headers, &trusted).https);
        headers.append(X_FORWARDED_PROTO, HeaderValue::from_static("HTTPS"));
        assert!(resolve("10.0.0.1".parse().unwrap(), &headers, &trusted).https);
        assert!(!resolve("10.0.0.2".parse().unwrap(), &headers, &trusted).https);
    }

    #[test]
    fn ranges_are_exact_at_their_edges() {
        let range: IpRange = "10.1.0.0/16".parse().unwrap();
        assert!(range.contains("10.1.255.255".parse().unwrap()));
        assert!(!range.contains("10.2.0.0".parse().unwrap()));
        assert!(range.contains("::ffff:10.1.0.1".parse().unwrap()));
        let everything: IpRange = "::/0".parse().unwrap();
        assert!(everything.contains("1.2.3.4".parse().unwrap()));
        let every_v4: IpRange = "0.0.0.0/0".parse().unwrap();
        assert!(every_v4.contains("1.2.3.4".parse().unwrap()));
        assert!(!every_v4.contains("2001:db8::1".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/129", "host", "1.2.3.4/"] {
            assert_eq!(text.parse::<IpRange>(), Err(IpRangeError(text.to_owned())));
        }
    }
}
