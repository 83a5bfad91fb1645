//! A naive oracle: what a run must give, recomputed from all the records at every millisecond.
//!
//! It reads the pack's text and the lines by itself, and shares no code with the crate. It is slow
//! and plain on purpose: nothing is maintained, everything is computed anew. Its only memory is
//! since when each condition has held.
//!
//! In what it gives, `~` stands before numbers that `compare` compares with a tolerance. It is
//! itself checked on cases computed by hand (`by_hand`).

mod aggregate;
mod by_hand;
mod decode;
mod eval;
mod exact;
mod expr;
mod judge;
mod pack;
mod policy;
mod raw;
mod state;
mod typed;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use decode::Dead;
use eval::Scope;
pub(crate) use judge::{Against, Judge, Span, Told};
use pack::{Kind, Moment, Pack};
use policy::{Memory, Subject};
pub(crate) use raw::Arrivals;
use state::{Live, State, nothing};
use value::{Id, V, json_of, time_text};

/// What a run must give.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// `episodes.jsonl`
    pub(crate) episodes: String,
    /// `decisions.jsonl`
    pub(crate) decisions: String,
    /// `views.jsonl` with a line per change.
    pub(crate) views: String,
    /// The lines that become dead letters.
    pub(crate) dead: Vec<Dead>,
    /// How many records took effect.
    pub(crate) records: u64,
    /// How many episodes opened when a condition had held for a while.
    pub(crate) elapsed: u64,
    /// Whether a record after the end of the run was met: what comes behind it is not read, or for
    /// nothing.
    pub(crate) cut: bool,
    /// How many records came behind the clock.
    pub(crate) late: u64,
}

/// No case of the tests is longer.
const MOST_GRAINS: i64 = 10_000;

/// Since when a condition has held, and when the episode opened that is open.
#[derive(Default)]
struct Stretch {
    since: Option<i64>,
    open: Option<i64>,
}

struct Oracle<'a> {
    pack: &'a Pack,
    stretches: BTreeMap<Subject, Stretch>,
    views: BTreeMap<Id, String>,
    memory: Memory,
    publish_from: i64,
    expected: Expected,
}

/// Runs a pack over mixed lines in order of arrival; the run ends at `until`, or else with the last
/// record. Times and durations are multiples of `grain` ms, so that something can change only then,
/// or one ms later (behind `now > x`).
pub(crate) fn run(pack: &str, lines: &[String], until: Option<u64>, grain: u64) -> Expected {
    run_from(pack, Arrivals::Lines(lines), until, grain, 0)
}

/// As [`run`]; nothing is published before a time, and what is decided until then is not said.
pub(crate) fn run_from(
    pack: &str,
    arrivals: Arrivals<'_>,
    until: Option<u64>,
    grain: u64,
    publish_from: u64,
) -> Expected {
    let publish_from = publish_from as i64;
    let pack = Pack::read(pack);
    let decode::Decoded { records, dead, cut, late } =
        decode::records(&pack, arrivals, until.map(|until| until as i64));
    let expected = Expected { dead, cut, late, records: records.len() as u64, ..Expected::default() };
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return expected };
    // Records arrive in the order of their logical times.
    let (mut arrived, mut live) = (0, Live::of(&pack, &[]));
    let (begin, end) = (first.t, until.map_or(last.t, |until| until as i64));
    let memory = Memory::new(begin, end, publish_from);
    let (stretches, views) = (BTreeMap::new(), BTreeMap::new());
    let mut oracle = Oracle { pack: &pack, stretches, views, memory, publish_from, expected };
    assert!((end - begin) / grain as i64 <= MOST_GRAINS, "too far to look at every instant");
    let grains = (begin / grain as i64..=end / grain as i64).map(|grains| grains * grain as i64);
    let instants = grains.flat_map(|at| if grain == 1 { vec![at] } else { vec![at, at + 1] });
    let mut instants: BTreeSet<i64> = instants.filter(|now| (begin..=end).contains(now)).collect();
    while let Some(now) = instants.pop_first() {
        let by_now = records.iter().take_while(|record| record.t <= now).count();
        if by_now > arrived {
            (arrived, live) = (by_now, Live::of(&pack, &records[..by_now]));
        }
        let wake = oracle.step(&live, &State::at(now, &pack, &live));
        instants.extend(wake.into_iter().filter(|at| (now + 1..=end).contains(at)));
    }
    oracle.expected
}

