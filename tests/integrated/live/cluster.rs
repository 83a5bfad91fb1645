//! A cluster of one process beside the broker: its folder, its topics, and whoever supervises it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use propice_define::Plan;
use propice_kafka::NewTopic;
use propice_model::LogicalTime;
use tempfile::TempDir;

use super::broker::Broker;
use super::checker::{Checker, Compared};
use super::feeder::{Feeder, INPUTS};
use super::process::{Live, TRY_AGAIN};
use super::topics::ends;

/// The pack.
const PACK: &str = include_str!("desk.toml");
/// How long a start may take, on a machine that is busy, with a broker that has to recover.
const BEGUN: Duration = Duration::from_mins(1);
/// How long the rest of the records may take.
const CAUGHT_UP: Duration = Duration::from_mins(1);
/// What `shutdown_within` says.
const WITHIN: Duration = Duration::from_secs(10);

/// What a deployment says that differs from one to the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub exactly_once: bool,
    pub with_views: bool,
    pub checkpoint_every_ms: u64,
    pub commit_every_ms: u64,
}

/// A cluster.
pub(super) struct Cluster<'a> {
    pub broker: &'a mut Broker,
    pub folder: TempDir,
    pub settings: Settings,
    pub name: String,
    pub workers: u64,
    plan: Arc<Plan>,
    live: Option<Live>,
}

