//! At random logical times of every case what the dataflow holds is taken, written and read again;
//! everything is thrown away, and another dataflow, with another number of workers, goes on from it:
//! to be told from a run that was never interrupted by nothing.
//!
//! Some runs take what is held at once, others a base and then changes of it. What was taken at once
//! and what changes lead to is the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use propice_define::Plan;
use propice_edge::sink::{MemorySink, OutgoingDecision, OutgoingTransition, Sink, ViewMode};
use propice_edge::source::{Batch, LinesSource, Source};
use propice_flow::clock::EventClock;
use propice_flow::policy::Decision;
use propice_flow::state::{Change, Entry, Extent, Held, Key, Placement, PlanShape, Restoring, StateHandle};
use propice_flow::{BuildOptions, Engine, Transition, ViewPart};
use propice_model::{Fact, KeyRange, LogicalTime};
use propice_run::gather::Place;
use propice_run::{LineTexts, Peer, on_workers};

use crate::files::{File, Folder};
use crate::generate::{Case, Rng};

pub(crate) type Update = (Fact, LogicalTime, isize);
/// What is stored: by collection and key.
pub(crate) type Stored = BTreeMap<(Arc<str>, Key), Entry>;

/// What a dataflow gave.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) views: Vec<(ViewPart, LogicalTime, isize)>,
}

/// What a dataflow goes on from.
#[derive(Clone)]
pub(crate) struct From {
    pub(crate) at: LogicalTime,
    pub(crate) stored: Arc<Stored>,
    pub(crate) shape: Arc<PlanShape>,
}

/// A part of a run.
#[derive(Clone)]
pub(crate) struct Leg {
    pub(crate) plan: Arc<Plan>,
    pub(crate) workers: usize,
    pub(crate) with_views: bool,
    pub(crate) from: Option<From>,
    pub(crate) updates: Arc<Vec<Update>>,
    /// How many updates are fed at once.
    pub(crate) batch: usize,
    /// When what is held is taken, in order.
    pub(crate) cuts: Vec<(LogicalTime, Extent)>,
    /// Up to when it goes.
    pub(crate) through: LogicalTime,
}

