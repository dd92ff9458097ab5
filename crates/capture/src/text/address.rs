//! Lists of addresses: `10.0.0.1:80,10.0.0.2:80 + 3 more...`.

use super::shape::{put, some};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One address with its port, where printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// IP without brackets.
    pub ip: String,
    /// Port, 0 when not printed.
    pub port: u16,
}

/// A printed list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// What was printed.
    pub addresses: Vec<Address>,
    /// How many were left out.
    pub more: u32,
}

/// Reads a list; `<none>` is the empty list.
pub fn list(cell: &str) -> List {
    let (shown, more) = cell.split_once('+').unwrap_or((cell, ""));
    let more = more.trim().split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let addresses = shown.split(',').filter_map(some).filter_map(address).collect();
    List { addresses, more }
}

fn address(text: &str) -> Option<Address> {
    let (ip, port) = match text.rsplit_once(':') {
        // `fd00::1` has no port; `[fd00::1]:80` has.
        Some((ip, port)) if !ip.contains(':') || ip.ends_with(']') => (ip, port.parse().ok()?),
        _ => (text, 0),
    };
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    ip.parse::<std::net::IpAddr>().ok()?;
    Some(Address { ip: ip.to_owned(), port })
}

/// The addresses as `subsets` of Endpoints, one for each port.
pub fn subsets(addresses: &[Address], port_name: Option<&str>) -> Value {
    let mut by_port: BTreeMap<u16, Vec<Value>> = BTreeMap::new();
    for address in addresses {
        by_port.entry(address.port).or_default().push(json!({"ip": address.ip}));
    }
    let subset = |(port, addresses): (u16, Vec<Value>)| {
        let mut subset = json!({"addresses": addresses});
        if port > 0 {
            let mut one = json!({"port": port});
            if let Some(name) = port_name {
                put(&mut one, "name", name);
            }
            put(&mut subset, "ports", json!([one]));
        }
        subset
    };
    Value::from(by_port.into_iter().map(subset).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let got = list("10.0.0.1:80,[fd00::1]:81,fd00::2 + 3 more...");
        assert_eq!(got.more, 3);
        let seen: Vec<_> = got.addresses.iter().map(|a| (a.ip.as_str(), a.port)).collect();
        assert_eq!(seen, [("10.0.0.1", 80), ("fd00::1", 81), ("fd00::2", 0)]);
        assert_eq!(list("<none>"), List::default());
        assert_eq!(subsets(&[], None), json!([]));
    }
}