impl Oracle<'_> {
    /// Gives the instants that are worth another look.
    fn step(&mut self, live: &Live<'_>, state: &State) -> BTreeSet<i64> {
        self.look_at_views(state);
        let transitions = self.look_at_moments(state);
        let (decisions, wake) = self.memory.step((self.pack, live, state), &transitions);
        if state.now >= self.publish_from {
            self.expected.decisions += &decisions;
        }
        wake
    }

    fn look_at_views(&mut self, state: &State) {
        let mut views = BTreeMap::new();
        for customer in state.entities[0].keys() {
            views.insert(customer.clone(), self.view(state, customer));
        }
        let customers: BTreeSet<&Id> = views.keys().chain(self.views.keys()).collect();
        for customer in customers {
            let head = format!("{{\"customer\":{},\"logical_time_ms\":{}", json_of(&customer.text()), state.now);
            match views.get(customer) {
                same if same == self.views.get(customer) => {}
                Some(view) => self.expected.views += &format!("{head}{view}}}\n"),
                None => self.expected.views += &format!("{head},\"exists\":false}}\n"),
            }
        }
        self.views = views;
    }

    /// Everything behind customer and time.
    fn view(&self, state: &State, customer: &Id) -> String {
        let mut text = shown(&self.pack.kinds[0], &state.entities[0][customer]);
        let mut kinds = Vec::new();
        for (number, kind) in self.pack.kinds.iter().enumerate().skip(1) {
            let related = state.related.iter().filter(|(of, k, _)| (of, *k) == (customer, number));
            let entities = related.map(|(_, _, id)| {
                let slots = shown(kind, &state.entities[number][id]);
                format!("{}:{{{}}}", json_of(&id.text()), slots.trim_start_matches(','))
            });
            let entities = entities.collect::<Vec<_>>();
            if !entities.is_empty() {
                kinds.push(format!("{}:{{{}}}", json_of(&kind.name), entities.join(",")));
            }
        }
        text += &format!(",\"entities\":{{{}}}", kinds.join(","));
        text
    }

    fn look_at_moments(&mut self, state: &State) -> Vec<(Subject, i64, bool)> {
        let mut subjects: BTreeSet<Subject> = self.stretches.keys().cloned().collect();
        for (number, moment) in self.pack.moments.iter().enumerate() {
            match moment.about {
                None => subjects.extend(state.entities[0].keys().map(|customer| (customer.clone(), None, number))),
                Some(about) => {
                    let related = state.related.iter().filter(|(_, kind, _)| *kind == about);
                    subjects.extend(related.map(|(c, k, e)| (c.clone(), Some((*k, e.clone())), number)));
                }
            }
        }
        subjects.into_iter().filter_map(|subject| self.look_at(state, subject)).collect()
    }

    /// Subjects come in the order in which transitions are published.
    fn look_at(&mut self, state: &State, subject: Subject) -> Option<(Subject, i64, bool)> {
        let (customer, entity, number) = &subject;
        let moment = &self.pack.moments[*number];
        let customer_slots = state.slots_or_nothing(self.pack, 0, customer);
        let (is_there, entity_slots) = match entity {
            None => (state.entities[0].contains_key(customer), Vec::new()),
            Some((kind, id)) if state.related.contains(&(customer.clone(), *kind, id.clone())) => {
                (true, state.entities[*kind][id].clone())
            }
            Some((kind, _)) => (false, nothing(&self.pack.kinds[*kind], state.now)),
        };
        let rows: [&[V]; 2] = [&customer_slots, &entity_slots];
        let holds = is_there && moment.when.holds(Scope { rows, now: state.now });
        let stretch = self.stretches.entry(subject.clone()).or_default();
        stretch.since = if holds { stretch.since.or(Some(state.now)) } else { None };
        let transition = match (stretch.since, stretch.open) {
            (Some(since), None) if state.now - since >= moment.for_ms => {
                stretch.open = Some(state.now);
                self.expected.elapsed += u64::from(moment.for_ms > 0);
                Some((state.now, "opened"))
            }
            (None, Some(opened)) => {
                stretch.open = None;
                Some((opened, "closed"))
            }
            _ => None,
        };
        let (opened, transition) = transition?;
        let line = self.transition(state.now, &subject, opened, transition, moment, rows);
        if state.now >= self.publish_from {
            self.expected.episodes += &line;
        }
        Some((subject, opened, transition == "opened"))
    }

    fn transition(
        &self,
        now: i64,
        subject: &Subject,
        opened: i64,
        transition: &str,
        moment: &Moment,
        rows: [&[V]; 2],
    ) -> String {
        let (customer, entity, _) = subject;
        let episode = episode_id(self.pack, subject, opened);
        let entity = match entity {
            None => "null".to_owned(),
            Some((kind, id)) => {
                format!("{{\"kind\":{},\"id\":{}}}", json_of(&self.pack.kinds[*kind].name), json_of(&id.text()))
            }
        };
        let evidence =
            moment.uses.iter().map(|(name, scope, slot)| format!("{}:{}", json_of(name), rows[*scope][*slot].json()));
        format!(
            "{{\"time\":{},\"logical_time_ms\":{now},\"customer\":{},\"entity\":{entity},\"moment\":{},\
             \"version\":{},\"episode\":\"{episode}\",\"transition\":\"{transition}\",\"evidence\":{{{}}}}}\n",
            json_of(&time_text(now)),
            json_of(&customer.text()),
            json_of(&moment.name),
            json_of(&moment.version),
            evidence.collect::<Vec<_>>().join(",")
        )
    }
}

/// A hash of what the episode is: every part behind its length.
fn episode_id(pack: &Pack, (customer, entity, moment): &Subject, opened: i64) -> String {
    let moment = &pack.moments[*moment];
    let mut parts = vec![pack.name.clone(), moment.name.clone(), moment.version.clone(), customer.text()];
    if let Some((kind, id)) = entity {
        parts.extend([pack.kinds[*kind].name.clone(), id.text()]);
    }
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes.extend(8_u64.to_le_bytes());
    bytes.extend(opened.to_le_bytes());
    blake3::hash(&bytes).to_hex()[..32].to_owned()
}

/// The features and attributes of an entity, by name.
fn shown(kind: &Kind, slots: &[V]) -> String {
    let names = kind.features.iter().map(|feature| &feature.name);
    let names = names.chain(kind.attributes.iter().map(|attribute| &attribute.name));
    names.enumerate().map(|(slot, name)| format!(",{}:{}", json_of(name), slots[slot].json())).collect()
}
