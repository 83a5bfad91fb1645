//! Deployment files: every message with its whole text, what is in force, that nothing secret is
//! shown, and that no text whatsoever makes reading fall over.
//!
//! `tests/deployment/NAME.toml` is a faulty file, or one that is warned of, for the pack
//! `tests/deployment/pack/shop.toml`; `NAME.txt` is what is said of it. `sound/NAME.txt` is what is
//! in force of `sound/NAME.toml`. `UPDATE_EXPECT=1` writes the texts anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use propice_define::deployment::{
    CODES, Deployment, HIDDEN, Secret, Setting, Variable, print, refused_options, shown_text,
};
use propice_define::{self as define, PackErrors, Plan, load_deployment};

/// What nobody may see.
const SECRETS: [&str; 2] = ["hunter2", "s3cret"];

fn folder() -> PathBuf {
    Path::new(crate::ROOT).join("tests/deployment")
}

fn plan() -> Plan {
    let text = fs::read_to_string(folder().join("pack/shop.toml")).expect("the pack");
    define::load("shop.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An environment, and a few files.
fn lookup(variable: &Variable) -> Result<Option<String>, String> {
    let found = match variable {
        Variable::Environment(name) => match name.as_str() {
            "KAFKA_PASSWORD" => "hunter2",
            "WORKERS" => "2",
            "TOPIC" => "changes",
            "MANY" => "many",
            "BIG" => "99999999999",
            "EMPTY" => "",
            _ => return Ok(None),
        },
        Variable::File(path) => match path.as_str() {
            "/run/secrets/kafka" => "s3cret\n",
            "/run/secrets/locked" => return Err("permission denied".to_owned()),
            "/run/secrets/large" => return Ok(Some("s3cret".repeat(20_000))),
            _ => return Ok(None),
        },
    };
    Ok(Some(found.to_owned()))
}

fn load(name: &str, text: &str) -> Result<Deployment, PackErrors> {
    load_deployment(name, text, &plan(), &lookup)
}

/// The files of a folder: their names and texts.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a file"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

fn sound() -> Vec<(String, String)> {
    files(&folder().join("sound"))
}

fn faulty() -> Vec<(String, String)> {
    let large = ("large.toml".to_owned(), "# a line that says nothing\n".repeat(45_000));
    let deep = ("deep.toml".to_owned(), format!("[kafka.options]\n{}a = 1\n", "a.".repeat(30)));
    files(&folder()).into_iter().chain([large, deep]).collect()
}

fn errors(name: &str, text: &str) -> PackErrors {
    match load(name, text) {
        Ok(deployment) if deployment.warnings.is_empty() => panic!("{name} is said to be sound"),
        Ok(deployment) => PackErrors::new(name, &shown_text(text), deployment.warnings),
        Err(errors) => errors,
    }
}

fn compare(path: &Path, said: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, said).expect("the text can be written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        said == expected,
        "{} differs (UPDATE_EXPECT=1 writes it anew)\n\nexpected:\n{expected}\nsaid:\n{said}",
        path.display()
    );
}

fn assert_nothing_secret(said: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is shown:\n{said}");
    }
}

#[test]
fn every_message_reads_as_expected() {
    for (name, text) in faulty() {
        let errors = errors(&name, &text);
        let said = errors.to_string();
        compare(&folder().join(&name).with_extension("txt"), &said);
        assert_nothing_secret(&said);
        assert_nothing_secret(&format!("{errors:?}{}", errors.to_json_lines()));
        let starts: Vec<usize> = errors.diagnostics.iter().map(|diagnostic| diagnostic.span.start).collect();
        assert!(starts.is_sorted(), "{name}: mistakes are out of order");
    }
}

