//! One message over a connection of its own: for what is rare and kept elsewhere until the broker has it.

use std::time::Duration;

use rumqttc::{Event, Outgoing, Packet, QoS};

use crate::{
    config::{BrokerConfig, ConfigError},
    connection::{Connection, Template},
    lost::Lost,
};

/// How long the broker may take for everything.
const WITHIN: Duration = Duration::from_secs(10);

/// Why a message did not get to the broker, in words for who must mend it.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// A mistake in the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The broker cannot be reached or does not let this client in.
    #[error("the broker {broker} cannot be reached: {reason}")]
    Lost {
        /// Host and port.
        broker: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// No acknowledgement.
    #[error(
        "the broker {0} did not acknowledge in time; hint: may this client publish to the topic, and is the broker overloaded?"
    )]
    Late(String),
}

/// Publishes one message with `QoS` 1, not retained, and returns when the broker has acknowledged it. It may have it although
/// an error is returned: whoever tries again delivers at least once.
///
/// `client` names this client to the broker, after the configured prefix; two with one name push each other out.
///
/// # Errors
/// See [`AnnounceError`].
pub async fn announce(
    config: &BrokerConfig,
    client: &str,
    topic: &str,
    payload: Vec<u8>,
) -> Result<(), AnnounceError> {
    let template = Template::new(config, client)?;
    let lost = |lost: Lost| AnnounceError::Lost { broker: template.broker(), reason: lost.to_string() };
    let mut connection = Connection::open(&template, None, 4, 16).map_err(lost)?;
    let done = tokio::time::timeout(WITHIN, acknowledged(&mut connection, topic, payload)).await;
    connection.close().await;
    match done {
        Ok(done) => done.map_err(lost),
        Err(_) => Err(AnnounceError::Late(template.broker())),
    }
}

async fn acknowledged(connection: &mut Connection, topic: &str, payload: Vec<u8>) -> Result<(), Lost> {
    let publish = connection.client.publish(topic, QoS::AtLeastOnce, false, payload);
    publish.await.map_err(|error| error.to_string())?;
    loop {
        if matches!(connection.event().await?, Event::Incoming(Packet::PubAck(_))) {
            break;
        }
    }
    // A polite end; the broker has the message already.
    if connection.client.try_disconnect().is_ok() {
        while !matches!(connection.event().await, Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)) {}
    }
    Ok(())
}
