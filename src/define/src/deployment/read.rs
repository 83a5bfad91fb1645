//! Reading a whole file; `[kafka]`, the inputs and the output have files of their own.

use toml::de::{DeTable, DeValue};

use super::desk::{Desk, Part, Switch};
use super::origin::Origin;
use super::problem::Problem;
use super::secret::{Secret, Setting};
use super::topics::{self, TopicUse};
use super::types::{Cluster, Deployment, LogFormat, LogLevel, Observe, State};
use super::{options, read_inputs, read_kafka, read_output};
use crate::pack::problem::Problem as Common;
use crate::pack::section::{Section, wrong_type};
use crate::pack::spot::{Spot, Text};
use crate::pack::words::shortened;
use propice_model::limits::NAME_BYTES;
use propice_model::nearest::nearest;
use propice_model::time::DAY_MS;

/// How a text begins that is the URL of an object store.
const SCHEMES: [&str; 11] = ["file", "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "http", "https"];

/// Everything that stands in a file. What could not be read is reported, and has its default.
pub(super) fn deployment(table: &DeTable<'_>, desk: &mut Desk<'_>) -> Deployment {
    let empty = DeTable::new();
    let mut top = Section::new("the deployment".to_owned(), 0..0, table);
    let cluster = cluster(desk.top(&mut top, "cluster", &empty), desk);
    let kafka = read_kafka::kafka(desk.top(&mut top, "kafka", &empty), desk);
    let inputs = read_inputs::inputs(&desk.top(&mut top, "input", &empty), desk);
    let output = read_output::output(desk.top(&mut top, "output", &empty), &cluster.name, desk);
    let state = state(desk.top(&mut top, "state", &empty), &cluster.name, &output.prefix, desk);
    let observe = observe(desk.top(&mut top, "observe", &empty), desk);
    top.finish(&mut desk.common);
    topics::check(desk, &inputs);
    let inputs = inputs.into_iter().map(|(input, ..)| input).collect();
    let origins = std::mem::take(&mut desk.origins);
    Deployment { cluster, kafka, inputs, output, state, observe, warnings: Vec::new(), origins }
}

/// `[cluster]`
fn cluster(mut part: Part<'_>, desk: &mut Desk<'_>) -> Cluster {
    let name = desk.text(&mut part, "name").and_then(|name| cluster_name(name, desk));
    let name = name.unwrap_or_else(|| {
        if !part.section.has("name") {
            desk.origins.note("cluster.name", Origin::Pack);
        }
        desk.plan.name.clone()
    });
    let workers = desk.number(&mut part, "workers", (1, 256)).unwrap_or(1);
    let publish_from = desk.instant(&mut part, "publish_from").and_then(|time| match time.value {
        Ok(time) => Some(time),
        Err(found) => {
            desk.common.add(Common::BadTime { found: shortened(&found) }, &time.span);
            None
        }
    });
    let shutdown_within_ms = desk.duration(&mut part, "shutdown_within", (100, 3_600_000)).unwrap_or(10_000);
    desk.finish(part);
    Cluster { name, workers: workers as usize, publish_from, shutdown_within_ms }
}

fn cluster_name(name: Text, desk: &mut Desk<'_>) -> Option<String> {
    let of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.value.len() <= NAME_BYTES
        && name.value.bytes().next().is_some_and(of_word)
        && name.value.bytes().all(|byte| of_word(byte) || matches!(byte, b'.' | b'_' | b'-'));
    if !fits {
        desk.found.add(Problem::BadCluster { found: shortened(&name.value) }, &name.span);
    }
    fits.then_some(name.value)
}

/// `[state]`
fn state(mut part: Part<'_>, cluster: &str, prefix: &str, desk: &mut Desk<'_>) -> State {
    let url = desk.setting(&mut part, "url").map(|url| state_url(url, desk));
    let options = options::table(desk, &mut part, "options");
    let checkpoint_every_ms = desk.duration(&mut part, "checkpoint_every", (10, DAY_MS)).unwrap_or(10_000);
    let checkpoint_changes = desk.number(&mut part, "checkpoint_changes", (1, u64::from(u32::MAX)));
    let keep = desk.number(&mut part, "keep", (1, 1_000)).unwrap_or(3);
    let mut own_topic = |key: &'static str, what: &str| {
        let said = desk.text(&mut part, key);
        let span = said.as_ref().map(|text| text.span.clone());
        let topic = said.map_or_else(|| format!("{prefix}.{key}"), |text| text.value);
        let near = part.section.span.clone();
        desk.topics.push(TopicUse { topic: topic.clone(), what: what.to_owned(), span, near });
        topic
    };
    let bindings = own_topic("bindings", "the bindings");
    let progress = own_topic("progress", "the progress");
    desk.finish(part);
    State {
        url: url.unwrap_or_else(|| Setting::Plain(format!("./state/{cluster}"))),
        options: options.into_iter().map(|(name, value)| (name.value, value.value)).collect(),
        checkpoint_every_ms,
        checkpoint_changes: checkpoint_changes.unwrap_or(1_000_000),
        keep: keep as usize,
        bindings,
        progress,
    }
}

/// A folder or a URL; one with a password in it is a secret.
fn state_url(url: Spot<Setting>, desk: &mut Desk<'_>) -> Setting {
    let text = url.value.expose();
    let Some((scheme, rest)) = text.split_once("://") else { return url.value };
    if !SCHEMES.contains(&scheme) {
        let shown = if url.value.is_secret() { "…" } else { scheme };
        let nearest = nearest(scheme, SCHEMES);
        desk.found.add(Problem::BadScheme { scheme: shortened(shown), nearest }, &url.span);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Setting::Secret(Secret::new(text)),
        _ => url.value,
    }
}

/// `[observe]`
fn observe(mut part: Part<'_>, desk: &mut Desk<'_>) -> Observe {
    let default = || Some("127.0.0.1:9464".to_owned());
    let address = match desk.item(&mut part, "address") {
        None => default(),
        Some(item) => match (desk.switch(item), item.get_ref()) {
            (Switch::Off, _) => None,
            (Switch::On, _) => default(),
            (Switch::Said, DeValue::String(_)) => desk.text(&mut part, "address").and_then(|text| address(text, desk)),
            (Switch::Said, other) => {
                desk.common.add(wrong_type("address", "an address in quotes or false", other), &item.span());
                None
            }
        },
    };
    let log = desk.word(&mut part, "log", "level", &LogLevel::ALL).map_or(LogLevel::Info, |spot| spot.value);
    let log_format = desk.word(&mut part, "log_format", "format of logs", &LogFormat::ALL);
    desk.finish(part);
    Observe { address, log, log_format: log_format.map_or(LogFormat::Text, |spot| spot.value) }
}

fn address(text: Text, desk: &mut Desk<'_>) -> Option<String> {
    let why = mistake_in_address(&text.value);
    if let Some(why) = why {
        desk.found.add(Problem::BadAddress { found: shortened(&text.value), why }, &text.span);
    }
    why.is_none().then_some(text.value)
}

/// Why a text is not `host:port`. An address of IPv6 stands in brackets.
pub(super) fn mistake_in_address(text: &str) -> Option<&'static str> {
    let Some((host, port)) = text.rsplit_once(':') else { return Some("it has no port") };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')),
    };
    if host.is_empty() {
        Some("it has no host")
    } else if !is_host {
        Some("its host is none")
    } else if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err() {
        Some("its port is not a number from 0 to 65535")
    } else {
        None
    }
}
