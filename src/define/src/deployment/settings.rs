//! What is said to librdkafka of what stands in `[kafka]`. What propice sets itself, because a
//! promise rests on it, is added by whoever makes the client.

use super::secret::Setting;
use super::types::{Kafka, SaslMechanism};

impl Kafka {
    /// Names and values for a consumer.
    pub fn consumer(&self) -> Vec<(String, Setting)> {
        self.client(&self.consumer_options)
    }

    /// Names and values for a producer.
    pub fn producer(&self) -> Vec<(String, Setting)> {
        self.client(&self.producer_options)
    }

    /// Names and values for a client of neither kind, such as the one that makes topics.
    pub fn admin(&self) -> Vec<(String, Setting)> {
        self.client(&[])
    }

    fn client(&self, special: &[(String, Setting)]) -> Vec<(String, Setting)> {
        let mut settings: Vec<(String, Setting)> = Vec::new();
        let mut set = |name: &str, value: Setting| match settings.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => settings.push((name.to_owned(), value)),
        };
        set("bootstrap.servers", self.bootstrap.clone());
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        set("security.protocol", protocol.into());
        if let Some(tls) = &self.tls {
            let files = [
                ("ssl.ca.location", &tls.ca),
                ("ssl.certificate.location", &tls.certificate),
                ("ssl.key.location", &tls.key),
            ];
            for (name, path) in files {
                path.iter().for_each(|path| set(name, path.clone()));
            }
            if let Some(password) = &tls.key_password {
                set("ssl.key.password", Setting::Secret(password.clone()));
            }
        }
        if let Some(sasl) = &self.sasl {
            set("sasl.mechanism", sasl.mechanism.name().into());
            set("sasl.username", sasl.username.clone());
            set("sasl.password", Setting::Secret(sasl.password.clone()));
        }
        for (name, value) in self.options.iter().chain(special) {
            set(name, value.clone());
        }
        settings
    }
}

impl SaslMechanism {
    /// As Kafka names it.
    pub fn name(self) -> &'static str {
        SaslMechanism::ALL.iter().find(|(_, known)| *known == self).map_or("PLAIN", |(name, _)| name)
    }
}