#[test]
fn every_mistake_has_a_message_that_is_shown() {
    let mut shown = BTreeSet::new();
    for (name, text) in faulty() {
        shown.extend(errors(&name, &text).diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    let missing: Vec<_> = CODES.iter().filter(|code| !shown.contains(**code)).collect();
    assert!(missing.is_empty(), "no file in tests/deployment makes these mistakes: {missing:?}");
    let all: BTreeSet<&str> = CODES.iter().chain(define::pack::CODES).copied().collect();
    assert_eq!(all.len(), CODES.len() + define::pack::CODES.len(), "two mistakes have one code");
}

#[test]
fn what_is_in_force_reads_as_expected_and_shows_no_secret() {
    for (name, text) in sound() {
        let deployment = load(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(deployment.warnings, [], "{name}");
        let said = print(&deployment);
        compare(&folder().join("sound").join(&name).with_extension("txt"), &said);
        assert_nothing_secret(&said);
        assert_nothing_secret(&format!("{deployment:?}{:?}{:?}", deployment.kafka, deployment.state));
        assert_nothing_secret(&format!("{:?}", deployment.kafka.consumer()));
    }
}

/// What was printed, with the secrets put in again.
fn with_secrets(printed: &str) -> String {
    let mut out = String::new();
    for line in printed.lines() {
        let secret = match line.split('=').next().map(str::trim) {
            Some("key_password" | "username") => "s3cret",
            _ => "hunter2",
        };
        out += &line.replace(&format!("\"{HIDDEN}\""), &format!("\"{secret}\""));
        out.push('\n');
    }
    out
}

#[test]
fn what_is_printed_is_the_same_when_it_is_loaded() {
    for (name, text) in sound() {
        let mut deployment = load(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        let printed = print(&deployment);
        let again = load("printed.toml", &with_secrets(&printed)).unwrap_or_else(|errors| panic!("{errors}"));
        // Written into the file, a name is no secret.
        if let Some(sasl) = deployment.kafka.sasl.as_mut().filter(|sasl| sasl.username.is_secret()) {
            sasl.username = Setting::from(sasl.username.expose().to_owned().as_str());
        }
        assert!(again == deployment, "{name}:\n{printed}\n{}", print(&again));
    }
    let printed = print(&load("whole.toml", &sound()[1].1).expect("a sound file"));
    let codes: BTreeSet<&str> = errors("printed.toml", &printed).diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(codes, BTreeSet::from(["hidden_secret"]), "what hides a secret is not taken for it");
}

#[test]
fn the_clients_get_what_is_said() {
    let deployment = load("whole.toml", &sound()[1].1).unwrap_or_else(|errors| panic!("{errors}"));
    let of = |settings: &[(String, Setting)], name: &str| {
        let found: Vec<&str> =
            settings.iter().filter(|(known, _)| known == name).map(|(_, value)| value.expose()).collect();
        assert!(found.len() < 2, "{name} is said twice");
        found.first().copied().unwrap_or("nothing").to_owned()
    };
    let (consumer, producer) = (deployment.kafka.consumer(), deployment.kafka.producer());
    for (name, expected) in [
        ("bootstrap.servers", "one:9092,two:9092,[::1]:9092"),
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.location", "ca.pem"),
        ("ssl.key.password", "s3cret"),
        ("sasl.mechanism", "SCRAM-SHA-256"),
        ("sasl.username", "s3cret"),
        ("sasl.password", "hunter2"),
        ("socket.keepalive.enable", "true"),
    ] {
        assert_eq!(of(&consumer, name), expected);
        assert_eq!(of(&producer, name), expected);
    }
    assert_eq!((of(&consumer, "client.id"), of(&producer, "client.id")), ("reader".to_owned(), "shop".to_owned()));
    assert_eq!((of(&consumer, "linger.ms"), of(&producer, "linger.ms")), ("nothing".to_owned(), "0.5".to_owned()));
    let sasl = deployment.kafka.sasl.expect("a login");
    assert_eq!(sasl.password, Secret::new("hunter2"));
    assert_eq!(deployment.output.channel("adviser"), Some("calls"), "the pack says so");
    assert_eq!(deployment.output.channel("default"), Some("out.triggers.default"), "a moment names no channel");
}

#[test]
fn every_refused_option_is_refused_wherever_it_stands() {
    for name in [
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "transactional.id",
        "isolation.level",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "group.id",
        "group.instance.id",
        "security.protocol",
        "ssl.ca.location",
        "ssl.certificate.pem",
        "ssl.key.password",
        "sasl.mechanisms",
        "sasl.mechanism",
        "sasl.username",
        "sasl.password",
        "bootstrap.servers",
        "metadata.broker.list",
        "allow.auto.create.topics",
        "retries",
        "message.timeout.ms",
        "delivery.report.only.error",
        "log_cb",
    ] {
        for table in ["options", "consumer_options", "producer_options"] {
            let text = format!("[kafka]\nbootstrap = \"localhost\"\n[kafka.{table}]\n\"{name}\" = \"1\"\n");
            let errors = errors("option.toml", &text);
            let [one] = &errors.diagnostics[..] else { panic!("{errors}") };
            assert_eq!((one.code, one.line), ("option_refused", 4), "{errors}");
            assert!(one.message.contains(name) && one.message.len() > name.len() + 40, "{errors}");
        }
    }
}

/// Any text is read or refused: texts that are cut, and texts with something else in the middle.
#[test]
fn no_text_makes_it_fall_over() {
    let plan = plan();
    let pieces =
        ["\"", "'", "[", "]", "{", "}", "$", "${", "=", "\n", "é", "\0", ".", "true", "[kafka]", "-1", "\"\"\"", "#"];
    for (name, text) in sound().into_iter().chain(files(&folder())) {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for (turn, &at) in boundaries.iter().enumerate().step_by(7) {
            let piece = pieces[turn % pieces.len()];
            let behind = &text[at..];
            let skipped = behind.chars().next().map_or(0, char::len_utf8);
            for text in [text[..at].to_owned(), format!("{}{piece}{}", &text[..at], &behind[skipped..])] {
                match load_deployment(&name, &text, &plan, &lookup) {
                    Ok(deployment) => assert_nothing_secret(&print(&deployment)),
                    Err(errors) => assert!(!errors.to_string().is_empty()),
                }
            }
        }
    }
}

/// The examples of the page, which are for the pack of the bank.
#[test]
fn the_page_says_what_is_so() {
    let page = fs::read_to_string(Path::new(crate::ROOT).join("docs/deployment.md")).expect("the page");
    let pack = fs::read_to_string(Path::new(crate::ROOT).join("dataflows/bank.toml")).expect("the pack");
    let bank = define::load("bank.toml", &pack).unwrap_or_else(|errors| panic!("{errors}"));
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 7, "the page has lost its examples");
    for block in blocks {
        let deployment = load_deployment("docs/deployment.md", block, &bank, &lookup);
        let deployment = deployment.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(deployment.warnings, [], "{block}");
    }
    // Every key that can be printed is told, with the default where it is a plain one.
    let printed = print(&load("whole.toml", &sound()[1].1).expect("a sound file"));
    let (mut section, mut keys) = (String::new(), 0);
    for line in printed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if !section.ends_with("options") {
            let key = line.split(' ').next().unwrap_or_default();
            keys += 1;
            let told = [format!("`{key}`"), format!(".{key}`")];
            assert!(told.iter().any(|told| page.contains(told.as_str())), "nothing is told of {section}.{key}");
        }
    }
    assert!(keys > 40, "{printed}");
    for (pattern, reason) in refused_options() {
        let row = page.lines().find(|line| line.contains(&format!("`{pattern}`")) && line.contains(reason));
        assert!(row.is_some(), "the page does not say why `{pattern}` is refused: {reason}");
    }
}
