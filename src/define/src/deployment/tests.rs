//! What is printed is what was read, whatever was said; and single rules that need no page.

use proptest::prelude::*;
use std::fmt::Write as _;

use super::*;

const PACK: &str = r#"
[pack]
name = "shop"
[table.clients]
key = ["client"]
fields = { client = "id(customer)" }
[stream.orders]
about = "client"
time = "at"
fields = { client = "id(customer)", at = "time", amount = "int" }
[customer.feature]
ordered = { from = "orders", sum = "amount" }
[moment.buys]
when = "ordered > 100"
purpose = "service"
value = { kind = "functional", benefit = "Everything arrives together" }
reason = "You have ordered for {ordered}"
channels = ["push"]
[channel.push]
topic = "calls"
"#;

fn plan() -> Plan {
    crate::load("shop.toml", PACK).unwrap_or_else(|errors| panic!("{errors}"))
}

#[expect(clippy::unnecessary_wraps, reason = "a lookup may fail")]
fn lookup(variable: &Variable) -> Result<Option<String>, String> {
    match variable {
        Variable::Environment(name) if name == "SEVEN" => Ok(Some("7".to_owned())),
        _ => Ok(None),
    }
}

fn load(text: &str) -> Result<Deployment, PackErrors> {
    load_deployment("test.toml", text, &plan(), &lookup)
}

