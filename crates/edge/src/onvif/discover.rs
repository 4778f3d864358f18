//! Finding devices: a WS-Discovery probe (SOAP over UDP multicast, ONVIF Core 7) on every network of this machine, and
//! the answers that come within some seconds.

use std::{
    collections::BTreeSet,
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use reqwest::Url;
use serde::Serialize;
use tokio::{net::UdpSocket, task::JoinSet, time::timeout};
use uuid::Uuid;

use super::message;

/// Where devices listen.
const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 3702);
/// Devices of one search.
const MOST: usize = 512;

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundDevice {
    /// Address of its device service.
    pub address: String,
    /// Its host.
    pub host: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// What it is.
    pub hardware: Option<String>,
}

/// Asks all networks of this machine for devices.
///
/// # Errors
/// If no socket can be opened.
pub async fn discover(wait: Duration) -> io::Result<Vec<FoundDevice>> {
    discover_at(local_addresses(), GROUP, wait).await
}

/// Asks `group` from each of the addresses, and takes what comes within `wait`.
pub(crate) async fn discover_at(
    from: Vec<Ipv4Addr>,
    group: SocketAddr,
    wait: Duration,
) -> io::Result<Vec<FoundDevice>> {
    let mut searches = JoinSet::new();
    let mut trouble = None;
    for address in from {
        // Bound to an address, a multicast leaves through its network.
        let opened = UdpSocket::bind((address, 0)).await;
        match opened {
            Ok(socket) => drop(searches.spawn(search(socket, group, wait))),
            Err(error) => trouble = Some(error),
        }
    }
    if let (true, Some(error)) = (searches.is_empty(), trouble) {
        return Err(error);
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for devices in searches.join_all().await {
        for device in devices? {
            if found.len() < MOST && seen.insert(device.address.clone()) {
                found.push(device);
            }
        }
    }
    found.sort_by(|a, b| (&a.host, &a.address).cmp(&(&b.host, &b.address)));
    Ok(found)
}

async fn search(socket: UdpSocket, group: SocketAddr, wait: Duration) -> io::Result<Vec<FoundDevice>> {
    let id = Uuid::now_v7();
    // A network without multicast has no devices to find.
    if socket.send_to(message::probe(&id).as_bytes(), group).await.is_err() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let listened = timeout(wait, async {
        let mut datagram = vec![0; 65_536];
        loop {
            let (length, sender) = socket.recv_from(&mut datagram).await?;
            if found.len() < MOST {
                let text = String::from_utf8_lossy(&datagram[..length]);
                found
                    .extend(message::probe_matches(&text, &id).iter().filter_map(|m| device(m, sender.ip())));
            }
        }
    });
    match listened.await {
        Ok(Err(error)) => Err::<Vec<FoundDevice>, io::Error>(error),
        Ok(Ok(())) | Err(_) => Ok(found),
    }
}

/// What an answer tells. Of several addresses, that which it was sent from.
fn device(answer: &message::ProbeMatch, sender: IpAddr) -> Option<FoundDevice> {
    let urls = answer.addresses.iter().filter_map(|address| Url::parse(address).ok());
    let urls: Vec<Url> =
        urls.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).take(8).collect();
    let is_sender = |url: &&Url| url.host_str() == Some(sender.to_string().as_str());
    let url = urls.iter().find(is_sender).or(urls.first())?;
    let scope = |kind: &str| {
        let prefix = format!("onvif://www.onvif.org/{kind}/");
        let found = answer.scopes.iter().find_map(|scope| scope.strip_prefix(&prefix))?;
        let text: String = decoded(found).chars().filter(|c| !c.is_control()).take(100).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    Some(FoundDevice {
        address: url.to_string(),
        host: url.host_str()?.to_owned(),
        name: scope("name"),
        hardware: scope("hardware"),
    })
}

/// Percent-encoded text, as scopes have it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex {
            Some(byte) if *first == b'%' => (bytes, rest) = (with(bytes, byte), &after[2..]),
            _ => (bytes, rest) = (with(bytes, *first), after),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn with(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// This machine's IPv4 addresses but for the loopback, as the kernel lists them; the default route's alone where it does
/// not.
fn local_addresses() -> Vec<Ipv4Addr> {
    let listed = fs::read_to_string("/proc/net/fib_trie").map(|trie| of_trie(&trie)).unwrap_or_default();
    if listed.is_empty() { vec![Ipv4Addr::UNSPECIFIED] } else { listed }
}

fn of_trie(trie: &str) -> Vec<Ipv4Addr> {
    let mut addresses = BTreeSet::new();
    let mut latest: Option<Ipv4Addr> = None;
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            latest = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            addresses.extend(latest.filter(|address| !address.is_loopback()));
        }
    }
    addresses.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_addresses_are_read_from_the_routing_table() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.168.1.7\n        /32 host LOCAL\n\
                    \x20    |-- 192.168.1.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n     |-- 192.168.1.7\n        /32 host LOCAL\n";
        assert_eq!(of_trie(trie), [Ipv4Addr::new(192, 168, 1, 7)]);
    }

    #[tokio::test]
    async fn devices_that_answer_are_found_once_and_only_with_an_address() {
        let device = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let group = device.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let mut asked = vec![0; 65_536];
            let (length, from) = device.recv_from(&mut asked).await.unwrap();
            let asked = String::from_utf8(asked[..length].to_vec()).unwrap();
            assert!(asked.contains("dn:NetworkVideoTransmitter"), "{asked}");
            let id = asked.split("<a:MessageID>").nth(1).unwrap().split('<').next().unwrap();
            let answer = |relates: &str, addresses: &str| {
                format!(
                    "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:d=\"x\" xmlns:w=\"y\"><e:Header><w:RelatesTo>{relates}</w:RelatesTo></e:Header>\
                     <e:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/West%20Gate onvif://www.onvif.org/hardware/DS-2CD</d:Scopes>\
                     <d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
                )
            };
            let good =
                answer(id, "http://10.1.1.1/onvif/device_service http://127.0.0.1/onvif/device_service");
            for datagram in [
                good.as_str(),
                good.as_str(),
                "nonsense",
                &answer("uuid:of-another-search", "http://127.0.0.2/x"),
                &answer(id, "file:///etc/passwd"),
            ] {
                device.send_to(datagram.as_bytes(), from).await.unwrap();
            }
        });
        let found = discover_at(vec![Ipv4Addr::LOCALHOST], group, Duration::from_millis(500)).await.unwrap();
        answering.await.unwrap();
        assert_eq!(
            found,
            [FoundDevice {
                address: "http://127.0.0.1/onvif/device_service".into(),
                host: "127.0.0.1".into(),
                name: Some("West Gate".into()),
                hardware: Some("DS-2CD".into()),
            }]
        );
    }
}