/// Whether a case goes on from what was taken as if nothing had been: `None`, or how it does not.
/// `expected` is what it gives when it is not interrupted.
pub(crate) fn difference(
    seed: u64,
    plan: &Arc<Plan>,
    case: &Case,
    files: Option<(&Folder, &[File])>,
    expected: &LineTexts,
) -> Option<String> {
    let mut rng = Rng::new(seed ^ 0x5e57_a7e0);
    let plan = keeping(case, plan)?;
    let mut source = match crate::tried::source(&plan, case, files) {
        Ok(source) => source,
        Err(error) => return Some(error),
    };
    let (updates, through) = facts_from(source.as_mut(), case.until);
    let first = updates.first().map_or(0, |(_, time, _)| *time);
    let mut cuts: Vec<LogicalTime> = (0..=rng.below(3)).map(|_| instant(&mut rng, &updates, first, through)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let extent = |at: usize| if at == 0 { Extent::Whole } else { Extent::Changed };
    let cuts: Vec<_> = cuts.into_iter().enumerate().map(|(at, time)| (time, extent(at))).collect();
    let last = cuts.last()?.0;
    let before = Leg {
        plan: Arc::clone(&plan),
        workers: *rng.pick(&[1, 1, 2, 3]),
        with_views: rng.chance(60),
        from: None,
        updates: Arc::new(updates.iter().filter(|(_, time, _)| *time <= last).cloned().collect()),
        batch: *rng.pick(&[1, 3, 100]),
        cuts: cuts.clone(),
        through: last,
    };
    let after = Leg {
        workers: *rng.pick(&[1, 1, 2, 4]),
        updates: Arc::new(updates.into_iter().filter(|(_, time, _)| *time > last).collect()),
        batch: *rng.pick(&[1, 3, 100]),
        cuts: Vec::new(),
        through,
        ..before.clone()
    };
    let how = || format!("restored at {cuts:?}, {} workers, then {}", before.workers, after.workers);
    let result = (|| {
        let (mut given, taken) = run(&before)?;
        let stored = applied(&plan, &taken)?;
        if cuts.len() > 1 && rng.chance(30) {
            let whole = Leg { cuts: vec![(last, Extent::Whole)], workers: 1, ..before.clone() };
            let at_once = applied(&plan, &run(&whole)?.1)?;
            same(&counting(&at_once, last), &counting(&stored, last))?;
        }
        let from = From { at: last, stored: Arc::new(stored), shape: Arc::new(PlanShape::of(&plan)) };
        let (more, _) = run(&Leg { from: Some(from), ..after.clone() })?;
        if more.transitions.iter().any(|it| it.time <= last) || more.decisions.iter().any(|it| it.time <= last) {
            return Err("something is said again".to_owned());
        }
        if let Some((part, time, diff)) = more.views.iter().find(|(_, time, _)| *time <= last) {
            return Err(format!("a view is given again: {part:?} at {time}, {diff}"));
        }
        given.transitions.extend(more.transitions);
        given.decisions.extend(more.decisions);
        given.views.extend(more.views);
        compared(&plan, given, through, expected, before.with_views)
    })();
    result.err().map(|error| format!("{}: {error}", how()))
}

/// A plan that keeps the rows of tables.
fn keeping(case: &Case, plan: &Plan) -> Option<Arc<Plan>> {
    let mut kept = crate::tried::load(case)?;
    let own = Arc::get_mut(&mut kept)?;
    own.keeps_rows = true;
    own.policy.publish_from = plan.policy.publish_from;
    Some(kept)
}

/// A time at which something happens, or any other.
fn instant(rng: &mut Rng, updates: &[Update], first: LogicalTime, through: LogicalTime) -> LogicalTime {
    if !updates.is_empty() && rng.chance(60) {
        let (_, time, _) = updates[rng.below(updates.len())];
        return time.saturating_sub(u64::from(rng.chance(20))) + u64::from(rng.chance(20));
    }
    let from = first.saturating_sub(1);
    from + rng.next() % (through.max(from) - from + 1)
}

/// The facts of lines with their logical times, and the time at which they end.
pub(crate) fn facts_of(plan: &Arc<Plan>, lines: &[String], until: Option<u64>) -> (Vec<Update>, LogicalTime) {
    facts_from(&mut LinesSource::new(plan, "lines", lines), until)
}

/// The facts of a source with their logical times, and the time at which they end.
fn facts_from(source: &mut dyn Source, until: Option<u64>) -> (Vec<Update>, LogicalTime) {
    let mut clock = EventClock::default();
    let mut updates = Vec::new();
    let mut ended = false;
    while !ended {
        let mut batch = Batch::default();
        ended = !source.fill(&mut batch).expect("a source that can be read");
        for fact in batch.facts {
            let event_time = fact.rank.event_time;
            if until.is_some_and(|until| clock.next(event_time) > until) {
                ended = true;
                break;
            }
            updates.push((fact, clock.bind(event_time), 1));
        }
    }
    let through = until.unwrap_or_default().max(clock.now());
    (updates, through)
}

/// Runs a part: what it gave, and what was taken at each cut.
pub(crate) fn run(leg: &Leg) -> Result<(Given, Vec<Vec<Change>>), String> {
    let (leg, workers) = (leg.clone(), leg.workers);
    // A worker that fails ends the others, which would wait for it.
    let results = on_workers(workers, move |peer| match on_worker(peer, &leg) {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(Box::new(error)),
    })?;
    let mut given = Given::default();
    let mut taken: Vec<Vec<Change>> = Vec::new();
    for result in results {
        let (own, cuts) = result;
        given.transitions.extend(own.transitions);
        given.decisions.extend(own.decisions);
        given.views.extend(own.views);
        taken.resize_with(cuts.len(), Vec::new);
        taken.iter_mut().zip(cuts).for_each(|(all, own)| all.extend(own));
    }
    Ok((given, taken))
}

fn on_worker(peer: Peer<'_>, leg: &Leg) -> Result<(Given, Vec<Vec<Change>>), String> {
    let index = peer.index();
    let state = match &leg.from {
        None => StateHandle::new(),
        Some(from) => {
            let entries = from
                .stored
                .iter()
                .map(|((collection, key), entry)| (Arc::clone(collection), key.clone(), read_again(entry)));
            let restoring = Restoring {
                plan: &leg.plan,
                at: from.at,
                worker: index,
                workers: leg.workers,
                before: Some(&from.shape),
            };
            StateHandle::restoring(&restoring, entries).map_err(|error| error.to_string())?
        }
    };
    let given = Rc::new(RefCell::new(Given::default()));
    let own = Rc::clone(&given);
    let options = BuildOptions { with_views: leg.with_views, state: Some(state.clone()) };
    let mut session = peer.session(&leg.plan, Engine::Fused, options, Place::First, move |gathered, _| {
        let mut own = own.borrow_mut();
        own.transitions.extend(gathered.transitions.drain(..).map(|(transition, _, _)| transition));
        own.decisions.extend(gathered.decisions.drain(..).map(|(decision, _, _)| decision));
        own.views.append(&mut gathered.views);
    });
    let mut mine = leg.updates.iter().enumerate().filter(|(at, _)| at % leg.workers == index).map(|(_, it)| it);
    let mut waiting: Vec<Update> = Vec::new();
    let mut taken = Vec::new();
    let mut feed = |session: &mut propice_run::Session<'_>, until: LogicalTime| {
        loop {
            let mut batch: Vec<Update> = Vec::new();
            while batch.len() < leg.batch {
                let next = waiting.pop().or_else(|| mine.next().cloned());
                match next {
                    Some(update) if update.1 <= until => batch.push(update),
                    Some(update) => {
                        waiting.push(update);
                        break;
                    }
                    None => break,
                }
            }
            let Some((_, last, _)) = batch.last() else { break };
            let next = (*last).max(session.time());
            session.send(&mut batch, next);
            session.step();
        }
    };
    for &(at, extent) in &leg.cuts {
        state.cut(at, extent).map_err(|error| error.to_string())?;
        feed(&mut session, at);
        session.send(&mut Vec::new(), at + 1);
        let changes = loop {
            session.step();
            if let Some(changes) = state.take() {
                break changes;
            }
        };
        check(leg, index, &changes)?;
        taken.push(changes);
    }
    feed(&mut session, leg.through);
    let end = (leg.through + 1).max(session.time());
    session.send(&mut Vec::new(), end);
    session.settle(end);
    let given = std::mem::take(&mut *given.borrow_mut());
    Ok((given, taken))
}