impl<'a> Cluster<'a> {
    /// A new one: its topics of inputs, with three partitions each, are there.
    pub(super) fn new(broker: &'a mut Broker, name: &str, settings: Settings) -> Cluster<'a> {
        let folder = tempfile::Builder::new().prefix(&format!("propice-{name}-")).tempdir().expect("a folder");
        let Settings { exactly_once, with_views, checkpoint_every_ms, commit_every_ms } = settings;
        let lane = if exactly_once { "exactly_once" } else { "at_least_once" };
        let inputs: String = INPUTS.map(|input| format!("[input.{input}]\ntopic = \"{name}.{input}\"\n")).concat();
        let within = WITHIN.as_secs();
        let deployment = format!(
            "[cluster]\nname = \"{name}\"\nworkers = \"${{WORKERS}}\"\nshutdown_within = \"{within}s\"\n\
             [kafka]\nbootstrap = \"{}\"\ncreate_topics = {{ partitions = 2, replication = 1 }}\n\
             {inputs}\
             [output]\nlane = \"{lane}\"\nviews = {with_views}\ncommit_every = \"{commit_every_ms}ms\"\n\
             [state]\nurl = \"state\"\ncheckpoint_every = \"{checkpoint_every_ms}ms\"\n\
             [observe]\naddress = false\nlog = \"debug\"\n",
            broker.address(),
        );
        fs::write(folder.path().join("desk.toml"), PACK).expect("a file");
        fs::write(folder.path().join("live.toml"), deployment).expect("a file");
        let topic = |input: &str| NewTopic {
            name: format!("{name}.{input}"),
            partitions: 3,
            replication: 1,
            settings: Vec::new(),
        };
        broker.topics().create(&INPUTS.map(topic)).expect("topics");
        let plan = Arc::new(propice_define::load("desk.toml", PACK).expect("the pack is sound"));
        Cluster { broker, folder, settings, name: name.to_owned(), workers: 1, plan, live: None }
    }

    pub(super) fn feed(&self, seed: u64, rate: u64) -> Feeder {
        Feeder::begin(&self.broker.settings(), &self.name, seed, rate)
    }

    fn spawn(&self) -> Live {
        Live::start(self.folder.path(), self.workers)
    }

    /// Starts a process.
    pub(super) fn start(&mut self) {
        assert!(self.live.is_none(), "one at a time");
        self.live = Some(self.spawn());
    }

    /// Starts it again where it asks for that. Any other end is wrong.
    pub(super) fn supervise(&mut self) {
        let Some(live) = &mut self.live else { return };
        if let Some(status) = live.ended() {
            assert_eq!(status.code(), Some(TRY_AGAIN), "it ended:\n{}", tail(&live.said()));
            self.live = Some(self.spawn());
        }
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.supervise();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a process has begun.
    pub(super) fn begun(&mut self) {
        while !self.live.as_mut().expect("a process").begun(BEGUN) {
            self.supervise();
        }
    }

    /// Kills the process.
    pub(super) fn kill(&mut self) {
        self.live.take().expect("a process").kill();
    }

    /// Holds the process, starts a second one, lets the first go on: it has to end.
    pub(super) fn zombie(&mut self, held: Duration) {
        self.begun();
        let mut old = self.live.take().expect("a process");
        old.signal("STOP");
        self.start();
        self.begun();
        self.wait(held);
        old.signal("CONT");
        let code = old.end(Duration::from_secs(30));
        assert_eq!(code, Some(TRY_AGAIN), "what was held ends:\n{}", tail(&old.said()));
        self.supervise();
    }

    /// Starts two at once: one of them stays.
    pub(super) fn two_at_once(&mut self) {
        self.kill();
        let mut both = vec![self.spawn(), self.spawn()];
        let until = Instant::now() + BEGUN;
        while both.len() == 2 || !both[0].begun(BEGUN) {
            for one in &mut both {
                if let Some(status) = one.ended() {
                    assert_eq!(status.code(), Some(TRY_AGAIN), "it ended:\n{}", tail(&one.said()));
                }
            }
            both.retain_mut(|one| one.ended().is_none());
            if both.is_empty() {
                both.push(self.spawn());
            }
            assert!(Instant::now() < until, "one of the two ends:\n{}", tail(&both[0].said()));
            std::thread::sleep(Duration::from_millis(10));
        }
        self.live = both.pop();
    }

    /// Asks the process to end: it does within its time, everything is published and kept.
    pub(super) fn terminate(&mut self) {
        self.begun();
        let mut live = self.live.take().expect("a process");
        live.signal("TERM");
        let code = live.end(WITHIN + Duration::from_secs(5));
        assert_eq!(code, Some(0), "it ends when it is asked to:\n{}", tail(&live.said()));
        let bound = self.checker(false).bound().greatest;
        let kept = self.checkpoints().last().map_or(0, |(time, _)| *time);
        assert!(kept >= bound, "the last checkpoint is of {kept}, and bound is {bound}:\n{}", tail(&live.said()));
    }

    /// Times and generations of the checkpoints that are kept, the oldest first.
    fn checkpoints(&self) -> Vec<(LogicalTime, u64)> {
        let mut all: Vec<_> = self.objects("checkpoints").into_iter().map(|(name, _)| (name[0], name[1])).collect();
        all.sort_unstable();
        all
    }

    fn objects(&self, folder: &str) -> Vec<(Vec<u64>, PathBuf)> {
        let entries = fs::read_dir(self.folder.path().join("state").join(folder)).into_iter().flatten();
        let named = entries.filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name()?.to_str()?;
            let numbers: Option<Vec<u64>> = name.split('-').map(|number| number.parse().ok()).collect();
            numbers.map(|numbers| (numbers, path.clone()))
        });
        named.collect()
    }

    /// Waits until there is a part that can be damaged, then kills the process.
    pub(super) fn kill_with_a_part(&mut self) {
        let until = Instant::now() + BEGUN;
        while self.newest_part().is_none() {
            assert!(Instant::now() < until, "a checkpoint is written");
            self.wait(Duration::from_millis(20));
        }
        self.kill();
    }

    /// The newest part that the newest checkpoint can name.
    fn newest_part(&self) -> Option<PathBuf> {
        let (time, generation) = *self.checkpoints().last()?;
        let parts = self.objects("parts").into_iter();
        let of_it = parts.filter(|(name, _)| (name[0], name[1]) <= (generation, time));
        of_it.max().map(|(_, path)| path)
    }

