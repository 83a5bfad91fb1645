//! Reading `[output]`.

use toml::de::DeValue;

use super::desk::{Desk, Part, Switch};
use super::origin::Origin;
use super::problem::Problem;
use super::topics::{TopicUse, mistake_in_topic};
use super::types::{ChannelTopic, DEFAULT_CHANNEL, EventMode, Lane, Output, Views, ViewsForm};
use crate::pack::problem::{Problem as Common, Span};
use crate::pack::section::{TomlItem, wrong_type};
use crate::pack::words::shortened;
use propice_model::nearest::nearest;

/// `[output]`
pub(super) fn output(mut part: Part<'_>, cluster: &str, desk: &mut Desk<'_>) -> Output {
    let lane = desk.word(&mut part, "lane", "lane", &Lane::ALL).map_or(Lane::ExactlyOnce, |spot| spot.value);
    let mode = desk.word(&mut part, "mode", "mode of CloudEvents", &EventMode::ALL);
    let prefix = prefix(&mut part, cluster, desk);
    let channels = channels(&mut part, &prefix, desk);
    let mut switched = |key: &'static str, what: &str| switched(&mut part, (key, what), &prefix, desk);
    let decisions = switched("decisions", "the decisions");
    let episodes = switched("episodes", "the open episodes");
    let dead_letters = dead_letters(&mut part, &prefix, desk);
    let views = views(&mut part, &prefix, desk);
    let commit_every_ms = desk.duration(&mut part, "commit_every", (0, 10_000)).unwrap_or(2);
    let buffer = desk.number(&mut part, "buffer", (1, 10_000_000)).unwrap_or(100_000);
    desk.finish(part);
    Output {
        lane,
        mode: mode.map_or(EventMode::Binary, |spot| spot.value),
        channels,
        decisions,
        episodes,
        dead_letters,
        views,
        commit_every_ms,
        buffer: buffer as usize,
        prefix,
    }
}

/// What names of topics begin with.
fn prefix(part: &mut Part<'_>, cluster: &str, desk: &mut Desk<'_>) -> String {
    let Some(prefix) = desk.text(part, "prefix") else { return cluster.to_owned() };
    if let Some(why) = mistake_in_topic(&prefix.value) {
        let (topic, of) = (shortened(&prefix.value), " to begin with".to_owned());
        desk.found.add(Problem::BadTopic { topic, of, why }, &prefix.span);
        return cluster.to_owned();
    }
    prefix.value
}

/// Takes a topic: what stands there, or the default.
fn take(desk: &mut Desk<'_>, topic: String, what: &str, (span, near): (Option<Span>, Span)) -> String {
    desk.topics.push(TopicUse { topic: topic.clone(), what: what.to_owned(), span, near });
    topic
}

