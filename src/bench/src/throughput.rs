//! Time per event: against the limit, and by epochs, moments, customers, workers, engine, policy;
//! and from bytes.
//!
//! What is compared is fed in turn with the same chunk of events, so that both meet the same
//! disturbances. Facts are made outside of what is timed. One thread computes, and is charged with
//! its CPU time; two workers are measured on the wall.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use propice_define::Plan;
use propice_flow::Engine;
use propice_model::LogicalTime;
use propice_run::on_workers;

use super::clock::{ns_each, on_cpu, on_wall};
use super::facts::{Decoders, Facts, JsonLines, Update, whole_milliseconds};
use super::figures::Figure;
use super::limit::{Emission, Limit};
use super::session::MeasuredSession;
use super::workload::{Event, Workload};
use super::{Failed, Scale, canonical, pack};

/// Events of an epoch, where nothing else is said.
pub(super) const EPOCH: usize = 1_000;
/// Events that one of several is fed before it is the turn of the next.
const CHUNK: usize = 50_000;

/// The events of a workload, a chunk at a time.
fn chunks(workload: Workload, size: usize) -> impl Iterator<Item = Vec<Event>> {
    let mut events = workload.events();
    std::iter::from_fn(move || {
        let chunk: Vec<Event> = events.by_ref().take(size).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Feeds a session with a chunk; what it costs.
fn feed(
    session: &mut MeasuredSession<'_>,
    facts: &mut Facts,
    chunk: &[Event],
    epoch: usize,
) -> Result<Duration, Failed> {
    let mut batches = facts.batches(whole_milliseconds(chunk, epoch))?;
    Ok(on_cpu(|| batches.iter_mut().for_each(|batch| session.feed(batch))).0)
}

/// Feeds the limit with a chunk; what it costs.
fn feed_limit(limit: &mut Limit, chunk: &[Event], emissions: &mut Vec<Emission>) -> Duration {
    on_cpu(|| whole_milliseconds(chunk, EPOCH).for_each(|batch| limit.feed(batch, emissions))).0
}

/// Against the limit.
pub(super) fn ratio(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let workload = canonical(scale.events);
    let (mut by_hand, mut fused, mut ratios, mut wall) = (vec![], vec![], vec![], vec![]);
    let mut share = 0.0;
    for _ in 0..scale.rounds {
        let (mut limit, mut session, mut facts) =
            (Limit::default(), MeasuredSession::here(plan, Engine::Fused), Facts::new(plan)?);
        let (mut of_limit, mut of_fused, mut on_the_wall) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let mut emissions = Vec::new();
        let mut count = 0;
        for chunk in chunks(workload, CHUNK) {
            count += chunk.len();
            of_limit += feed_limit(&mut limit, &chunk, &mut emissions);
            let mut batches = facts.batches(whole_milliseconds(&chunk, EPOCH))?;
            let (took, cpu) = on_wall(|| on_cpu(|| batches.iter_mut().for_each(|batch| session.feed(batch))).0);
            of_fused += cpu;
            on_the_wall += took;
        }
        let mut others = session.take_emissions();
        emissions.sort_unstable();
        others.sort_unstable();
        if emissions != others {
            return Err(Failed("the emissions of limit and fused differ on the workload that is measured".to_owned()));
        }
        share = emissions.len() as f64 / count as f64;
        by_hand.push(ns_each(of_limit, count));
        fused.push(ns_each(of_fused, count));
        wall.push(count as f64 / on_the_wall.as_secs_f64());
        ratios.push(of_fused.as_secs_f64() / of_limit.as_secs_f64());
    }
    let part = "throughput";
    Ok(vec![
        Figure::of(part, "limit", "ns per event", by_hand),
        Figure::of(part, "fused", "ns per event", fused),
        Figure::of(part, "fused / limit", "times", ratios),
        Figure::of(part, "fused, on the wall", "events per second", wall),
        Figure::of(part, "events that lead to an emission", "percent", vec![share * 100.0]),
    ])
}

/// By the events of an epoch.
pub(super) fn epochs(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
    let (mut session, mut facts) = (MeasuredSession::here(plan, Engine::Fused), Facts::new(plan)?);
    let mut each = vec![Vec::new(); SIZES.len()];
    for (number, chunk) in chunks(canonical(scale.events), 20_000).enumerate() {
        let size = number % SIZES.len();
        let took = feed(&mut session, &mut facts, &chunk, SIZES[size])?;
        // The first fifth warms up.
        if number as u64 * 20_000 >= scale.events / 5 {
            each[size].push(ns_each(took, chunk.len()));
        }
    }
    let figure = |(size, rounds)| Figure::of("epochs", "fused", "ns per event", rounds).at(size as u64);
    Ok(SIZES.into_iter().zip(each).map(figure).collect())
}

/// Several plans side by side; for each, the time per event in every chunk.
fn side_by_side(plans: &[Arc<Plan>], scale: &Scale) -> Result<Vec<Vec<f64>>, Failed> {
    let mut sessions = Vec::new();
    for plan in plans {
        sessions.push((MeasuredSession::here(plan, Engine::Fused), Facts::new(plan)?, Vec::new()));
    }
    let events = scale.events / 2;
    for (number, chunk) in chunks(canonical(events), CHUNK / 2).enumerate() {
        for (session, facts, rounds) in &mut sessions {
            let took = feed(session, facts, &chunk, EPOCH)?;
            if number as u64 * (CHUNK as u64 / 2) >= events / 4 {
                rounds.push(ns_each(took, chunk.len()));
            }
        }
    }
    Ok(sessions.into_iter().map(|(_, _, rounds)| rounds).collect())
}

/// By moments.
pub(super) fn moments(scale: &Scale, _: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    const SIZES: [usize; 3] = [5, 100, 1_000];
    let plans: Result<Vec<_>, Failed> = SIZES.into_iter().map(pack::with_moments).collect();
    let each = side_by_side(&plans?, scale)?;
    let ratios = each[2].iter().zip(&each[0]).map(|(many, few)| many / few).collect();
    let figure = |(size, rounds)| Figure::of("moments", "fused", "ns per event", rounds).at(size as u64);
    let mut figures: Vec<Figure> = SIZES.into_iter().zip(each).map(figure).collect();
    figures.push(Figure::of("moments", "1,000 / 5", "times", ratios));
    Ok(figures)
}

/// With the policy and without.
pub(super) fn policy(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let each = side_by_side(&[Arc::clone(plan), pack::without_policy()?], scale)?;
    let ratios = each[0].iter().zip(&each[1]).map(|(with, without)| with / without).collect();
    let mut each = each.into_iter();
    let mut next = |name| Figure::of("policy", name, "ns per event", each.next().unwrap_or_default());
    Ok(vec![next("with"), next("without"), Figure::of("policy", "with / without", "times", ratios)])
}

/// By customers, with as many events for each.
pub(super) fn customers(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let mut figures = Vec::new();
    let mut first = None;
    for &customers in scale.customers {
        // Three events per customer in 80 minutes; the second half is timed, when most customers
        // are known.
        let workload = Workload { seed: 1, customers, events: customers * 3, rate: (customers * 3 / 4_800).max(1) };
        let (mut of_limit, mut of_fused) = (vec![], vec![]);
        let (mut limit, mut session, mut facts) =
            (Limit::default(), MeasuredSession::here(plan, Engine::Fused), Facts::new(plan)?);
        let mut fed = 0;
        for chunk in chunks(workload, CHUNK.min(customers as usize / 2)) {
            let hand = feed_limit(&mut limit, &chunk, &mut Vec::new());
            let engine = feed(&mut session, &mut facts, &chunk, EPOCH)?;
            session.take_emissions();
            fed += chunk.len() as u64;
            if fed > workload.events / 2 {
                of_limit.push(ns_each(hand, chunk.len()));
                of_fused.push(ns_each(engine, chunk.len()));
            }
        }
        let limit = Figure::of("customers", "limit", "ns per event", of_limit).at(customers);
        let fused = Figure::of("customers", "fused", "ns per event", of_fused).at(customers);
        let (least_limit, least_fused) = *first.get_or_insert((limit.median, fused.median));
        if customers == 1_000_000 {
            let growth = |name, now, before| Figure::of("customers", name, "times", vec![now / before]);
            figures.push(growth("fused, 1,000,000 / 10,000", fused.median, least_fused));
            figures.push(growth("limit, 1,000,000 / 10,000", limit.median, least_limit));
        }
        figures.extend([limit, fused]);
    }
    Ok(figures)
}

/// By workers: each feeds its share of every epoch (every other event with two), as in a cluster
/// each reads its partitions; all of them one epoch ahead of what is decided. The work is the same
/// for any number: the same events in the same epochs, every one decided on worker 0.
pub(super) fn workers(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let mut figures = Vec::new();
    for epoch in [1_000, 10_000] {
        let mut rates = [Vec::new(), Vec::new()];
        // More rounds than elsewhere: whoever else runs on this machine takes from two workers
        // first.
        for _ in 0..2 * scale.rounds - 1 {
            for workers in [1, 2] {
                rates[workers - 1].push(rate_of_workers(scale, plan, workers, epoch)?);
            }
        }
        let ratios = rates[1].iter().zip(&rates[0]).map(|(two, one)| two / one).collect();
        let names = if epoch == 1_000 {
            ["1, epochs of 1,000", "2, epochs of 1,000", "2 / 1, epochs of 1,000"]
        } else {
            ["1, epochs of 10,000", "2, epochs of 10,000", "2 / 1, epochs of 10,000"]
        };
        let [one, two] = rates;
        figures.push(Figure::of("workers", names[0], "events per second", one));
        figures.push(Figure::of("workers", names[1], "events per second", two));
        figures.push(Figure::of("workers", names[2], "times", ratios));
    }
    Ok(figures)
}

/// Events per second on the wall of so many workers, once they are warm.
fn rate_of_workers(scale: &Scale, plan: &Arc<Plan>, workers: usize, epoch: usize) -> Result<f64, Failed> {
    let events: Vec<Event> = canonical(scale.events * 3 / 10).events().collect();
    let epochs = Facts::new(plan)?.batches(whole_milliseconds(&events, epoch))?;
    let warm = epochs.len() / 3;
    let counted = epochs[warm..].iter().map(Vec::len).sum::<usize>();
    let shares = Mutex::new(shares(epochs, workers));
    let plan = Arc::clone(plan);
    let took = on_workers(workers, move |peer| {
        let index = peer.index();
        let share = shares.lock().map(|mut shares| std::mem::take(&mut shares[index])).unwrap_or_default();
        lead(&mut MeasuredSession::among(peer, &plan, Engine::Fused), share, warm)
    });
    let took = took.map_err(Failed)?.into_iter().max().unwrap_or_default();
    Ok(counted as f64 / took.as_secs_f64())
}

/// A worker's part of an epoch, and the time to which its input moves then.
type WorkerShare = (Vec<Update>, LogicalTime);

/// Deals the events of every epoch out to workers, in turn.
fn shares(epochs: Vec<Vec<Update>>, workers: usize) -> Vec<Vec<WorkerShare>> {
    let mut shares: Vec<Vec<WorkerShare>> = (0..workers).map(|_| Vec::with_capacity(epochs.len())).collect();
    for epoch in epochs {
        let next = epoch.last().map_or(0, |(_, time, _)| time + 1);
        let part = |_| Vec::with_capacity(epoch.len().div_ceil(workers));
        let mut parts: Vec<Vec<Update>> = (0..workers).map(part).collect();
        for (number, update) in epoch.into_iter().enumerate() {
            parts[number % workers].push(update);
        }
        for (share, part) in shares.iter_mut().zip(parts) {
            share.push((part, next));
        }
    }
    shares
}

/// Feeds a worker's share, one epoch ahead of what is decided; how long that took behind the first
/// epochs.
fn lead(session: &mut MeasuredSession<'_>, share: Vec<WorkerShare>, warm: usize) -> Duration {
    let (mut started, mut before) = (Instant::now(), 0);
    for (number, (mut updates, next)) in share.into_iter().enumerate() {
        if number == warm {
            session.settle_parked(before);
            started = Instant::now();
        }
        session.send(&mut updates, next);
        session.step();
        session.settle_parked(before);
        before = next;
    }
    session.settle_parked(before);
    started.elapsed()
}

/// From the bytes of JSON Lines, on one thread: decoding alone, and with all that follows.
pub(super) fn json(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let (mut alone, mut whole, mut shares, mut bytes) = (vec![], vec![], vec![], vec![]);
    let mut session = MeasuredSession::here(plan, Engine::Fused);
    let (mut one, mut other) = (Decoders::new(plan)?, Decoders::new(plan)?);
    let mut batch = Vec::new();
    for (number, chunk) in chunks(canonical(scale.events / 2), CHUNK / 2).enumerate() {
        let lines = JsonLines::of(&chunk);
        let (decoding, decoded) =
            on_cpu(|| lines.iter().map(|line| one.update(line)).filter(|update| black_box(update).is_ok()).count());
        let (all, fed) = on_cpu(|| -> Result<usize, Failed> {
            let mut fed = 0;
            for line in lines.iter() {
                batch.push(other.update(line)?);
                if batch.len() == EPOCH {
                    fed += batch.len();
                    session.feed(&mut batch);
                }
            }
            fed += batch.len();
            session.feed(&mut batch);
            Ok(fed)
        });
        if decoded != chunk.len() || fed? != chunk.len() {
            return Err(Failed("not every line was decoded".to_owned()));
        }
        if number > 0 {
            alone.push(ns_each(decoding, chunk.len()));
            whole.push(ns_each(all, chunk.len()));
            bytes.push(lines.bytes() as f64 / all.as_secs_f64() / 1e6);
            shares.push(decoding.as_secs_f64() / all.as_secs_f64());
        }
    }
    Ok(vec![
        Figure::of("json", "decoding alone", "ns per event", alone),
        Figure::of("json", "bytes to emissions", "ns per event", whole),
        Figure::of("json", "bytes to emissions, in bytes", "MB per second", bytes),
        Figure::of("json", "throughput against decoding alone", "times", shares),
    ])
}

/// The reference engine, for as long as the scale gives it.
pub(super) fn reference(scale: &Scale, plan: &Arc<Plan>) -> Result<Vec<Figure>, Failed> {
    let (mut session, mut facts) = (MeasuredSession::here(plan, Engine::Reference), Facts::new(plan)?);
    let started = Instant::now();
    let mut rates = Vec::new();
    for chunk in chunks(canonical(scale.events), 10_000) {
        let took = feed(&mut session, &mut facts, &chunk, EPOCH)?;
        rates.push(chunk.len() as f64 / took.as_secs_f64());
        if started.elapsed() > scale.patience {
            break;
        }
    }
    Ok(vec![Figure::of("reference", "reference engine", "events per second", rates)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_in_one_share() {
        let plan = pack::plan().unwrap();
        let events: Vec<Event> = canonical(100).events().collect();
        let epochs = Facts::new(&plan).unwrap().batches(whole_milliseconds(&events, 7)).unwrap();
        let ends: Vec<LogicalTime> = epochs.iter().map(|epoch| epoch[epoch.len() - 1].1 + 1).collect();
        let all: Vec<Update> = epochs.concat();
        let dealt = shares(epochs, 2);
        assert!(dealt.iter().all(|share| share.iter().map(|(_, next)| *next).eq(ends.iter().copied())));
        let mut together: Vec<Update> = dealt.into_iter().flatten().flat_map(|(part, _)| part).collect();
        together.sort_by_key(|(fact, _, _)| fact.rank.origin.line);
        assert_eq!(together, all);
    }
}
