//! Checking moments: their conditions, what they are about, what they use.

use super::problem::{Problem, Problems};
use super::raw;
use super::reason;
use super::scope::{Ground, KindView, Lookup, SlotState, ViewScope, compile, locate};
use super::spot::Text;
use super::words::shortened;
use crate::expr::{Expected, Expr};
use crate::plan::{Channel, EndedWords, Evidence, Moment, Purpose, Reason, ReasonPart, Silence, Texts, ValueStatement};
use propice_model::nearest::nearest;
use propice_model::time::DAY_MS;
use propice_model::{KindId, MomentId};

/// What moments are checked against.
pub(super) struct MomentGround<'a> {
    pub ground: &'a Ground<'a>,
    pub views: &'a [KindView],
    pub channels: &'a [Channel],
    pub raw: &'a [raw::Moment],
    /// The names of the moments, in their order in the plan.
    pub names: Vec<&'a str>,
    /// The version of those that declare none.
    pub version: &'a str,
    /// `policy.human`
    pub human: Option<usize>,
}

impl MomentGround<'_> {
    /// A moment.
    pub(super) fn moment(
        &self,
        raw: &raw::Moment,
        requests: &mut Vec<Lookup>,
        problems: &mut Problems,
    ) -> Option<Moment> {
        let channels = channels_of(raw, self.channels, problems);
        let silence = raw.silence.as_ref().map(|silence| self.silence(raw, silence, problems));
        let about = about(self.ground, raw, problems)?;
        let mut scope = ViewScope::about(self.ground, self.views, about);
        let mut of = |text: &Text, expected: Expected| compile(self.ground, text, &mut scope, &expected, problems);
        let when = raw.when.as_ref().and_then(|text| of(text, Expected::Condition));
        let priority = raw.priority.as_ref().map(|text| of(text, Expected::Number));
        let success = raw.success.as_ref().map(|text| of(text, Expected::Condition));
        let enough: Vec<Option<Expr>> = raw.evidence.iter().map(|text| of(text, Expected::Condition)).collect();
        let mut words = MomentNames { moments: self, about, scope: &mut scope, problems };
        let reason = words.said(&raw.reason);
        let mut ended = EndedWords::default();
        for (ending, said) in &raw.ended {
            let said = words.said(said);
            match ending {
                None => ended.any = said,
                Some(ending) => drop(ended.by_ending.insert(*ending, said)),
            }
        }
        let shares = raw.shares.as_ref().map(|names| words.names(names));
        requests.append(&mut scope.requests);
        let when = when?;
        let priority = priority.map_or(Some(None), |priority| priority.map(Some))?;
        let evidence = evidence(self.views, about, &when);
        let used = priority.as_ref().map_or_else(Vec::new, |priority| self::evidence(self.views, about, priority));
        let shares = shares_of(raw, (&evidence, &used), (&reason, &ended), shares, problems);
        let (kind, benefit) = raw.value.clone()?;
        let human_channel = channels.iter().copied().find(|&channel| self.channels[channel].human);
        Some(Moment {
            name: raw.name.value.clone(),
            label: texts(&raw.label),
            version: raw.version.clone().unwrap_or_else(|| self.version.to_owned()),
            about,
            for_ms: raw.for_ms,
            shares,
            evidence,
            when,
            purpose: raw.purpose?,
            value: ValueStatement { kind, benefit: texts(&benefit) },
            effort: raw.effort,
            priority,
            valid_for_ms: raw.valid_for_ms,
            cooldown_ms: raw.cooldown_ms,
            human_channel: human_channel.or(self.human).or(channels.first().copied()),
            channels,
            on_negative_mood: raw.on_negative_mood,
            success: success.map_or(Some(None), |success| success.map(Some))?,
            success_data: 0,
            success_within_ms: raw.success_within_ms.unwrap_or(30 * DAY_MS),
            data: 0,
            enough: enough.into_iter().collect::<Option<_>>()?,
            silence,
            holdout: raw.holdout.as_ref().map(|spot| spot.value).filter(|share| *share > 0.0),
            on_suppressed: raw.on_suppressed,
            on_expiry: raw.on_expiry.as_ref().map(|spot| spot.value).unwrap_or_default(),
            reason,
            ended,
            tone: raw.tone.clone(),
            description: raw.description.clone(),
        })
    }

    /// What a moment silences, by name; with neither purposes nor moments everything but what is
    /// excepted and itself.
    fn silence(&self, raw: &raw::Moment, silence: &raw::Silence, problems: &mut Problems) -> Silence {
        let named: Vec<&raw::Moment> =
            silence.moments.iter().filter_map(|text| moment_named(self.raw, text, problems)).collect();
        let is_everything = silence.moments.is_empty() && silence.purposes.is_empty();
        let is_silenced = |moment: &raw::Moment| {
            let is_named = named.iter().any(|named| named.name == moment.name);
            let is_of = |purposes: &[Purpose]| moment.purpose.is_some_and(|purpose| purposes.contains(&purpose));
            moment.name != raw.name
                && (is_everything || is_named || is_of(&silence.purposes))
                && !is_of(&silence.except)
        };
        let mut moments: Vec<MomentId> = (self.raw.iter().filter(|moment| is_silenced(moment)))
            .filter_map(|moment| self.names.iter().position(|name| *name == moment.name.value))
            .map(|position| MomentId(position as u16))
            .collect();
        moments.sort_unstable();
        if moments.is_empty() && named.len() == silence.moments.len() {
            problems.add(Problem::SilencesNothing { name: raw.name.value.clone() }, &silence.span);
        }
        Silence { moments, after_ms: silence.after_ms }
    }
}

