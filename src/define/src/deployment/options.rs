//! Options of librdkafka: which are taken as they are, and why others are not.

use toml::de::{DeTable, DeValue};

use super::desk::{Desk, Part};
use super::known_options::KNOWN;
use super::mask::is_secret_name;
use super::problem::Problem;
use super::secret::{HIDDEN, Secret, Setting};
use crate::pack::problem::Problem as Common;
use crate::pack::section::{TomlItem, wrong_type};
use crate::pack::spot::Spot;
use crate::pack::words::shortened;
use propice_model::nearest::nearest;

const OFFSETS: &str = "where reading goes on is kept in checkpoints, with the state that belongs to it";
const ASSIGNED: &str = "partitions are assigned by propice, to the workers that hold their state";
const OF_TLS: &str = "encryption is said in one place";
const OF_SASL: &str = "logging in is said in one place";
const ORDER: &str = "with it a broker refuses what it has already, so that nothing is there twice or out of order";
const LOST: &str = "what is decided is sent until it is acknowledged or the process ends, and is never given up";
const NO_SUCH_LOGIN: &str = "propice logs in with PLAIN or SCRAM";
const PROGRAMS: &str = "this is set by programs, not by files";
const LANE: Option<&str> = Some("say with `output.lane` what is promised");
const TLS: Option<&str> = Some("write `kafka.tls`: true, or a table with `ca`, `certificate`, `key`, `key_password`");
const SASL: Option<&str> = Some("write `kafka.sasl`: a table with `mechanism`, `username`, `password`");

/// Options that are not taken: the reason, and what to write instead. A `*` stands for any ending.
const REFUSED: &[(&str, &str, Option<&str>)] = &[
    ("bootstrap.servers", "the brokers are said in one place", Some("write `kafka.bootstrap`")),
    ("metadata.broker.list", "the brokers are said in one place", Some("write `kafka.bootstrap`")),
    ("enable.idempotence", ORDER, LANE),
    ("acks", "a record counts as written when every replica has it, and not before", LANE),
    ("request.required.acks", "a record counts as written when every replica has it, and not before", LANE),
    (
        "transactional.id",
        "it names the cluster and the slot, so that a process that is over can be fenced",
        Some("write `cluster.name`"),
    ),
    ("isolation.level", "what is not committed may yet be taken back, and must not be counted", None),
    ("enable.auto.commit", OFFSETS, None),
    ("auto.commit.enable", OFFSETS, None),
    ("auto.commit.interval.ms", OFFSETS, None),
    ("enable.auto.offset.store", OFFSETS, None),
    ("offset.store.*", OFFSETS, None),
    (
        "auto.offset.reset",
        "where records are gone that were not read, that is an error and not a reason to jump",
        Some("say with `start` of `[input.NAME]` where reading begins as long as there is no state"),
    ),
    ("group.*", ASSIGNED, Some("write `cluster.name`, which the consumer group is called by")),
    ("partition.assignment.strategy", ASSIGNED, None),
    ("max.poll.interval.ms", ASSIGNED, None),
    ("retries", LOST, None),
    ("message.send.max.retries", LOST, None),
    ("message.timeout.ms", LOST, None),
    ("delivery.timeout.ms", LOST, None),
    ("delivery.report.only.error", "every acknowledgement is waited for", None),
    ("enable.gapless.guarantee", ORDER, LANE),
    (
        "allow.auto.create.topics",
        "a topic that a broker makes by itself has neither the partitions nor the compaction that it needs",
        Some("write `kafka.create_topics`"),
    ),
    ("topic.blacklist", "what is read is said in one place", Some("write `[input.NAME]`")),
    ("enable.partition.eof", "propice itself knows whether it wants to be told", None),
    ("security.protocol", OF_TLS, TLS),
    ("ssl.ca.*", OF_TLS, TLS),
    ("ssl.certificate.*", OF_TLS, TLS),
    ("ssl.key.*", OF_TLS, TLS),
    ("ssl.keystore.*", OF_TLS, TLS),
    ("sasl.mechanism*", OF_SASL, SASL),
    ("sasl.username", OF_SASL, SASL),
    ("sasl.password", OF_SASL, SASL),
    ("plugin.library.paths", "no foreign code is loaded into the process", None),
    ("test.mock.*", "a broker that only plays one keeps nothing", None),
    ("sasl.kerberos.*", NO_SUCH_LOGIN, SASL),
    ("*sasl.oauthbearer.*", NO_SUCH_LOGIN, SASL),
    ("queuing.strategy", "records are sent in the order in which they were decided", None),
    ("opaque", PROGRAMS, None),
    ("default_topic_conf", PROGRAMS, None),
    ("enabled_events", PROGRAMS, None),
    ("interceptors", PROGRAMS, None),
    ("msg_order_cmp", PROGRAMS, None),
    ("ssl_*", PROGRAMS, None),
    ("*_cb", PROGRAMS, None),
];

