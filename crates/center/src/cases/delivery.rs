//! Brings orders to other platforms: each is kept in the store until it was taken, and tried again with growing delay.

use std::time::Duration;

use hmac::{Hmac, Mac};
use jiff::SignedDuration;
use parapet_bus::{BrokerConfig, Topics, announce, wire::v1};
use parapet_core::Timestamp;
use parapet_store::{DeliveryRow, DepartmentRow, Store, StoreError};
use sha2::Sha256;
use tracing::{info, warn};

/// Where every order goes, by its name among the targets: the bus. All others are addresses.
const BUS: &str = "bus";
/// This client's name to the broker.
const CLIENT: &str = "center-orders";
/// Header with the HMAC-SHA256 of the body under the shared secret, in hex after `sha256=`.
const SIGNATURE: &str = "x-parapet-signature";
/// The first wait after a failure; it doubles up to the last.
const WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Posts and publishes what is to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct Courier {
    client: reqwest::Client,
    secret: Option<Vec<u8>>,
    bus: BrokerConfig,
}

impl Courier {
    /// `secret` signs what is posted, so that a platform knows who sent it.
    pub(crate) fn new(secret: Option<Vec<u8>>, bus: BrokerConfig) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("parapet/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, secret, bus })
    }

    /// Where an order to a department goes.
    pub(crate) fn targets(department: &DepartmentRow) -> Vec<String> {
        std::iter::once(BUS.to_owned()).chain(department.webhook.clone()).collect()
    }

    /// Tries everything that is due, once. A broker that does not answer holds up no address, nor the other way round.
    pub(crate) async fn deliver(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let due = store.deliveries(now, 20).await?;
        let (to_bus, to_addresses): (Vec<_>, Vec<_>) = due.into_iter().partition(|row| row.target == BUS);
        let publish = async {
            for delivery in &to_bus {
                note(store, now, delivery, self.publish(delivery).await).await?;
            }
            Ok(())
        };
        let post = async {
            for delivery in &to_addresses {
                note(store, now, delivery, self.post(delivery).await).await?;
            }
            Ok(())
        };
        tokio::try_join!(publish, post).map(|_| ())
    }

    async fn publish(&self, delivery: &DeliveryRow) -> Result<(), String> {
        let order: v1::Order =
            serde_json::from_value(delivery.document.clone()).map_err(|error| error.to_string())?;
        let address = order.site.parse().ok().zip(order.department.parse().ok());
        let (site, department) = address.ok_or("the order names no site or department")?;
        let payload = delivery.document.to_string().into_bytes();
        let sent = announce(&self.bus, CLIENT, &Topics::order(&site, &department), payload).await;
        sent.map_err(|error| error.to_string())
    }

    async fn post(&self, delivery: &DeliveryRow) -> Result<(), String> {
        let body = delivery.document.to_string();
        let mut request =
            self.client.post(&delivery.target).header(reqwest::header::CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, format!("sha256={}", hmac_sha256(secret, body.as_bytes())));
        }
        // The address is the administrator's and may hold a secret: an error tells of it only what went wrong.
        let answer = request.body(body).send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("the platform answered {status}")) }
    }
}

/// Keeps what came of an attempt.
async fn note(
    store: &Store,
    now: Timestamp,
    delivery: &DeliveryRow,
    tried: Result<(), String>,
) -> Result<(), StoreError> {
    let DeliveryRow { id, attempts, .. } = *delivery;
    let Err(error) = tried else {
        info!(delivery = id, attempts = attempts + 1, "an order was delivered");
        return store.delivery_tried(id, now, None).await;
    };
    let wait = wait_after(attempts);
    warn!(delivery = id, error, wait_seconds = wait.as_secs(), "an order cannot be delivered yet");
    let next = now.checked_add(SignedDuration::try_from(wait).unwrap_or_default());
    store.delivery_tried(id, now, Some((&error, next.unwrap_or(now)))).await
}

fn wait_after(attempts: u32) -> Duration {
    WAIT.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT)
}

/// RFC 2104, as webhooks of other services sign.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hex::encode(mac.chain_update(message).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let signed = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(signed, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn waits_grow_up_to_an_hour() {
        let waits: Vec<u64> = [0, 1, 2, 8, 9, 40].map(|n| wait_after(n).as_secs()).to_vec();
        assert_eq!(waits, [10, 20, 40, 2560, 3600, 3600]);
    }
}