/// Names in reasons and shares.
struct MomentNames<'a, 'b> {
    moments: &'a MomentGround<'b>,
    about: Option<KindId>,
    scope: &'a mut ViewScope<'b>,
    problems: &'a mut Problems,
}

impl MomentNames<'_, '_> {
    /// Words with names in braces, by language.
    fn said(&mut self, said: &raw::Said) -> Reason {
        let mut reason = Reason::new();
        for (language, text) in said {
            let ground = self.moments.ground;
            let parts = match reason::parts(&text.value) {
                Ok(parts) => parts,
                Err((fault, part)) => {
                    let problem = match fault {
                        reason::Fault::NotClosed => Problem::BraceNotClosed,
                        reason::Fault::NotAName(found) => Problem::NotAName { found: shortened(&found) },
                    };
                    self.problems.add(problem, &locate(ground.text, text, &part));
                    continue;
                }
            };
            let part = |part| match part {
                reason::TemplatePart::Text(text) => Some(ReasonPart::Text(text)),
                reason::TemplatePart::Name(name, place) => {
                    self.name(&Text::new(name, locate(ground.text, text, &place))).map(ReasonPart::Slot)
                }
            };
            let parts = parts.into_iter().filter_map(part).collect();
            reason.insert(language.clone(), parts);
        }
        reason
    }

    /// Names with their places.
    fn names<'t>(&mut self, names: &'t [Text]) -> Vec<(Evidence, &'t Text)> {
        names.iter().filter_map(|name| self.name(name).zip(Some(name))).collect()
    }

    /// A name, looked up like the names of an expression.
    fn name(&mut self, name: &Text) -> Option<Evidence> {
        if !reason::is_path(&name.value) {
            self.problems.add(Problem::NotAName { found: shortened(&name.value) }, &name.span);
            return None;
        }
        let expr = compile(self.moments.ground, name, self.scope, &Expected::Anything, self.problems)?;
        evidence(self.moments.views, self.about, &expr).into_iter().next()
    }
}

