//! The MQTT contract: topics, versioned messages, publisher with outbox, subscriber, and a broker inside the process.
//!
//! Nothing here stores anything: the outbox and the center's store are handed in as traits.

mod announce;
pub mod backoff;
mod broker;
mod config;
mod connection;
mod lost;
mod publisher;
mod status;
mod subscriber;
mod tls;
mod topic;
pub mod wire;

pub use announce::{AnnounceError, announce};
pub use broker::{BrokerError, EmbeddedBroker};
pub use config::{BrokerConfig, BusChoice, BusConfig, ConfigError, EmbeddedConfig, TlsConfig};
pub use publisher::{OutboxSource, Outgoing, Publisher, PublisherOptions};
pub use status::StatusBoard;
pub use subscriber::{DeadLetter, Handler, LetterError, Received, Subscriber, SubscriberOptions};
pub use topic::Topics;
