//! `propice live` beside a real broker, while things are killed, held, damaged, added: what stands
//! in its topics is compared with what a run over the same records gives.
//!
//! The broker is started and stopped here. `PROPICE_SEED` draws other schedules, `PROPICE_FAULTS`
//! says how many; a schedule that fails says its seed, and `PROPICE_SEED=that PROPICE_FAULTS=1`
//! draws it again.

mod broker;
mod checker;
mod cluster;
mod expected;
mod feeder;
mod process;
mod random;
mod topics;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use propice_kafka::{DeliveryProducer, Outgoing};

use broker::{Broker, broker};
use checker::Compared;
use cluster::{Cluster, Settings};
use random::Random;
use topics::committed;

/// How many schedules are run unless it is said.
const SCHEDULES: u64 = 20;

/// What happens while records flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Kill,
    KillBroker,
    KillBoth,
    /// Held, replaced, let go on.
    Zombie,
    TwoAtOnce,
    Terminate,
    /// Asked to end while it still goes through what was bound before.
    TerminateEarly,
    FlippedBit,
    CutShort,
    PartMissing,
    FailingStore,
}

const FAULTS: [Fault; 11] = [
    Fault::Kill,
    Fault::Zombie,
    Fault::FlippedBit,
    Fault::KillBroker,
    Fault::Terminate,
    Fault::TerminateEarly,
    Fault::CutShort,
    Fault::TwoAtOnce,
    Fault::KillBoth,
    Fault::FailingStore,
    Fault::PartMissing,
];

/// A schedule: drawn from its seed.
#[derive(Debug)]
struct Schedule {
    seed: u64,
    settings: Settings,
    faults: Vec<(u64, Fault)>,
    rate: u64,
    random: Random,
}

impl Schedule {
    fn draw(seed: u64) -> Schedule {
        let mut random = Random::new(seed);
        let settings = Settings {
            exactly_once: !(seed / FAULTS.len() as u64 + seed).is_multiple_of(3),
            with_views: random.one_in(2),
            checkpoint_every_ms: random.between(100, 900),
            commit_every_ms: *random.of(&[2, 2, 20, 100]),
        };
        // Of many schedules in a row each fault is in one of eleven; what else happens is drawn.
        let mut faults = vec![(random.between(300, 2_000), FAULTS[seed as usize % FAULTS.len()])];
        if random.one_in(2) {
            faults.push((random.between(0, 1_200), *random.of(&FAULTS)));
        }
        let rate = random.between(100, 600);
        Schedule { seed, settings, faults, rate, random }
    }

    /// Runs it, and compares.
    fn run(&mut self, cluster: &mut Cluster<'_>) -> Compared {
        let random = &mut self.random;
        let feeder = cluster.feed(self.seed, self.rate);
        cluster.workers = *random.of(&[1, 2, 4]);
        cluster.start();
        for (after, fault) in &self.faults {
            // In one case of four at once: while it begins.
            if !random.one_in(4) {
                cluster.begun();
            }
            cluster.wait(Duration::from_millis(*after));
            let some_time = Duration::from_millis(random.between(50, 1_500));
            cluster.workers = *random.of(&[1, 2, 4]);
            match fault {
                Fault::Kill => {
                    cluster.kill();
                    cluster.start();
                }
                Fault::KillBroker => cluster.kill_broker(some_time),
                Fault::KillBoth => {
                    cluster.kill();
                    cluster.kill_broker(some_time);
                    cluster.start();
                }
                Fault::Zombie => cluster.zombie(some_time),
                Fault::TwoAtOnce => cluster.two_at_once(),
                Fault::Terminate => {
                    cluster.terminate();
                    cluster.start();
                }
                Fault::TerminateEarly => {
                    cluster.kill();
                    cluster.start();
                    cluster.terminate();
                    cluster.start();
                }
                Fault::FlippedBit => {
                    cluster.kill_with_a_part();
                    let place = random.between(0, u64::MAX) as usize;
                    told(&format!("  {}", cluster.start_damaged(|part| Some(flipped(part, place)))));
                }
                Fault::CutShort => {
                    cluster.kill_with_a_part();
                    let part = random.between(0, 100) as usize;
                    let cut = |whole: Vec<u8>| Some(whole[..whole.len() * part / 100].to_vec());
                    told(&format!("  {}", cluster.start_damaged(cut)));
                }
                Fault::PartMissing => {
                    cluster.kill_with_a_part();
                    told(&format!("  {}", cluster.start_damaged(|_| None)));
                }
                Fault::FailingStore => cluster.failing_store(some_time),
            }
        }
        cluster.begun();
        cluster.wait(Duration::from_millis(random.between(200, 1_500)));
        cluster.finish(feeder, self.seed.is_multiple_of(4))
    }
}

fn flipped(mut part: Vec<u8>, place: usize) -> Vec<u8> {
    let byte = place / 8 % part.len();
    part[byte] ^= 1 << (place % 8);
    part
}