    /// Starts over a state with a damaged part: it goes on from an older one, and says so; or it
    /// refuses, and goes on once the part is there again.
    pub(super) fn start_damaged(&mut self, damage: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) -> &'static str {
        let path = self.newest_part().expect("a part");
        let whole = fs::read(&path).expect("a part");
        match damage(whole.clone()) {
            Some(damaged) => fs::write(&path, damaged).expect("a part"),
            None => fs::remove_file(&path).expect("a part"),
        }
        let mut live = self.spawn();
        let began = loop {
            if live.begun(BEGUN) {
                break true;
            }
            match live.end(BEGUN) {
                Some(1) => break false,
                code => assert_eq!(code, Some(TRY_AGAIN), "over damage:\n{}", tail(&live.said())),
            }
            live = self.spawn();
        };
        if began {
            let told = ["is damaged", "is not used"].iter().any(|word| live.said().contains(word));
            assert!(told, "of what is damaged is told:\n{}", tail(&live.said()));
            self.live = Some(live);
            "an older one"
        } else {
            fs::write(&path, whole).expect("a part");
            self.start();
            "refused"
        }
    }

    /// Checkpoints cannot be written for a while: the flow goes on.
    pub(super) fn failing_store(&mut self, time: Duration) {
        self.begun();
        let (parts, away) = (self.folder.path().join("state/parts"), self.folder.path().join("state/away"));
        let there = parts.exists();
        if there {
            fs::rename(&parts, &away).expect("it is put aside");
        }
        fs::write(&parts, "no folder").expect("a file");
        self.wait(time);
        fs::remove_file(&parts).expect("a file");
        if there {
            fs::rename(&away, &parts).expect("it comes back");
        }
    }

    /// Kills the broker; it comes back on its data.
    pub(super) fn kill_broker(&mut self, away: Duration) {
        self.broker.kill();
        self.wait(away);
        self.broker.run();
    }

    pub(super) fn checker(&self, with_console: bool) -> Checker<'_> {
        Checker {
            broker: self.broker,
            plan: &self.plan,
            prefix: &self.name,
            exactly_once: self.settings.exactly_once,
            with_views: self.settings.with_views,
            with_console,
        }
    }

    /// Waits until every record is bound.
    pub(super) fn catch_up(&mut self) {
        let until = Instant::now() + CAUGHT_UP;
        let topics = INPUTS.map(|input| format!("{}.{input}", self.name));
        let ends: Vec<_> = topics.iter().map(|topic| (topic, ends(self.broker, topic))).collect();
        loop {
            self.wait(Duration::from_millis(250));
            let bound = self.checker(false).bound();
            let missing: Vec<_> = ends
                .iter()
                .flat_map(|(topic, ends)| ends.iter().map(move |(partition, end)| (topic, partition, end)))
                .filter(|(topic, partition, end)| bound.upper(topic, **partition) < **end)
                .collect();
            if missing.is_empty() {
                return;
            }
            let said = self.live.as_ref().map(Live::said).unwrap_or_default();
            assert!(Instant::now() < until, "{missing:?} are not bound:\n{}", tail(&said));
        }
    }

    /// Ends it all, and compares.
    pub(super) fn finish(&mut self, feeder: Feeder, with_console: bool) -> Compared {
        let sent = feeder.finish();
        self.catch_up();
        self.terminate();
        let compared = self.checker(with_console).check();
        assert_eq!(compared.records as u64, sent, "every record was written once, and bound");
        compared
    }

    /// What all processes said, the last lines of each.
    pub(super) fn said(folder: &Path) -> String {
        let mut logs: Vec<_> = fs::read_dir(folder.join("logs")).into_iter().flatten().flatten().collect();
        logs.sort_by_key(fs::DirEntry::path);
        let said = logs.iter().map(|log| {
            format!("--- {}\n{}\n", log.path().display(), tail(&fs::read_to_string(log.path()).unwrap_or_default()))
        });
        said.collect()
    }
}

/// The last lines of what was said.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
