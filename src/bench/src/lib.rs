//! Measures propice as its users would: `propice bench`.
//!
//! ```text
//! workload ──▶ limit (by hand) ──▶ emissions ─┐
//!        └───▶ facts ──▶ session (dataflow) ──┴─ equal? ──▶ the parts, each in turn ──▶ figures, latencies ──▶ goals, page
//! ```
//!
//! The workload, its limit and its pack are in `benches/reference`. Nothing is measured before the
//! emissions of limit, `fused` and `reference` are found equal. The dataflow runs in this process
//! and is fed with facts that are made beforehand, or with bytes; files are read for one part only,
//! `one-customer`, and sinks are not part of it. `docs/performance.md` says what came out and how
//! to read it.

#[path = "../../../benches/reference/limit.rs"]
pub mod limit;
#[path = "../../../benches/reference/workload.rs"]
pub mod workload;

pub mod clock;
mod customer;
pub mod equal;
pub mod facts;
pub mod figures;
pub mod goals;
pub mod instructions;
mod latency;
pub mod machine;
pub mod memory;
pub mod pack;
pub mod page;
pub mod session;
mod throughput;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use propice_define::Plan;
use propice_flow::decode::RecordError;

use figures::{Figure, Results};
use machine::MachineFacts;
use workload::Workload;

/// Why something could not be measured.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Failed {
        Failed(error.message)
    }
}

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Events of the reference workload.
    pub events: u64,
    /// How often each comparison is made.
    pub rounds: usize,
    /// Customers whose number is varied.
    pub customers: &'static [u64],
    /// Events that are fed one at a time.
    pub single_events: usize,
    /// How long each load of the open loop lasts.
    pub open_loop: Duration,
    /// How long the reference engine is given.
    pub patience: Duration,
    /// Customers whose memory is measured, and whose deadlines are pending.
    pub memory_customers: u64,
    /// Customers and days of the bank in which one customer is looked for.
    pub bank: (u32, u32),
    /// Whether what is freed is waited for to be given back, before memory is looked at.
    pub rests: bool,
}

impl Scale {
    /// A minute, to see that it works: too little for a figure that is told to anybody.
    pub const QUICK: Scale = Scale {
        events: 300_000,
        rounds: 1,
        customers: &[10_000, 100_000],
        single_events: 20_000,
        open_loop: Duration::from_secs(1),
        patience: Duration::from_secs(2),
        memory_customers: 100_000,
        bank: (200, 30),
        rests: false,
    };
    /// Under five minutes.
    pub const DEFAULT: Scale = Scale {
        events: 1_000_000,
        rounds: 3,
        customers: &[10_000, 100_000, 1_000_000],
        single_events: 100_000,
        open_loop: Duration::from_secs(4),
        patience: Duration::from_secs(5),
        memory_customers: 1_000_000,
        bank: (400, 60),
        rests: true,
    };
    /// As long as it takes.
    pub const FULL: Scale = Scale {
        events: 4_000_000,
        rounds: 7,
        customers: &[10_000, 100_000, 1_000_000, 10_000_000],
        single_events: 1_000_000,
        open_loop: Duration::from_secs(20),
        patience: Duration::from_mins(1),
        memory_customers: 1_000_000,
        bank: (2_000, 120),
        rests: true,
    };
}

/// The reference workload as it is measured: at 200 events a second, a million take 83 minutes, so
/// that every window ends.
pub fn canonical(events: u64) -> Workload {
    Workload { seed: 1, customers: 100_000, events, rate: 200 }
}

/// A part of the measurements.
pub struct BenchPart {
    /// Its name.
    pub name: &'static str,
    measure: fn(&Scale, &Arc<Plan>, &mut Results) -> Result<(), Failed>,
}

