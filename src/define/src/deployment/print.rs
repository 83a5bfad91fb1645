//! What is in force, as a deployment file: with every default filled in, each value with where it
//! came from, secrets hidden.

use std::fmt::Write as _;

use propice_model::time::{format_duration, format_logical};

use super::origin::Origins;
use super::secret::{HIDDEN, Setting};
use super::types::{BROKER_DEFAULT, Deployment, InputTopics, Kafka, Output, Select, SelectBy, Start, State, Tls};

/// The column in which it says where a value came from.
const COMMENTS: usize = 48;

/// What is in force, as TOML that gives the same deployment when it is loaded, but for secrets,
/// which are [`HIDDEN`].
pub fn print(deployment: &Deployment) -> String {
    let mut printer = Printer { out: String::new(), section: String::new(), origins: &deployment.origins };
    let cluster = &deployment.cluster;
    printer.begin("cluster");
    printer.text("name", &cluster.name);
    printer.line("workers", &cluster.workers.to_string());
    match cluster.publish_from {
        Some(time) => printer.text("publish_from", &format_logical(time)),
        None => printer.unset("publish_from"),
    }
    printer.duration("shutdown_within", cluster.shutdown_within_ms);
    printer.kafka(&deployment.kafka);
    for input in &deployment.inputs {
        printer.input(input);
    }
    printer.output(&deployment.output);
    printer.state(&deployment.state);
    let observe = &deployment.observe;
    printer.begin("observe");
    printer.topic("address", observe.address.as_deref());
    printer.text("log", name_of(&super::LogLevel::ALL, observe.log));
    printer.text("log_format", name_of(&super::LogFormat::ALL, observe.log_format));
    printer.out
}

/// The word for one of a list of values.
fn name_of<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

struct Printer<'a> {
    out: String,
    /// The section that lines are written into.
    section: String,
    origins: &'a Origins,
}