/// What leaves with a trigger: what the moment says of it, which it has to use, or what its
/// condition and its words use.
fn shares_of(
    raw: &raw::Moment,
    (evidence, priority): (&[Evidence], &[Evidence]),
    (reason, ended): (&Reason, &EndedWords),
    shares: Option<Vec<(Evidence, &Text)>>,
    problems: &mut Problems,
) -> Vec<Evidence> {
    let in_reason = names_in(reason).into_iter().map(|word| ("reason", word));
    let in_words: Vec<(&'static str, &Evidence)> =
        in_reason.chain(ended.all().flat_map(names_in).map(|word| ("ended", word))).collect();
    let is = |one: &Evidence, other: &Evidence| (one.scope, one.slot) == (other.scope, other.slot);
    let Some(shares) = shares else {
        let mut shares = evidence.to_vec();
        for (_, word) in in_words {
            if !shares.iter().any(|known| is(known, word)) {
                shares.push(word.clone());
            }
        }
        return shares;
    };
    for (share, text) in &shares {
        let words = in_words.iter().map(|(_, word)| *word);
        if !evidence.iter().chain(priority).chain(words).any(|used| is(used, share)) {
            problems.add(Problem::SharesUnused { name: shortened(&text.value) }, &text.span);
        }
    }
    for (what, word) in in_words {
        if !shares.iter().any(|(share, _)| is(share, word)) {
            let said =
                if what == "reason" { raw.reason.first() } else { raw.ended.iter().find_map(|(_, said)| said.first()) };
            let span = said.map_or(&raw.name.span, |(_, text)| &text.span);
            problems.add(Problem::ReasonNotShared { what, name: word.name.clone() }, span);
        }
    }
    shares.into_iter().map(|(share, _)| share).collect()
}

/// The slots that words name.
fn names_in(said: &Reason) -> Vec<&Evidence> {
    let mut names = Vec::new();
    for part in said.values().flatten() {
        if let ReasonPart::Slot(evidence) = part {
            names.push(evidence);
        }
    }
    names
}

/// Words as they stand.
pub(super) fn texts(said: &raw::Said) -> Texts {
    said.iter().map(|(language, text)| (language.clone(), text.value.clone())).collect()
}

/// What a moment is about; `None` when that could not be understood.
#[allow(clippy::option_option)] // Not understood, the customer, or an entity: three answers.
fn about(ground: &Ground<'_>, raw: &raw::Moment, problems: &mut Problems) -> Option<Option<KindId>> {
    let Some(text) = &raw.about else { return Some(None) };
    match ground.kind(&text.value) {
        Some(KindId::CUSTOMER) => Some(None),
        Some(kind) => Some(Some(kind)),
        None => {
            let nearest = nearest(&text.value, ground.kinds.iter().map(String::as_str));
            problems.add(Problem::UndeclaredEntity { name: shortened(&text.value), nearest }, &text.span);
            None
        }
    }
}

/// The positions of its channels.
fn channels_of(raw: &raw::Moment, channels: &[Channel], problems: &mut Problems) -> Vec<usize> {
    let mut found = Vec::new();
    for text in &raw.channels {
        let position = channel_named(text, channels, problems);
        if position.is_some_and(|position| found.contains(&position)) {
            problems.add(Problem::Duplicate { what: "channel", name: text.value.clone() }, &text.span);
        }
        found.extend(position);
    }
    found
}

/// The position of a channel, or a report that there is none of that name.
pub(super) fn channel_named(text: &Text, channels: &[Channel], problems: &mut Problems) -> Option<usize> {
    let position = channels.iter().position(|channel| channel.name == text.value);
    if position.is_none() {
        let known: Vec<String> = channels.iter().map(|channel| channel.name.clone()).collect();
        let nearest = nearest(&text.value, known.iter().map(String::as_str));
        let (what, name, place) = ("channel", shortened(&text.value), String::new());
        problems.add(Problem::Unknown { what, name, place, nearest, known }, &text.span);
    }
    position
}

/// The moment of a name, or a report that there is none.
pub(super) fn moment_named<'m>(
    moments: &'m [raw::Moment],
    text: &Text,
    problems: &mut Problems,
) -> Option<&'m raw::Moment> {
    let found = moments.iter().find(|moment| moment.name.value == text.value);
    if found.is_none() {
        let known: Vec<String> = moments.iter().map(|moment| moment.name.value.clone()).collect();
        let nearest = nearest(&text.value, known.iter().map(String::as_str));
        let (what, name, place) = ("moment", shortened(&text.value), String::new());
        problems.add(Problem::Unknown { what, name, place, nearest, known }, &text.span);
    }
    found
}

/// What a condition uses.
fn evidence(views: &[KindView], about: Option<KindId>, when: &Expr) -> Vec<Evidence> {
    let of = |scope: u8| if scope == 0 { KindId::CUSTOMER } else { about.unwrap_or(KindId::CUSTOMER) };
    when.refs()
        .iter()
        .filter_map(|(reference, name)| {
            let slots = &views[of(reference.scope).index()].slots;
            match slots.get(usize::from(reference.slot)) {
                Some((_, SlotState::Known { ty, .. })) => Some(Evidence {
                    name: name.clone(),
                    scope: reference.scope,
                    slot: reference.slot,
                    ty: ty.clone(),
                    data: 0,
                }),
                _ => None,
            }
        })
        .collect()
}