/// The options that are not taken, with the reason: patterns, in which `*` stands for anything.
pub fn refused_options() -> impl Iterator<Item = (&'static str, &'static str)> {
    REFUSED.iter().map(|(pattern, reason, _)| (*pattern, *reason))
}

/// Whether a name is of a pattern.
fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(inner), Some(_)) => name.contains(inner.trim_end_matches('*')),
        (None, Some(begin)) => name.starts_with(begin),
        (Some(end), None) => name.ends_with(end),
        _ => name == pattern,
    }
}

/// A number from one to another.
type Bounds = (i64, i64);

/// Options that are taken with some values only: their bounds, and why.
const BOUNDED: &[(&str, Bounds, &str, &str)] = &[
    (
        "transaction.timeout.ms",
        (10_000, 900_000),
        "a shorter one ends transactions of a broker that is slow, a longer one holds up whoever reads",
        "from 10000 to 900000 (the longest that brokers allow)",
    ),
    ("max.in.flight", (1, 5), "with more of them order is lost when one is sent again", "from 1 to 5"),
    (
        "max.in.flight.requests.per.connection",
        (1, 5),
        "with more of them order is lost when one is sent again",
        "from 1 to 5",
    ),
    (
        "message.max.bytes",
        (1_000_000, 1_000_000_000),
        "a dead letter holds the whole record that was refused",
        "from 1000000 (the default) to 1000000000",
    ),
];

/// Ways to choose a partition by which records of one key stay together.
const PARTITIONERS: [&str; 6] =
    ["consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"];

/// A table of options of librdkafka, checked.
pub(super) fn of_kafka(desk: &mut Desk<'_>, part: &mut Part<'_>, key: &'static str) -> Vec<(String, Setting)> {
    let options = table(desk, part, key);
    let mut taken = Vec::new();
    for (name, value) in options {
        if is_taken(desk, &name, &value) {
            taken.push((name.value, value.value));
        }
    }
    taken
}

fn is_taken(desk: &mut Desk<'_>, name: &Spot<String>, value: &Spot<Setting>) -> bool {
    if let Some((_, reason, instead)) = REFUSED.iter().find(|(pattern, ..)| fits(pattern, &name.value)) {
        let problem = Problem::OptionRefused { name: shortened(&name.value), reason, instead: *instead };
        desk.found.add(problem, &name.span);
        return false;
    }
    if !KNOWN.contains(&name.value.as_str()) {
        let nearest = nearest(&name.value, KNOWN.iter().copied());
        desk.found.add(Problem::UnknownOption { name: shortened(&name.value), nearest }, &name.span);
        return false;
    }
    let found = value.value.expose();
    let wrong = match BOUNDED.iter().find(|(bounded, ..)| *bounded == name.value) {
        Some((_, (least, most), why, instead)) => {
            let fits = found.trim().parse().is_ok_and(|number: i64| (*least..=*most).contains(&number));
            (!fits).then_some((*why, *instead))
        }
        None if name.value == "partitioner" && !PARTITIONERS.contains(&found) => Some((
            "then what is said to one customer is spread over partitions, and loses its order",
            "consistent_random, murmur2_random or fnv1a_random",
        )),
        None => None,
    };
    if let Some((why, instead)) = wrong {
        let found = shortened(value.value.shown());
        desk.found.add(Problem::OptionValue { name: name.value.clone(), found, why, instead }, &value.span);
    }
    wrong.is_none()
}