/// A key of a section with some of what can be said; nothing at all is always among it.
type Choice = (&'static str, &'static [&'static str]);

const SECTIONS: &[(&str, &[Choice])] = &[
    (
        "cluster",
        &[
            ("name", &["\"shop-2.a\"", "\"0\""]),
            ("workers", &["1", "256", "\"${SEVEN}\"", "\"${NO:-12}\""]),
            ("publish_from", &["\"2026-01-01\"", "1999-12-31T23:59:59.5Z", "\"1970-01-01T00:00:00Z\""]),
            ("shutdown_within", &["\"100ms\"", "\"1h\"", "\"1m1s1ms\""]),
        ],
    ),
    (
        "kafka",
        &[
            ("tls", &["true", "false", "{ ca = 'a \"b\"\\c' }", "{ certificate = \"c\", key = \"$$k\" }", "{}"]),
            (
                "create_topics",
                &["true", "false", "{}", "{ partitions = 3 }", "{ replication = 2, retention = \"1d\" }"],
            ),
            ("options", &["{ client.id = \"é\\n$$\", log_level = 7 }", "{ \"linger.ms\" = 0.25 }"]),
            ("consumer_options", &["{ fetch.min.bytes = 1 }"]),
            ("producer_options", &["{ socket.keepalive.enable = false, partitioner = \"murmur2\" }"]),
        ],
    ),
    (
        "input.clients",
        &[
            ("topic", &["\"c-1\"", "\"C_2.x\""]),
            ("format", &["\"json\"", "\"debezium\""]),
            ("key", &["\"value\"", "\"record\""]),
            ("select", &["{ header = \"a\\tb\", equals = \"$$\" }", "{ field = \"é\", equals = \"x\" }"]),
        ],
    ),
    (
        "input.orders",
        &[
            ("topics", &["[\"o-1\"]", "[\"o-1\", \"o-2\"]"]),
            ("start", &["\"earliest\"", "\"latest\"", "\"2026-01-01\"", "2026-01-01T00:00:00+02:00"]),
        ],
    ),
    (
        "output",
        &[
            ("lane", &["\"exactly_once\"", "\"at_least_once\""]),
            ("prefix", &["\"p\"", "\"A.b\""]),
            ("mode", &["\"binary\"", "\"structured\""]),
            ("decisions", &["false", "true", "\"d\""]),
            ("episodes", &["false", "true", "\"e\""]),
            ("dead_letters", &["true", "\"dead\""]),
            ("views", &["false", "true", "{}", "{ topic = \"v\", form = \"changes\" }"]),
            ("commit_every", &["\"0s\"", "\"10s\""]),
            ("buffer", &["1", "10_000_000"]),
            ("channel.push", &["{ topic = \"t\" }", "{}"]),
        ],
    ),
    (
        "state",
        &[
            ("url", &["\"s3://a/b\"", "'C:\\state'", "\"../x y\""]),
            ("options", &["{ aws_region = \"x\" }"]),
            ("checkpoint_every", &["\"10ms\"", "\"1d\""]),
            ("checkpoint_changes", &["1", "0xff"]),
            ("keep", &["1", "1000"]),
            ("bindings", &["\"b\""]),
            ("progress", &["\"g\""]),
        ],
    ),
    (
        "observe",
        &[
            ("address", &["false", "true", "\"[::]:0\"", "\"a-b.c:65535\""]),
            ("log", &["\"error\"", "\"trace\""]),
            ("log_format", &["\"text\"", "\"json\""]),
        ],
    ),
];

/// A file by what is chosen for each key.
fn file(choices: &[usize]) -> String {
    let mut text = String::new();
    let mut chosen = choices.iter().copied();
    for (section, keys) in SECTIONS {
        let _ = writeln!(text, "[{section}]");
        if *section == "kafka" {
            text += "bootstrap = \"a,b:1\"\n";
        }
        for (key, values) in *keys {
            let choice = chosen.next().unwrap_or(0) % (values.len() + 1);
            if let Some(value) = choice.checked_sub(1).and_then(|at| values.get(at)) {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn what_is_printed_loads_to_the_same(choices in prop::collection::vec(0_usize..60, 40)) {
        let text = file(&choices);
        let deployment = load(&text).unwrap_or_else(|errors| panic!("{errors}"));
        let printed = print(&deployment);
        let again = load(&printed).unwrap_or_else(|errors| panic!("{printed}\n{errors}"));
        prop_assert!(again == deployment, "{}\n{}\n{}", text, printed, print(&again));
        let lines = printed.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        for line in lines {
            prop_assert!(line.contains(" # "), "{} does not say where it came from", line);
        }
    }
}

#[test]
fn every_choice_is_another_deployment() {
    // Else the property above would compare little: a key that is not read changes nothing.
    let count = SECTIONS.iter().map(|(_, keys)| keys.len()).sum::<usize>();
    let least = load(&file(&[])).expect("the least of it");
    for at in 0..count {
        let mut choices = vec![0; count];
        let values = SECTIONS.iter().flat_map(|(_, keys)| *keys).nth(at).map_or(0, |(_, values)| values.len());
        let differs = (1..=values).any(|choice| {
            choices[at] = choice;
            load(&file(&choices)).is_ok_and(|deployment| deployment != least)
        });
        let key = SECTIONS.iter().flat_map(|(_, keys)| *keys).nth(at).map_or("", |(key, _)| key);
        assert!(differs, "{key} makes no difference");
    }
}

#[test]
fn values_say_where_they_came_from() {
    let text = "[kafka]\nbootstrap = \"${NO:-a}:${SEVEN}\"\n[input.orders]\ntopic = \"o\"\n";
    let mut deployment = load(text).expect("a deployment");
    assert_eq!(deployment.kafka.bootstrap, Setting::from("a:7"));
    let origins = &mut deployment.origins;
    assert_eq!(origins.said("kafka.bootstrap"), "test.toml:2, ${NO} is not set, ${SEVEN}");
    assert_eq!(origins.said("input.orders.topics"), "test.toml:4");
    assert_eq!(origins.said("cluster.name"), "the pack");
    assert_eq!(origins.said("output.channel.push.topic"), "the pack");
    assert_eq!(origins.said("state.keep"), "default");
    origins.note("cluster.publish_from", Origin::CommandLine("--publish-from".to_owned()));
    deployment.cluster.publish_from = Some(0);
    let printed = print(&deployment);
    assert!(printed.contains("publish_from = \"1970-01-01T00:00:00Z\"            # --publish-from"), "{printed}");
}

#[test]
fn times_without_offset_are_in_the_zone_of_the_pack() {
    let pack = PACK.replace("name = \"shop\"", "name = \"shop\"\ntimezone = \"Europe/Paris\"");
    let plan = crate::load("shop.toml", &pack).expect("a pack");
    let text =
        "[kafka]\nbootstrap = \"a\"\n[cluster]\npublish_from = 1970-01-02\n[input.orders]\nstart = \"1970-01-02\"";
    let deployment = load_deployment("test.toml", text, &plan, &lookup).expect("a deployment");
    assert_eq!(deployment.cluster.publish_from, Some(23 * 3_600_000));
    assert_eq!(deployment.inputs[1].start, Start::At(23 * 3_600_000));
}

#[test]
fn secrets_are_not_debugged() {
    assert_eq!(format!("{:?}", Secret::new("x")), HIDDEN);
    assert_eq!(format!("{:?}", Setting::Secret(Secret::new("x"))), HIDDEN);
    let text = "[kafka]\nbootstrap = \"a\"\n[state]\nurl = \"https://me:hunter2@host/x\"\n";
    let deployment = load(text).expect("a deployment");
    assert!(!format!("{deployment:?}{:?}", deployment.state).contains("hunter2"));
    assert_eq!(deployment.state.url.expose(), "https://me:hunter2@host/x");
}