fn told(what: &str) {
    // Not by `eprintln`: the harness would capture it, and somebody waits for minutes.
    let _ = writeln!(std::io::stderr().lock(), "{what}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Runs a case; when it fails its folder stays, and what the processes said is shown.
fn case<T>(broker: &mut Broker, name: &str, settings: Settings, run: impl FnOnce(&mut Cluster<'_>) -> T) -> T {
    let mut cluster = Cluster::new(broker, name, settings);
    cluster.folder.disable_cleanup(true);
    let folder: PathBuf = cluster.folder.path().to_owned();
    match catch_unwind(AssertUnwindSafe(|| run(&mut cluster))) {
        Ok(result) => {
            cluster.folder.disable_cleanup(false);
            result
        }
        Err(panic) => {
            told(&Cluster::said(&folder));
            resume_unwind(panic)
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_said_twice_whatever_is_killed() {
    let Some(mut held) = broker("faults beside a real broker") else { return };
    let broker = held.as_mut().expect("a broker");
    let first = number("PROPICE_SEED").unwrap_or(0);
    let began = Instant::now();
    let mut all = Compared::default();
    let mut failed = Vec::new();
    let schedules = number("PROPICE_FAULTS").unwrap_or(SCHEDULES);
    for seed in first..first + schedules {
        let mut schedule = Schedule::draw(seed);
        let Schedule { settings, faults, rate, .. } = &schedule;
        told(&format!("PROPICE_SEED={seed}: {faults:?}, {rate}/s, {settings:?}"));
        let (settings, started) = (*settings, Instant::now());
        let run = || case(broker, &format!("faults-{seed}"), settings, |cluster| schedule.run(cluster));
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(compared) => {
                told(&format!("  {compared:?}, {:.1} s", started.elapsed().as_secs_f64()));
                all += compared;
            }
            Err(panic) => {
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                told(&format!("  FAILED: {why}"));
                failed.push(seed);
            }
        }
        // A broker that a schedule left dead serves the next ones.
        broker.ensure();
    }
    told(&format!("{schedules} schedules, {all:?}, {:.0} s", began.elapsed().as_secs_f64()));
    assert!(failed.is_empty(), "schedules that failed: {failed:?}");
    assert!(all.triggers > 0 && all.decisions > 0 && all.refused > 0, "there is something to compare: {all:?}");
}

#[test]
fn an_added_partition_is_read() {
    let Some(mut held) = broker("a partition that is added beside a real broker") else { return };
    let broker = held.as_mut().expect("a broker");
    let settings = Settings { exactly_once: true, with_views: true, checkpoint_every_ms: 300, commit_every_ms: 2 };
    case(broker, "added", settings, |cluster| {
        let feeder = cluster.feed(1, 300);
        cluster.workers = 2;
        cluster.start();
        cluster.begun();
        cluster.wait(Duration::from_secs(1));
        for input in ["visits", "cards"] {
            let topic = format!("added.{input}");
            let arguments = ["--alter", "--topic", &topic, "--partitions", "4"];
            let altered = cluster.broker.tool("org.apache.kafka.tools.TopicCommand", &arguments).status();
            assert!(altered.expect("a tool of Kafka").success(), "a partition is added");
        }
        let until = Instant::now() + Duration::from_secs(30);
        while cluster.checker(false).bound().upper("added.visits", 3) == 0 {
            assert!(Instant::now() < until, "records of a partition that was added are bound");
            cluster.wait(Duration::from_millis(500));
        }
        // Where its reading began is known to the next one.
        cluster.kill();
        cluster.start();
        cluster.finish(feeder, false)
    });
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let Some(mut held) = broker("the checker of what runs live") else { return };
    let broker = held.as_mut().expect("a broker");
    let settings = Settings { exactly_once: true, with_views: true, checkpoint_every_ms: 300, commit_every_ms: 2 };
    case(broker, "wrong", settings, |cluster| {
        let feeder = cluster.feed(2, 300);
        cluster.start();
        cluster.begun();
        cluster.wait(Duration::from_secs(2));
        cluster.finish(feeder, false);
        let (producer, _delivered) = DeliveryProducer::new(&cluster.broker.settings()).expect("a producer");
        // Each topic is made wrong by what stands in it once more, or was never said.
        for (topic, key) in [
            ("triggers.push", None),
            ("decisions", None),
            ("dead_letters", None),
            ("episodes", Some("nobody")),
            ("views", Some(r#"{"customer":"nobody"}"#)),
        ] {
            let name = format!("wrong.{topic}");
            let records = committed(cluster.broker, &name);
            let last = records.iter().rfind(|record| record.value.is_some()).expect("a record");
            let record = |key: &[u8], value: Option<Vec<u8>>| Outgoing {
                topic: name.as_str().into(),
                partition: Some(last.partition),
                key: key.to_vec(),
                value,
                headers: last.headers.clone(),
            };
            let key = key.map_or_else(|| last.key.clone().unwrap_or_default(), |key| key.as_bytes().to_vec());
            producer.send(&record(&key, last.value.clone()), 0).expect("it is taken");
            while producer.in_flight() > 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let checked = catch_unwind(AssertUnwindSafe(|| cluster.checker(false).only(topic)));
            let why = checked.expect_err("it is found").downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(why.contains(&name), "{topic}: {why}");
        }
    });
}