/// A topic that can be switched off.
fn switched(
    part: &mut Part<'_>,
    (key, what): (&'static str, &str),
    prefix: &str,
    desk: &mut Desk<'_>,
) -> Option<String> {
    let near = part.section.span.clone();
    let default = format!("{prefix}.{key}");
    if !part.section.has(key) {
        part.section.get(key);
        return Some(take(desk, default, what, (None, near)));
    }
    let item = desk.item(part, key)?;
    match (desk.switch(item), item.get_ref()) {
        (Switch::Off, _) => None,
        (Switch::On, _) => Some(take(desk, default, what, (Some(item.span()), near))),
        (Switch::Said, DeValue::String(_)) => {
            let topic = desk.text(part, key)?;
            Some(take(desk, topic.value, what, (Some(topic.span), near)))
        }
        (Switch::Said, other) => {
            desk.common.add(wrong_type(key, "a topic in quotes, or false", other), &item.span());
            None
        }
    }
}

/// Dead letters, which cannot be switched off.
fn dead_letters(part: &mut Part<'_>, prefix: &str, desk: &mut Desk<'_>) -> String {
    let item = desk.item(part, "dead_letters");
    if let Some(item) = item.filter(|item| matches!(desk.switch(item), Switch::Off)) {
        desk.found.add(Problem::NoDeadLetters, &item.span());
    }
    let topic = switched(part, ("dead_letters", "the dead letters"), prefix, desk);
    topic.unwrap_or_else(|| format!("{prefix}.dead_letters"))
}

/// `views = false`, `true`, or a table of `topic` and `form`.
fn views(part: &mut Part<'_>, prefix: &str, desk: &mut Desk<'_>) -> Option<Views> {
    let near = part.section.span.clone();
    let item = desk.item(part, "views")?;
    let default = || format!("{prefix}.views");
    match (desk.switch(item), item.get_ref()) {
        (Switch::Off, _) => None,
        (Switch::On, _) => {
            let topic = take(desk, default(), "the views", (Some(item.span()), near));
            Some(Views { topic, form: ViewsForm::Whole })
        }
        (Switch::Said, DeValue::Table(_)) => {
            let mut part = desk.part("`output.views`", "output.views", item)?;
            let topic = desk.text(&mut part, "topic");
            let span = topic.as_ref().map(|text| text.span.clone());
            let topic = take(desk, topic.map_or_else(default, |text| text.value), "the views", (span, near));
            let form = desk.word(&mut part, "form", "form of views", &ViewsForm::ALL);
            desk.finish(part);
            Some(Views { topic, form: form.map_or(ViewsForm::Whole, |spot| spot.value) })
        }
        (Switch::Said, other) => {
            desk.common.add(wrong_type("views", "a table, true or false", other), &item.span());
            None
        }
    }
}

/// The topics of all channels: as the file says, as the pack says, or by the name of the channel.
fn channels(part: &mut Part<'_>, prefix: &str, desk: &mut Desk<'_>) -> Vec<ChannelTopic> {
    let plan = desk.plan;
    let mut names: Vec<&str> = plan.channels.iter().map(|channel| channel.name.as_str()).collect();
    let is_unnamed = plan.moments.iter().any(|moment| moment.channels.is_empty());
    if is_unnamed && !names.contains(&DEFAULT_CHANNEL) {
        names.push(DEFAULT_CHANNEL);
    }
    let near = part.section.span.clone();
    let said = desk.item(part, "channel").and_then(|item| desk.part("`output.channel`", "output.channel", item));
    let mut topics = Vec::new();
    let entries: Vec<_> = said.iter().flat_map(|part| part.section.entries()).collect();
    for name in &names {
        let entry = entries.iter().find(|(key, _)| key.value == *name);
        let span = entry.and_then(|(_, item)| channel(name, item, desk));
        let of_pack = plan.channels.iter().find(|channel| channel.name == *name).and_then(|known| known.topic.clone());
        let (topic, span) = match span {
            Some((topic, span)) => (topic, Some(span)),
            None => {
                if of_pack.is_some() {
                    desk.origins.note(format!("output.channel.{name}.topic"), Origin::Pack);
                }
                (of_pack.unwrap_or_else(|| format!("{prefix}.triggers.{name}")), None)
            }
        };
        let what = format!("the triggers of channel `{name}`");
        let topic = take(desk, topic, &what, (span, near.clone()));
        topics.push(ChannelTopic { name: (*name).to_owned(), topic });
    }
    for (name, _) in entries.iter().filter(|(name, _)| !names.contains(&name.value.as_str())) {
        let known: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let nearest = nearest(&name.value, names.iter().copied());
        let (what, place) = ("channel", " in the pack".to_owned());
        let problem = Common::Unknown { what, name: shortened(&name.value), place, nearest, known };
        desk.common.add(problem, &name.span);
    }
    topics
}

/// `[output.channel.NAME]`: its topic with its place.
fn channel(name: &str, item: TomlItem<'_>, desk: &mut Desk<'_>) -> Option<(String, Span)> {
    let path = format!("output.channel.{name}");
    let mut part = desk.part(&format!("[{path}]"), &path, item)?;
    let topic = desk.text(&mut part, "topic");
    desk.finish(part);
    topic.map(|text| (text.value, text.span))
}