impl Printer<'_> {
    /// `[section]`
    fn begin(&mut self, section: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let _ = writeln!(self.out, "[{section}]");
        section.clone_into(&mut self.section);
    }

    /// `key = value # where it came from`
    fn line(&mut self, key: &str, value: &str) {
        let origin = self.origins.said(&format!("{}.{key}", self.section));
        let key = if is_bare(key) { key.to_owned() } else { quoted(key) };
        let line = format!("{key} = {value}");
        let _ = writeln!(self.out, "{line:COMMENTS$} # {origin}");
    }

    fn unset(&mut self, key: &str) {
        let _ = writeln!(self.out, "# {key} is not set");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.line(key, &escaped(text));
    }

    fn setting(&mut self, key: &str, setting: &Setting) {
        match setting {
            Setting::Plain(text) => self.text(key, text),
            Setting::Secret(_) => self.secret(key),
        }
    }

    fn secret(&mut self, key: &str) {
        self.line(key, &quoted(HIDDEN));
    }

    fn duration(&mut self, key: &str, duration_ms: i64) {
        self.text(key, &format_duration(duration_ms));
    }

    /// What may be switched off.
    fn topic(&mut self, key: &str, topic: Option<&str>) {
        match topic {
            Some(topic) => self.text(key, topic),
            None => self.line(key, "false"),
        }
    }

    fn options(&mut self, section: &str, options: &[(String, Setting)]) {
        if !options.is_empty() {
            self.begin(section);
        }
        for (name, value) in options {
            self.setting(name, value);
        }
    }

    fn kafka(&mut self, kafka: &Kafka) {
        self.begin("kafka");
        self.setting("bootstrap", &kafka.bootstrap);
        match &kafka.tls {
            None => self.line("tls", "false"),
            Some(tls) if *tls == Tls::default() => self.line("tls", "true"),
            Some(_) => {}
        }
        if kafka.sasl.is_none() {
            self.unset("sasl");
        }
        if kafka.create_topics.is_none() {
            self.unset("create_topics");
        }
        if let Some(tls) = kafka.tls.as_ref().filter(|tls| **tls != Tls::default()) {
            self.begin("kafka.tls");
            for (key, path) in [("ca", &tls.ca), ("certificate", &tls.certificate), ("key", &tls.key)] {
                path.iter().for_each(|path| self.setting(key, path));
            }
            tls.key_password.iter().for_each(|_| self.secret("key_password"));
        }
        if let Some(sasl) = &kafka.sasl {
            self.begin("kafka.sasl");
            self.text("mechanism", sasl.mechanism.name());
            self.setting("username", &sasl.username);
            self.secret("password");
        }
        if let Some(create) = &kafka.create_topics {
            self.begin("kafka.create_topics");
            self.line("partitions", &create.partitions.to_string());
            match create.replication {
                BROKER_DEFAULT => self.unset("replication"),
                replication => self.line("replication", &replication.to_string()),
            }
            match create.retention_ms {
                Some(retention_ms) => self.duration("retention", retention_ms),
                None => self.unset("retention"),
            }
        }
        self.options("kafka.options", &kafka.options);
        self.options("kafka.consumer_options", &kafka.consumer_options);
        self.options("kafka.producer_options", &kafka.producer_options);
    }

    fn input(&mut self, input: &InputTopics) {
        self.begin(&format!("input.{}", input.name));
        let topics: Vec<String> = input.topics.iter().map(|topic| escaped(topic)).collect();
        self.line("topics", &format!("[{}]", topics.join(", ")));
        self.text("format", name_of(&super::RecordFormat::ALL, input.format));
        match &input.select {
            Some(select) => self.line("select", &select_of(select)),
            None => self.unset("select"),
        }
        self.text("key", name_of(&super::KeyFrom::ALL, input.key));
        match input.start {
            Start::Earliest => self.text("start", "earliest"),
            Start::Latest => self.text("start", "latest"),
            Start::At(time) => self.text("start", &format_logical(time)),
        }
    }

    fn output(&mut self, output: &Output) {
        self.begin("output");
        self.text("lane", name_of(&super::Lane::ALL, output.lane));
        self.text("prefix", &output.prefix);
        self.text("mode", name_of(&super::EventMode::ALL, output.mode));
        self.topic("decisions", output.decisions.as_deref());
        self.topic("episodes", output.episodes.as_deref());
        self.text("dead_letters", &output.dead_letters);
        if output.views.is_none() {
            self.line("views", "false");
        }
        self.duration("commit_every", output.commit_every_ms);
        self.line("buffer", &output.buffer.to_string());
        if let Some(views) = &output.views {
            self.begin("output.views");
            self.text("topic", &views.topic);
            self.text("form", name_of(&super::ViewsForm::ALL, views.form));
        }
        for channel in &output.channels {
            self.begin(&format!("output.channel.{}", channel.name));
            self.text("topic", &channel.topic);
        }
    }

    fn state(&mut self, state: &State) {
        self.begin("state");
        self.setting("url", &state.url);
        self.duration("checkpoint_every", state.checkpoint_every_ms);
        self.line("checkpoint_changes", &state.checkpoint_changes.to_string());
        self.line("keep", &state.keep.to_string());
        self.text("bindings", &state.bindings);
        self.text("progress", &state.progress);
        self.options("state.options", &state.options);
    }
}

fn select_of(select: &Select) -> String {
    let (key, name) = match &select.by {
        SelectBy::Header(name) => ("header", name),
        SelectBy::Field(name) => ("field", name),
    };
    format!("{{ {key} = {}, equals = {} }}", escaped(name), escaped(&select.equals))
}

/// Whether a key needs no quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A text in quotes in which nothing is a variable.
fn escaped(text: &str) -> String {
    quoted(&text.replace('$', "$$"))
}

/// A text as TOML writes it, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            c if c.is_control() => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_as_they_were() {
        for text in ["", "a", "\"\\\n\t\u{7f}\u{85}", "é ☂", "''", "a # b"] {
            let table: toml::Table = format!("a = {}", quoted(text)).parse().expect("TOML");
            assert_eq!(table["a"].as_str(), Some(text));
        }
        assert_eq!(escaped("a$b"), "\"a$$b\"");
    }
}
