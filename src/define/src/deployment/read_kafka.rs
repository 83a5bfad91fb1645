//! Reading `[kafka]`.

use toml::de::{DeTable, DeValue};

use super::desk::{Desk, Part, Switch};
use super::options;
use super::problem::Problem;
use super::read::mistake_in_address;
use super::secret::{Secret, Setting};
use super::types::{BROKER_DEFAULT, CreateTopics, Kafka, Sasl, SaslMechanism, Tls};
use crate::pack::problem::Problem as Common;
use crate::pack::section::{TomlItem, wrong_type};
use crate::pack::spot::Spot;
use propice_model::limits::DURATION_MS;

/// `[kafka]`
pub(super) fn kafka(mut part: Part<'_>, desk: &mut Desk<'_>) -> Kafka {
    let example = ("the brokers", "[kafka] begins with bootstrap = \"localhost:9092\"");
    desk.need(&part, "[kafka]", "bootstrap", example);
    let bootstrap = desk.setting(&mut part, "bootstrap");
    if let Some(bootstrap) = &bootstrap {
        check_bootstrap(bootstrap, desk);
    }
    let tls = tls(&mut part, desk);
    let sasl = desk.item(&mut part, "sasl").and_then(|item| sasl(item, tls.is_some(), desk));
    let create_topics = desk.item(&mut part, "create_topics").and_then(|item| create_topics(item, desk));
    let kafka = Kafka {
        bootstrap: bootstrap.map_or_else(|| Setting::from(""), |bootstrap| bootstrap.value),
        tls,
        sasl,
        create_topics,
        options: options::of_kafka(desk, &mut part, "options"),
        consumer_options: options::of_kafka(desk, &mut part, "consumer_options"),
        producer_options: options::of_kafka(desk, &mut part, "producer_options"),
    };
    desk.finish(part);
    kafka
}

/// `host:port`, several with commas. What is wrong is not quoted: it may be a secret.
fn check_bootstrap(bootstrap: &Spot<Setting>, desk: &mut Desk<'_>) {
    let mistake = |broker: &str| {
        let broker = broker.trim();
        if broker.is_empty() {
            return Some("one of them is empty");
        }
        // librdkafka takes 9092 where no port is said.
        let mistake = if broker.contains(':') { mistake_in_address(broker) } else { None };
        let is_host = !broker.contains(['/', ' ', '\t', '@']);
        mistake.or_else(|| (!is_host).then_some("its host is none"))
    };
    if let Some(why) = bootstrap.value.expose().split(',').find_map(mistake) {
        desk.found.add(Problem::BadBootstrap { why }, &bootstrap.span);
    }
}

/// `tls = true` or `[kafka.tls]`
fn tls(part: &mut Part<'_>, desk: &mut Desk<'_>) -> Option<Tls> {
    let item = desk.item(part, "tls")?;
    match (desk.switch(item), item.get_ref()) {
        (Switch::Off, _) => return None,
        (Switch::On, _) => return Some(Tls::default()),
        (Switch::Said, DeValue::Table(_)) => {}
        (Switch::Said, other) => {
            desk.common.add(wrong_type("tls", "true, false or a table", other), &item.span());
            return None;
        }
    }
    let mut part = desk.part("`kafka.tls`", "kafka.tls", item)?;
    let mut path = |key| desk.setting(&mut part, key).map(|path| path.value);
    let (ca, certificate, key) = (path("ca"), path("certificate"), path("key"));
    let key_password = desk.secret(&mut part, "key_password");
    for (key, with) in [("certificate", "key"), ("key", "certificate"), ("key_password", "key")] {
        if let Some(item) = part.section.get(key).filter(|_| !part.section.has(with)) {
            desk.common.add(Common::UselessWithout { key, with }, &item.span());
        }
    }
    desk.finish(part);
    Some(Tls { ca, certificate, key, key_password })
}

/// `[kafka.sasl]`
fn sasl(item: TomlItem<'_>, is_encrypted: bool, desk: &mut Desk<'_>) -> Option<Sasl> {
    const PLACE: &str = "`kafka.sasl`";
    let mut part = desk.part(PLACE, "kafka.sasl", item)?;
    let wanted = [
        ("mechanism", "how the password is shown", "mechanism = \"SCRAM-SHA-512\", \"SCRAM-SHA-256\" or \"PLAIN\""),
        ("username", "as whom propice logs in", "username = \"…\""),
        ("password", "what only it knows", "password = \"${KAFKA_PASSWORD}\""),
    ];
    for (key, what, example) in wanted {
        desk.need(&part, PLACE, key, (what, example));
    }
    let mechanism = desk.word(&mut part, "mechanism", "mechanism", &SaslMechanism::ALL);
    let username = desk.setting(&mut part, "username");
    let password = desk.secret(&mut part, "password");
    if let Some(mechanism) = mechanism.as_ref().filter(|spot| spot.value == SaslMechanism::Plain && !is_encrypted) {
        desk.found.add(Problem::PasswordInClear, &mechanism.span);
    }
    desk.finish(part);
    let password = password.unwrap_or_else(|| Secret::new(""));
    Some(Sasl { mechanism: mechanism?.value, username: username?.value, password })
}

/// `[kafka.create_topics]`
fn create_topics(item: TomlItem<'_>, desk: &mut Desk<'_>) -> Option<CreateTopics> {
    let empty = DeTable::new();
    let is_flag = matches!(item.get_ref(), DeValue::Boolean(_));
    let mut part = match (desk.switch(item), is_flag) {
        (Switch::Off, _) => return None,
        (Switch::On, _) => {
            let section = crate::pack::section::Section::new("`kafka.create_topics`".to_owned(), item.span(), &empty);
            Part { section, path: "kafka.create_topics".to_owned() }
        }
        (Switch::Said, _) => desk.part("`kafka.create_topics`", "kafka.create_topics", item)?,
    };
    let partitions = desk.number(&mut part, "partitions", (1, 10_000)).unwrap_or(6);
    let replication = desk.number(&mut part, "replication", (1, 100)).map_or(BROKER_DEFAULT, |number| number as i32);
    let retention_ms = desk.duration(&mut part, "retention", (60_000, DURATION_MS));
    desk.finish(part);
    Some(CreateTopics { partitions: partitions as i32, replication, retention_ms })
}