/// A table of options; `a.b = 1` is the option `a.b`.
pub(super) fn table(desk: &mut Desk<'_>, part: &mut Part<'_>, key: &'static str) -> Vec<(Spot<String>, Spot<Setting>)> {
    let Some(item) = desk.item(part, key) else { return Vec::new() };
    let path = format!("{}.{key}", part.path);
    let DeValue::Table(table) = item.get_ref() else {
        desk.common.add(wrong_type(key, "a table", item.get_ref()), &item.span());
        return Vec::new();
    };
    let mut options = Vec::new();
    flat(desk, &path, None, table, &mut options);
    options.sort_by(|(one, _), (other, _)| (&one.value, one.span.start).cmp(&(&other.value, other.span.start)));
    let again = options.iter().zip(options.iter().skip(1)).filter(|((one, _), (other, _))| one.value == other.value);
    for (_, (name, _)) in again {
        desk.common.add(Common::Duplicate { what: "option", name: shortened(&name.value) }, &name.span);
    }
    options
}

// The parser limits how deep this goes.
fn flat(
    desk: &mut Desk<'_>,
    path: &str,
    begin: Option<&Spot<String>>,
    table: &DeTable<'_>,
    options: &mut Vec<(Spot<String>, Spot<Setting>)>,
) {
    for (key, item) in table {
        let mut name = Spot::new(key.get_ref().to_string(), key.span());
        if let Some(begin) = begin {
            name.value = format!("{}.{}", begin.value, name.value);
            // The whole of it is shown where it stands on one line.
            if desk.line(begin.span.start) == desk.line(name.span.start) && begin.span.start < name.span.start {
                name.span.start = begin.span.start;
            }
        }
        if let DeValue::Table(inner) = item.get_ref() {
            flat(desk, path, Some(&name), inner, options);
            continue;
        }
        desk.note(format!("{path}.{}", name.value), &item.span());
        if let Some(value) = value(desk, &name.value, item) {
            options.push((name, Spot::new(value, item.span())));
        }
    }
}

/// The value of an option, as text.
fn value(desk: &mut Desk<'_>, name: &str, item: TomlItem<'_>) -> Option<Setting> {
    let span = item.span();
    if desk.done.broken.contains(&span.start) {
        return None;
    }
    let text = match item.get_ref() {
        DeValue::String(text) if text == HIDDEN => {
            desk.found.add(Problem::HiddenSecret, &span);
            return None;
        }
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => {
                desk.common.add(Common::NotFinite { key: shortened(name) }, &span);
                return None;
            }
        },
        other => {
            desk.common.add(wrong_type(name, "a text, a number, true or false", other), &span);
            return None;
        }
    };
    let is_secret = is_secret_name(name) || desk.is_from_file(&span);
    Some(if is_secret { Setting::Secret(Secret::new(text)) } else { Setting::Plain(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("ssl.key.*", "ssl.key.pem") && !fits("ssl.key.*", "ssl.keys"));
        assert!(fits("*_cb", "log_cb") && !fits("*_cb", "cb"));
        assert!(fits("acks", "acks") && !fits("acks", "acks.x"));
        assert!(fits("*sasl.oauthbearer.*", "enable.sasl.oauthbearer.unsecure.jwt"));
    }

    #[test]
    fn an_option_is_taken_or_refused_and_not_both() {
        assert!(KNOWN.is_sorted());
        for name in KNOWN {
            assert!(!REFUSED.iter().any(|(pattern, ..)| fits(pattern, name)), "{name}");
        }
        for (name, ..) in BOUNDED {
            assert!(KNOWN.contains(name), "{name}");
        }
    }
}