/// What a worker gives is what it is given again, and under the range of its key.
fn check(leg: &Leg, index: usize, changes: &[Change]) -> Result<(), String> {
    let placement = Placement::of(&leg.plan);
    for Change { collection, range, key, .. } in changes {
        if placement.worker(collection, key, leg.workers).is_some_and(|worker| worker != index) {
            return Err(format!("{collection}, {key} was given by worker {index} of {}", leg.workers));
        }
        let name = collection.split('/').nth(1).unwrap_or("customer");
        let expected = match key {
            Key::Id(id) => KeyRange::of_id(name, id),
            Key::Row(values) => KeyRange::of_row(name, values),
        };
        if *range != expected {
            return Err(format!("{collection}, {key} is not in the range {range}"));
        }
    }
    Ok(())
}

/// An entry as it is read again after it was written.
fn read_again(entry: &Entry) -> Entry {
    let bytes = bincode::serialize(entry).expect("an entry can be written");
    bincode::deserialize(&bytes).expect("an entry can be read")
}

/// A base with changes applied to it.
pub(crate) fn applied(plan: &Plan, taken: &[Vec<Change>]) -> Result<Stored, String> {
    let mut stored = Stored::new();
    for (number, changes) in taken.iter().enumerate() {
        let mut seen = BTreeMap::new();
        for Change { collection, key, entry, .. } in changes {
            if seen.insert((collection, key), ()).is_some() {
                return Err(format!("{collection}, {key} of {} is given twice", plan.name));
            }
            let at = (Arc::clone(collection), key.clone());
            match entry {
                Some(entry) => drop(stored.insert(at, entry.clone())),
                None if number == 0 => return Err(format!("{collection}, {key} is gone from the beginning")),
                None => drop(stored.remove(&at)),
            }
        }
    }
    Ok(stored)
}

/// What of it counts behind a time: what has ended since it was written is not written again.
fn counting(stored: &Stored, at: LogicalTime) -> Stored {
    let counts = |held: &&Held| held.until > at;
    let entries = stored.iter().filter_map(|(key, entry)| match entry {
        Entry::Feature(held) => {
            let held: Vec<Held> = held.iter().filter(counts).cloned().collect();
            (!held.is_empty()).then_some((key.clone(), Entry::Feature(held)))
        }
        // What the policy forgets by the clock it forgets when it looks.
        other => Some((key.clone(), other.clone())),
    });
    entries.collect()
}

fn same(at_once: &Stored, applied: &Stored) -> Result<(), String> {
    let keys: std::collections::BTreeSet<_> = at_once.keys().chain(applied.keys()).collect();
    for key in keys {
        let (one, other) = (at_once.get(key), applied.get(key));
        if one != other {
            return Err(format!("{}, {}: at once {one:?}, by changes {other:?}", key.0, key.1));
        }
    }
    Ok(())
}

