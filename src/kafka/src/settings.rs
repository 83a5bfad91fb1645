//! What clients are made of.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

/// Which records a reader is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Those of committed transactions, and those of none.
    Committed,
    /// All.
    Uncommitted,
}

/// Options by the names of librdkafka.
pub type Options = BTreeMap<String, String>;

/// Settings of all clients of a cluster. Whoever fills the options has refused those that would
/// break a promise; what a promise rests on is set here, last.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// As brokers call this client in their logs.
    pub client_id: String,
    /// Of clients that ask.
    pub admin: Options,
    /// Of those that read.
    pub consumer: Options,
    /// Of those that write.
    pub producer: Options,
}

impl Settings {
    fn client(&self, options: &Options, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", &self.client_id);
        // Small messages that wait for others cost 8 ms at the median; `docs/live.md`.
        config.set("socket.nagle.disable", "true");
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in options {
            config.set(name, value);
        }
        config
    }

    /// A client that reads what is assigned to it, and commits nothing.
    pub(crate) fn consumer(&self, isolation: Isolation) -> ClientConfig {
        let defaults = [("fetch.wait.max.ms", "10"), ("queued.max.messages.kbytes", "65536")];
        let mut config = self.client(&self.consumer, &defaults);
        // Needed by the protocol of the client; nothing is ever committed to the group by reading.
        config.set("group.id", &self.client_id);
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        let level = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        config.set("isolation.level", level);
        config
    }

    /// A client that asks about topics and makes them.
    pub(crate) fn admin(&self) -> ClientConfig {
        self.client(&self.admin, &[])
    }

    /// A producer that keeps the order of what it sends, and sends nothing twice.
    pub(crate) fn producer(&self) -> ClientConfig {
        let defaults = [("linger.ms", "0"), ("queue.buffering.max.messages", "1000000"), ("compression.type", "lz4")];
        let mut config = self.client(&self.producer, &defaults);
        config.set("enable.idempotence", "true");
        config.set("acks", "all");
        config
    }

    /// A producer of transactions under a transactional id.
    pub(crate) fn transactional(&self, id: &str) -> ClientConfig {
        let mut config = self.producer();
        config.set("transactional.id", id);
        config
    }
}
