//! Nothing is measured before it is known that the same is computed: emissions of limit, `fused`
//! and `reference` are equal.

use std::sync::Arc;

use propice_define::Plan;
use propice_flow::Engine;

use super::Failed;
use super::facts::{Facts, whole_milliseconds};
use super::limit::{Emission, Limit};
use super::session::MeasuredSession;
use super::workload::{Event, Workload};

/// What is compared: seeds, sizes, spans over which every window ends, several events in a
/// millisecond.
pub const COMPARED: [Workload; 3] = [
    Workload { seed: 1, customers: 1_000, events: 20_000, rate: 4 },
    Workload { seed: 2, customers: 20, events: 5_000, rate: 1 },
    Workload { seed: 3, customers: 500, events: 10_000, rate: 3_000 },
];

/// Compares the emissions of all three on a workload, with batches of so many events. Returns how
/// many there are.
///
/// # Errors
/// When they differ.
pub fn compare(plan: &Arc<Plan>, workload: Workload, batch: usize) -> Result<usize, Failed> {
    let events: Vec<Event> = workload.events().collect();
    let limit = by_hand(&events, batch);
    for engine in [Engine::Fused, Engine::Reference] {
        let emissions = by_engine(plan, engine, &events, batch)?;
        if emissions != limit {
            return Err(Failed(difference(engine, &emissions, &limit, workload)));
        }
    }
    Ok(limit.len())
}

/// The emissions of the limit, sorted.
pub fn by_hand(events: &[Event], batch: usize) -> Vec<Emission> {
    let mut limit = Limit::default();
    let mut emissions = Vec::new();
    for batch in whole_milliseconds(events, batch) {
        limit.feed(batch, &mut emissions);
    }
    emissions.sort_unstable();
    emissions
}

fn by_engine(plan: &Arc<Plan>, engine: Engine, events: &[Event], batch: usize) -> Result<Vec<Emission>, Failed> {
    let mut facts = Facts::new(plan)?;
    let mut batches = facts.batches(whole_milliseconds(events, batch))?;
    let mut session = MeasuredSession::here(plan, engine);
    batches.iter_mut().for_each(|batch| session.feed(batch));
    let mut emissions = session.take_emissions();
    emissions.sort_unstable();
    Ok(emissions)
}

fn difference(engine: Engine, emissions: &[Emission], limit: &[Emission], workload: Workload) -> String {
    let extra = emissions.iter().find(|emission| limit.binary_search(emission).is_err());
    let missing = limit.iter().find(|emission| emissions.binary_search(emission).is_err());
    format!(
        "{engine:?} and the limit differ on {workload:?}: {} and {} emissions; first that only {engine:?} has: {extra:?}, \
         first that it lacks: {missing:?}",
        emissions.len(),
        limit.len()
    )
}

#[cfg(test)]
mod tests {
    use super::super::limit::View;
    use super::super::pack;
    use super::super::workload::MOODS;
    use super::*;
    use propice_model::{Id, Value};

    #[test]
    fn emissions_are_equal() {
        let plan = pack::plan().unwrap();
        // Fewer customers than in `COMPARED`: without optimisations this takes a while.
        let smaller =
            COMPARED.map(|workload| Workload { customers: workload.customers / 10, events: 4_000, ..workload });
        let slower =
            smaller.map(|workload| Workload { rate: if workload.rate < 10 { 1 } else { workload.rate }, ..workload });
        for (workload, batch) in slower.into_iter().zip([100, 1, 1_000]) {
            let emissions = compare(&plan, workload, batch).unwrap();
            assert!(emissions > 10, "{workload:?}: only {emissions}");
        }
    }

    #[test]
    fn views_are_equal_when_they_are_looked_at() {
        let plan = pack::plan().unwrap();
        let workload = Workload { seed: 5, customers: 300, events: 6_000, rate: 1 };
        let events: Vec<Event> = workload.events().collect();
        let mut limit = Limit::default();
        whole_milliseconds(&events, 50).for_each(|batch| limit.feed(batch, &mut Vec::new()));
        let until = workload.span_ms() + 17 * 60_000;
        let mut batches = Facts::new(&plan).unwrap().batches(whole_milliseconds(&events, 50)).unwrap();
        let mut session = MeasuredSession::with_views(&plan, Engine::Fused);
        batches.iter_mut().for_each(|batch| session.feed(batch));
        session.advance(until + 1);
        let updates = session.take_views();
        let mut seen = 0;
        for customer in 0..workload.customers {
            let id = Id::Number(customer);
            let last = updates.iter().filter(|(part, _, diff)| part.customer == id && *diff > 0);
            let Some((part, _, _)) = last.max_by_key(|(_, time, _)| *time) else { continue };
            assert_eq!(limit.view(customer, until), Some(view(&part.slots)), "customer {customer}");
            seen += 1;
        }
        assert!(seen > 250);
    }

    /// The slots of the pack as the view of the limit.
    fn view(slots: &[Value]) -> View {
        let int = |slot: usize| if let Value::Int(number) = slots[slot] { Some(number) } else { None };
        let count = |slot: usize| u32::try_from(int(slot).unwrap_or_default()).unwrap();
        let set = |slot: usize| match &slots[slot] {
            Value::List(of) => {
                of.iter().fold(0, |set, value| if let Value::Int(bit) = value { set | 1 << bit } else { set })
            }
            _ => 0_u8,
        };
        let mood =
            if let Value::Text(mood) = &slots[3] { MOODS.iter().position(|name| **name == **mood) } else { None };
        View {
            balance: int(0).unwrap(),
            debits_60m: int(1).unwrap(),
            transactions_10m: count(2),
            mood: mood.map(|mood| mood as u8),
            bad_moods_30m: count(4),
            channels_60m: count(5),
            largest_debit_60m: int(6),
            held: set(7),
            // Purpose 0 is granted until revoked.
            granted: set(8) & !1 | u8::from(int(9) == Some(0)),
        }
    }
}
