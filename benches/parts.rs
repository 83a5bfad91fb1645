//! The parts that an event goes through, each on its own: `cargo bench`.
//!
//! What the whole costs, and against what, says `propice bench`. The emissions of limit, `fused`
//! and `reference` are compared before anything is measured, here too.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use propice_bench::facts::{Decoders, Facts, JsonLines, whole_milliseconds};
use propice_bench::limit::Limit;
use propice_bench::session::MeasuredSession;
use propice_bench::workload::{Event, Kind, Workload};
use propice_bench::{canonical, equal, pack};
use propice_define::Plan;
use propice_define::expr::Env;
use propice_edge::sink::Views;
use propice_flow::Engine;
use propice_model::{Id, Value};

/// As in the command.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    for workload in equal::COMPARED {
        if let Err(failed) = equal::compare(&plan(), workload, 1_000) {
            eprintln!("{}", failed.0);
            std::process::exit(1);
        }
    }
    divan::main();
}

fn plan() -> Arc<Plan> {
    pack::plan().expect("the pack is sound")
}

fn events(count: u64) -> Vec<Event> {
    canonical(count).events().collect()
}

/// The slots of a customer for whom everything is known.
fn slots() -> Vec<Value> {
    let list = |numbers: &[i64]| Value::List(numbers.iter().map(|&number| Value::Int(number)).collect());
    let mut slots = vec![Value::Int(-70_000), Value::Int(130_000), Value::Int(4), Value::text("calm"), Value::Int(2)];
    slots.extend([Value::Int(3), Value::Int(25_000), list(&[0, 3]), list(&[1, 2]), Value::Int(0)]);
    slots
}

mod decoding {
    use super::{Bencher, Decoders, Facts, ItemsCount, JsonLines, black_box, events, plan};

    const LINES: usize = 10_000;

    /// Lines of JSON to facts.
    #[divan::bench]
    fn json_to_facts(bencher: Bencher) {
        let lines = JsonLines::of(&events(LINES as u64));
        let mut decoders = Decoders::new(&plan()).expect("the pack is sound");
        bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
            lines.iter().for_each(|line| {
                black_box(decoders.update(line)).expect("a record");
            });
        });
    }

    /// Typed rows to facts: what the expressions over records cost.
    #[divan::bench]
    fn rows_to_facts(bencher: Bencher) {
        let events = events(LINES as u64);
        let mut facts = Facts::new(&plan()).expect("the pack is sound");
        bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
            events.iter().for_each(|event| {
                black_box(facts.update(event)).expect("a record");
            });
        });
    }
}

mod expressions {
    use super::{Bencher, Env, black_box, plan, slots};

    /// A condition of the pack.
    #[divan::bench(args = ["m1", "m2", "m3", "m4", "m5"])]
    fn condition(bencher: Bencher, name: &str) {
        let (plan, slots) = (plan(), slots());
        let moment = plan.moments.iter().find(|moment| moment.name == name).expect("a moment");
        bencher.bench_local(|| moment.when.holds(black_box(&Env::of(&slots, 1))));
    }
}

mod windows {
    use super::{Bencher, Engine, Event, Facts, ItemsCount, Kind, MeasuredSession, plan, whole_milliseconds};

    const CUSTOMERS: u64 = 10_000;

    /// A session with a debit in three windows of every customer.
    fn with_debits() -> MeasuredSession<'static> {
        let plan = plan();
        let (mut session, mut facts) =
            (MeasuredSession::here(&plan, Engine::Fused), Facts::new(&plan).expect("the pack is sound"));
        let kind = Kind::Transaction { amount: -1_000, category: 0 };
        let events: Vec<Event> = (0..CUSTOMERS).map(|customer| Event { time_ms: customer, customer, kind }).collect();
        for mut batch in facts.batches(whole_milliseconds(&events, 1_000)).expect("facts") {
            session.feed(&mut batch);
        }
        session
    }

    /// All windows of every customer end: per customer, who is looked at twice.
    #[divan::bench(sample_count = 20)]
    fn expiry(bencher: Bencher) {
        bencher
            .counter(ItemsCount::new(CUSTOMERS))
            .with_inputs(with_debits)
            .bench_local_refs(|session| session.advance(2 * 3_600_000));
    }
}

mod views {
    use super::{
        Bencher, Engine, Event, Facts, Id, Limit, MeasuredSession, Value, Views, Workload, canonical, plan,
        whole_milliseconds,
    };

    /// The current view of a customer out of 10,000.
    #[divan::bench]
    fn look_up(bencher: Bencher) {
        let plan = plan();
        let workload = Workload { customers: 10_000, ..canonical(50_000) };
        let events: Vec<Event> = workload.events().collect();
        let mut session = MeasuredSession::with_views(&plan, Engine::Fused);
        let mut facts = Facts::new(&plan).expect("the pack is sound");
        for mut batch in facts.batches(whole_milliseconds(&events, 1_000)).expect("facts") {
            session.feed(&mut batch);
        }
        let mut views = Views::new(&plan);
        views.apply(&session.take_views());
        let mut customer = 0;
        bencher.bench_local(|| {
            customer = (customer + 7_919) % 10_000;
            views.slots(&Id::Number(customer)).map(<[Value]>::len)
        });
    }

    /// The same in the hand-written engine.
    #[divan::bench]
    fn look_up_by_hand(bencher: Bencher) {
        let workload = Workload { customers: 10_000, ..canonical(50_000) };
        let events: Vec<Event> = workload.events().collect();
        let mut limit = Limit::default();
        whole_milliseconds(&events, 1_000).for_each(|batch| limit.feed(batch, &mut Vec::new()));
        let mut customer = 0;
        bencher.bench_local(|| {
            customer = (customer + 7_919) % 10_000;
            limit.view(customer, workload.span_ms())
        });
    }
}