/// What two dataflows gave one after the other, as it is published, against what one gives.
fn compared(
    plan: &Arc<Plan>,
    given: Given,
    through: LogicalTime,
    expected: &LineTexts,
    views: bool,
) -> Result<(), String> {
    let Given { mut transitions, mut decisions, views: mut updates } = given;
    let from = plan.policy.publish_from;
    transitions.retain(|transition| transition.time >= from);
    decisions.retain(|decision| decision.time >= from);
    transitions.sort_unstable();
    decisions.sort_unstable();
    let mut net: BTreeMap<(LogicalTime, ViewPart), isize> = BTreeMap::new();
    for (part, time, diff) in updates.drain(..) {
        *net.entry((time, part)).or_default() += diff;
    }
    let net = net.into_iter().filter(|(_, diff)| *diff != 0).map(|((time, part), diff)| (part, time, diff));
    let mut sink = MemorySink::new(plan, ViewMode::Changes);
    let writes = [
        Sink::transitions(&mut sink, &OutgoingTransition::all(plan, &transitions)),
        Sink::decisions(&mut sink, &OutgoingDecision::all(plan, &decisions)),
        Sink::views(&mut sink, &net.collect::<Vec<_>>()),
        Sink::finish(&mut sink, through),
    ];
    if let Some(Err(error)) = writes.into_iter().find(Result::is_err) {
        return Err(error.to_string());
    }
    let found = sink.texts();
    let mut pairs =
        vec![("episodes", &expected.episodes, &found.episodes), ("decisions", &expected.decisions, &found.decisions)];
    if views {
        pairs.push(("views", &expected.view_changes, &found.views));
    }
    for (what, expected, found) in pairs {
        if expected != found {
            let differing = expected.lines().zip(found.lines()).find(|(one, other)| one != other);
            let lengths = (expected.lines().count(), found.lines().count());
            return Err(format!("{what} differ, {lengths:?} lines; first: {differing:#?}"));
        }
    }
    Ok(())
}

/// A worker that fails ends the run, whatever the others wait for; and taking back what was never
/// there makes it fail.
#[test]
fn what_was_never_there_cannot_be_taken_back() {
    let pack = r#"
[pack]
name = "p"
[stream.s]
about = "c"
time = "at"
fields = { c = "id(customer)", at = "time", n = "int" }
[customer.feature]
top = { from = "s", top = "n" }
"#;
    let plan = Arc::new(propice_define::load("p.toml", pack).expect("a pack"));
    let line = r#"{"stream":"s","c":"c1","at":5,"n":1}"#.to_owned();
    let mut batch = Batch::default();
    LinesSource::new(&plan, "lines", &[line]).fill(&mut batch).expect("a line");
    for workers in [1, 3] {
        let (plan, fact) = (Arc::clone(&plan), batch.facts[0].clone());
        let failed = on_workers(workers, move |peer| {
            let is_first = peer.index() == 0;
            let mut session = peer.session(&plan, Engine::Fused, false, Place::First, |_, _| {});
            let mut updates = if is_first { vec![(fact.clone(), 5, -1)] } else { Vec::new() };
            session.send(&mut updates, 6);
            // Whoever does not fail waits for what never comes.
            session.settle_parked(1_000);
        });
        let message = failed.expect_err("a worker that failed");
        assert!(message.starts_with("a broken invariant: "), "{message}");
    }
}

/// Nothing is shown by cases in which nothing is kept.
#[test]
fn what_is_kept_of_the_random_cases_is_not_trivial() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 1..=150 {
        let case = crate::generate::case(seed);
        let Some(plan) = crate::tried::load(&case).and_then(|plan| keeping(&case, &plan)) else { continue };
        let (updates, through) = facts_of(&plan, &case.lines, case.until);
        let Some((_, middle, _)) = updates.get(updates.len() / 2).cloned() else { continue };
        let leg = Leg {
            plan: Arc::clone(&plan),
            workers: 1,
            with_views: false,
            from: None,
            updates: Arc::new(updates),
            batch: 100,
            cuts: vec![(middle, Extent::Whole)],
            through,
        };
        let stored = applied(&plan, &run(&leg).expect("a run").1).expect("entries");
        for ((collection, _), entry) in &stored {
            let name = collection.split('/').next().unwrap_or_default();
            let marks = matches!(entry, Entry::Row(row) if row.fields.is_none());
            *counts.entry(if marks { "deletions".to_owned() } else { name.to_owned() }).or_default() += 1;
        }
    }
    println!("{counts:?}");
    for name in ["rows", "deletions", "exists", "owners", "feature", "pending", "conditions", "policy"] {
        assert!(counts.get(name).is_some_and(|count| *count > 3), "`{name}` is rare: {counts:?}");
    }
}