/// All parts, in the order in which they are measured.
pub const PARTS: [BenchPart; 13] = [
    BenchPart { name: "throughput", measure: |scale, plan, results| add(results, throughput::ratio(scale, plan)) },
    BenchPart { name: "json", measure: |scale, plan, results| add(results, throughput::json(scale, plan)) },
    BenchPart { name: "quiet", measure: latency::quiet },
    BenchPart { name: "open-loop", measure: latency::open_loop },
    BenchPart { name: "epochs", measure: |scale, plan, results| add(results, throughput::epochs(scale, plan)) },
    BenchPart { name: "moments", measure: |scale, plan, results| add(results, throughput::moments(scale, plan)) },
    BenchPart { name: "policy", measure: |scale, plan, results| add(results, throughput::policy(scale, plan)) },
    BenchPart { name: "workers", measure: |scale, plan, results| add(results, throughput::workers(scale, plan)) },
    BenchPart { name: "reference", measure: |scale, plan, results| add(results, throughput::reference(scale, plan)) },
    BenchPart { name: "customers", measure: by_customers },
    BenchPart { name: "one-customer", measure: |scale, _, results| add(results, customer::ratio(scale)) },
    BenchPart { name: "memory", measure: held },
    BenchPart { name: "idle", measure: |_, _, _| Ok(()) },
];

fn add(results: &mut Results, figures: Result<Vec<Figure>, Failed>) -> Result<(), Failed> {
    results.figures.extend(figures?);
    Ok(())
}

/// Customers beyond what fits are left out, and that is said.
fn by_customers(scale: &Scale, plan: &Arc<Plan>, results: &mut Results) -> Result<(), Failed> {
    /// About what a customer takes while it is measured, with the events that are made for it.
    const BYTES: u64 = 3_000;
    let memory = MachineFacts::this().memory_mib << 20;
    let fit = scale.customers.iter().take_while(|&&customers| memory == 0 || customers * BYTES < memory).count();
    if let Some(first) = scale.customers.get(fit) {
        results
            .missing
            .push(format!("{} customers and more: they do not fit into memory", goals::shown(*first as f64)));
    }
    let scale = Scale { customers: &scale.customers[..fit], ..scale.clone() };
    add(results, throughput::customers(&scale, plan))
}

/// Memory and idleness, in a process of its own.
fn held(scale: &Scale, _: &Arc<Plan>, results: &mut Results) -> Result<(), Failed> {
    let failed = |error: String| Failed(format!("cannot measure in a process of its own: {error}"));
    let this = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let customers = scale.memory_customers.to_string();
    let quick = if scale.rests { None } else { Some("--quick") };
    let output = Command::new(this).args(["bench", "--measure-memory", &customers]).args(quick).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let held: memory::MemoryFindings =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    let figure = |name, unit, value| Figure::of("memory", name, unit, vec![value]).at(held.customers);
    results.figures.extend([
        Figure { at: None, ..figure("per customer", "bytes", held.per_customer) },
        // A record takes a place in each window that it counts in: an interaction in one, a debit
        // in three.
        Figure { at: None, ..figure("per record in a window", "bytes", (held.per_interaction + held.per_debit) / 4.0) },
        figure("per interaction, in one window", "bytes", held.per_interaction),
        figure("per debit, in three windows", "bytes", held.per_debit),
        Figure::of("idle", "share of a core", "percent", vec![held.idle_percent]),
        Figure::of("idle", "pending deadlines", "customers", vec![held.customers as f64]),
    ]);
    Ok(())
}

/// Compares, then measures these parts. `say` is told what is going on.
///
/// # Errors
/// When emissions are not equal, or something cannot be measured.
pub fn run(scale: &Scale, wanted: impl Fn(&str) -> bool, say: impl Fn(&str)) -> Result<Results, Failed> {
    let plan = pack::plan()?;
    for (workload, batch) in equal::COMPARED.into_iter().zip([100, 1, 1_000]) {
        let emissions = equal::compare(&plan, workload, batch)?;
        say(&format!("equal: limit, fused and reference give the same {emissions} emissions on {workload:?}"));
    }
    let mut results = Results::default();
    for part in &PARTS {
        // What is measured together is wanted together.
        let is_wanted = wanted(part.name) || (part.name == "memory" && wanted("idle"));
        if is_wanted {
            say(&format!("measuring {}", part.name));
            (part.measure)(scale, &plan, &mut results)?;
        } else if part.name != "idle" {
            results.missing.push(format!("{}: not asked for", part.name));
        }
    }
    results.missing.push(
        "sinks, sources other than memory and (for one customer) files, networks, recovery: not part of this"
            .to_owned(),
    );
    Ok(results)
}
