//! A schedule: who goes on when, and what goes wrong when. All of it follows from the seed.

use crate::broker::{Fate, Value};
use crate::checker::{Verdict, check};
use crate::coverage::{Case, Coverage, Point};
use crate::flow::{KEYS, Said};
use crate::process::{Connection, End, Life, Process};
use crate::store::Object;
use crate::world::{BINDINGS, Env, Lane, Mutation, OUTPUTS, PROGRESS, SOURCES};

const HOUR: i64 = 3_600_000;

/// What came of a schedule.
pub(crate) struct Outcome {
    pub coverage: Coverage,
    /// What is wrong, and at which step that was seen.
    pub wrong: Option<(u64, String)>,
    pub trace: Vec<String>,
}

struct Schedule {
    env: Env,
    processes: Vec<Process>,
    /// Requests of processes that are gone.
    late: Vec<Connection>,
    started: usize,
    workers: usize,
    /// The seed decides which faults a schedule has, and how many.
    rate: usize,
    refused: Option<String>,
}

/// Runs the schedule of a seed.
pub(crate) fn run(seed: u64, mutation: Option<Mutation>, traced: bool) -> Outcome {
    let mut schedule = Schedule::new(seed, mutation, traced);
    let wrong = schedule.run().err().map(|wrong| (schedule.env.at, wrong));
    let mut env = schedule.env;
    Outcome { coverage: std::mem::take(&mut env.coverage), wrong, trace: env.trace.take().unwrap_or_default() }
}

impl Schedule {
    fn new(seed: u64, mutation: Option<Mutation>, traced: bool) -> Schedule {
        let mut env = Env::new(seed, mutation, traced);
        let rate = [4, 10, 25][env.rng.below(3)];
        let (processes, late) = (Vec::new(), Vec::new());
        Schedule { env, processes, late, started: 0, workers: 0, rate, refused: None }
    }

    fn run(&mut self) -> Result<(), String> {
        let steps = self.env.rng.between(400, 2_600);
        for _ in 0..steps {
            self.step();
            if self.env.rng.in_thousand(self.rate) {
                self.fault();
            }
            if self.refused.is_some() {
                return self.check_refusal();
            }
        }
        self.calm()
    }

    /// The faults are over: in the end everything is there.
    fn calm(&mut self) -> Result<(), String> {
        self.env.is_calm = true;
        self.env.broker.is_down = false;
        self.processes.iter_mut().for_each(|process| process.is_paused = false);
        self.env.tell("calm", &self.processes.len());
        let mut missing = String::new();
        for round in 0..100 {
            for _ in 0..300 {
                self.step();
                if self.env.rng.in_thousand(100) {
                    self.env.now += self.env.rng.between(1, 10);
                }
                if self.refused.is_some() {
                    return self.check_refusal();
                }
            }
            // What a process left open that nobody takes over any more (its store was emptied, and
            // with it how many slots there were) is given up by its coordinator.
            if round == 5 {
                while self.env.broker.time_out(self.env.now, 100) {}
            }
            // Clocks may be an hour behind what was bound.
            if round == 10 {
                self.env.now += 3 * HOUR as u64;
            }
            while self.env.broker.mark(&mut self.env.rng) {}
            match self.check()? {
                Verdict::Complete => {
                    self.env.count_repeated();
                    return Ok(());
                }
                Verdict::Missing(what) => missing = what,
            }
        }
        Err(format!("nothing goes wrong any more, but not everything comes: {missing}"))
    }

    fn check(&self) -> Result<Verdict, String> {
        let (marks, once) = (self.env.lane != Lane::ExactlyOnce, self.env.lane != Lane::AtLeastOnce);
        check(&self.env.broker.logs, &self.env.sources, marks, once)
    }

    /// A start was refused: that must have had a reason, and nothing wrong may have been said.
    fn check_refusal(&mut self) -> Result<(), String> {
        let why = self.refused.clone().unwrap_or_default();
        self.env.count(Case::Refused);
        let manifests = self.env.store.checkpoints();
        let none_whole = !manifests.is_empty() && manifests.iter().all(|(_, one)| self.env.store.load(one).is_none());
        if !self.env.is_disaster && !none_whole {
            return Err(format!("refused without a reason: {why}"));
        }
        while self.env.broker.mark(&mut self.env.rng) {}
        self.check().map(|_| ())
    }

    /// Something small happens somewhere.
    fn step(&mut self) {
        self.env.at += 1;
        if self.processes.iter().all(|process| process.is_paused) && self.env.rng.in_thousand(100) {
            self.start();
        }
        match self.env.rng.below(100) {
            0..6 => self.env.now += self.env.rng.between(1, 3),
            6..10 if !self.env.is_calm => self.produce(),
            10..14 if !self.env.broker.is_down => drop(self.env.broker.mark(&mut self.env.rng)),
            14..16 => self.late_request(),
            16..42 => self.network(),
            42..46 => self.storage(),
            _ => self.go_on(),
        }
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.processes.is_empty()).then(|| self.env.rng.below(self.processes.len()))
    }

    fn go_on(&mut self) {
        let Some(at) = self.pick().filter(|at| !self.processes[*at].is_paused) else { return };
        let ended = self.processes[at].step(&mut self.env);
        self.end(at, ended);
    }

    fn network(&mut self) {
        let Some(at) = self.pick() else { return };
        let process = &mut self.processes[at];
        let busy: Vec<usize> = (0..process.wire.connections.len())
            .filter(|one| !process.wire.connections[*one].queue.is_empty())
            .collect();
        if busy.is_empty() {
            return;
        }
        let connection = busy[self.env.rng.below(busy.len())];
        let most = if self.env.is_calm { 40 } else { 4 };
        for _ in 0..=self.env.rng.below(most) {
            if self.env.rng.below(2) == 0 {
                if !self.env.broker.is_down {
                    process.wire.connections[connection].apply(&mut self.env);
                }
            } else if !process.is_paused {
                let ended = process.answer(connection, &mut self.env);
                if ended.is_err() {
                    return self.end(at, ended);
                }
            }
        }
    }

    fn storage(&mut self) {
        if let Some(at) = self.pick() {
            self.processes[at].wire.apply_store(&mut self.env);
        }
    }

    /// What a process that is gone had sent arrives.
    fn late_request(&mut self) {
        if self.late.is_empty() || self.env.broker.is_down {
            return;
        }
        let at = self.env.rng.below(self.late.len());
        if self.late[at].apply(&mut self.env) {
            self.env.count(Case::LateRequest);
        }
        if self.late[at].queue.iter().all(|asked| asked.reply.is_some()) || self.env.is_calm {
            self.late.swap_remove(at);
        }
    }

    fn end(&mut self, at: usize, ended: Result<(), End>) {
        match ended {
            Ok(()) => {}
            Err(End::Again(why)) => {
                self.env.say(|| format!("a process ends: {why}"));
                self.remove(at);
            }
            Err(End::Refused(why)) => {
                self.env.say(|| format!("refused: {why}"));
                self.refused = Some(why);
            }
        }
    }

    /// A process is gone; some of what it had sent arrives later, in order.
    fn remove(&mut self, at: usize) {
        let process = self.processes.swap_remove(at);
        for mut connection in process.wire.connections {
            let open = connection.queue.iter().filter(|asked| asked.reply.is_none()).count();
            if open > 0 {
                let arrives = self.env.rng.below(open + 1);
                if arrives < open {
                    self.env.count(Case::LostRequest);
                }
                connection.queue.truncate(connection.queue.len() - open + arrives);
                self.late.push(connection);
            }
        }
    }

    fn start(&mut self) {
        let workers = 1 + self.env.rng.below(4);
        if self.started > 0 {
            self.env.count(match workers.cmp(&self.workers) {
                std::cmp::Ordering::Less => Case::FewerWorkers,
                std::cmp::Ordering::Equal => Case::SameWorkers,
                std::cmp::Ordering::Greater => Case::MoreWorkers,
            });
        }
        let is_starting = |process: &Process| !process.is_paused && matches!(process.life, Life::Starting(_));
        if self.processes.iter().any(is_starting) {
            self.env.count(Case::TwoStart);
        }
        self.started += 1;
        self.workers = workers;
        let skew = self.env.rng.between(0, 20) as i64 - 10;
        let number = self.started;
        self.env.say(|| format!("process {number} starts with {workers} workers"));
        let process = Process::new(number, workers, skew, &mut self.env);
        self.processes.push(process);
    }

    /// Records of a source, some in transactions that are aborted.
    fn produce(&mut self) {
        let log = SOURCES + self.env.rng.below(self.env.sources.len());
        let aborted = self.env.rng.below(12) == 0;
        for _ in 0..=self.env.rng.below(4) {
            let about = self.env.rng.below(KEYS as usize) as u32;
            let value = if self.env.rng.below(5) == 0 { Value::Blank } else { Value::About(about) };
            self.env.broker.append(log, value, 0);
            let entry = self.env.broker.logs[log].entries.last_mut().expect("it was appended");
            entry.unanswered = None;
            if aborted {
                entry.fate = Fate::Aborted;
            }
        }
        if aborted {
            self.env.count(Case::SourceAborted);
            self.env.broker.append(log, Value::Marker, 0);
            self.env.broker.logs[log].entries.last_mut().expect("it was appended").unanswered = None;
        }
    }

    /// Something goes wrong.
    fn fault(&mut self) {
        match self.env.rng.below(100) {
            0..26 => self.kill(),
            26..44 => self.pause(),
            44..56 => self.resume(),
            56..62 => {
                if self.processes.len() < 3 {
                    if self.processes.iter().any(|process| matches!(process.life, Life::Running(_))) {
                        self.env.count(Case::SecondWhileFirst);
                    }
                    self.start();
                }
            }
            62..68 => self.broker(),
            68..73 => {
                if self.env.broker.time_out(self.env.now, 10) {
                    self.env.count(Case::CoordinatorTimeOut);
                }
            }
            73..79 => self.clock(),
            79..82 => {
                if self.env.sources.len() < 6 {
                    if !self.processes.iter().any(|process| matches!(process.life, Life::Running(_))) {
                        self.env.count(Case::PartitionAddedDown);
                    }
                    self.env.add_source();
                }
            }
            82..88 => self.compact(),
            88..94 => self.retention(),
            _ => self.disaster(),
        }
    }

    fn note_points(&mut self, at: usize, is_kill: bool) {
        for point in self.processes[at].points(self.env.lane) {
            let counts = if is_kill { &mut self.env.coverage.killed } else { &mut self.env.coverage.stopped };
            counts[point as usize] += 1;
            if is_kill && point == Point::CommitApplied {
                self.env.count(Case::AnswerLost);
            }
        }
    }

    fn kill(&mut self) {
        if let Some(at) = self.pick() {
            self.note_points(at, true);
            let number = self.processes[at].number;
            self.env.say(|| format!("process {number} is killed"));
            self.remove(at);
        }
    }

    /// A process stands still; often another one is started.
    fn pause(&mut self) {
        let Some(at) = self.pick().filter(|at| !self.processes[*at].is_paused) else { return };
        self.processes[at].is_paused = true;
        let number = self.processes[at].number;
        self.env.say(|| format!("process {number} stands still"));
        if self.env.rng.below(4) > 0 && self.processes.len() < 4 {
            self.note_points(at, false);
            self.start();
        }
    }

    fn resume(&mut self) {
        let paused: Vec<usize> = (0..self.processes.len()).filter(|at| self.processes[*at].is_paused).collect();
        if paused.is_empty() {
            return;
        }
        let at = paused[self.env.rng.below(paused.len())];
        self.processes[at].is_paused = false;
        let number = self.processes[at].number;
        self.env.say(|| format!("process {number} goes on"));
        if let Life::Running(running) = &self.processes[at].life
            && self.env.store.newest().is_some_and(|(newest, ..)| newest > running.generation.0)
        {
            self.env.count(Case::ZombieWentOn);
        }
    }

    fn broker(&mut self) {
        if self.env.broker.is_down {
            self.env.say(|| "the broker is back".to_owned());
            self.env.broker.is_down = false;
            return;
        }
        self.env.count(Case::BrokerKilled);
        let lost = self.env.broker.crash(&mut self.env.rng);
        if !lost.is_empty() {
            self.env.count(Case::BrokerLost);
        }
        self.processes.iter_mut().for_each(|process| process.wire.lost(&lost));
        self.late.iter_mut().for_each(|connection| connection.lost(&lost));
        if self.env.rng.below(2) == 0 {
            self.env.broker.is_down = false;
        }
    }

    fn clock(&mut self) {
        let Some(at) = self.pick() else { return };
        let is_back = self.env.rng.below(3) > 0;
        self.env.count(if is_back { Case::ClockBack } else { Case::ClockForward });
        let process = &mut self.processes[at];
        process.skew = (process.skew + if is_back { -HOUR } else { HOUR }).clamp(-HOUR - 10, HOUR + 10);
    }

    fn compact(&mut self) {
        if self.env.rng.below(2) == 0 {
            if self.env.broker.compact(PROGRESS) {
                self.env.count(Case::ProgressCompacted);
            }
            return;
        }
        let log = SOURCES + self.env.rng.below(self.env.sources.len());
        let mut any = false;
        for entry in &mut self.env.broker.logs[log].entries {
            if entry.value == Value::Blank && !entry.is_gone {
                entry.is_gone = true;
                any = true;
            }
        }
        if any {
            self.env.count(Case::Compacted);
        }
    }

    /// Deletes what no checkpoint needs any more.
    fn retention(&mut self) {
        let Some(oldest) = self.env.store.oldest() else { return };
        let needed = &oldest.checkpointed;
        if self.env.rng.below(2) == 0 {
            let log = &mut self.env.broker.logs[BINDINGS];
            if needed.bindings > log.first {
                log.first = needed.bindings;
                self.env.count(Case::BindingsDeleted);
            }
            return;
        }
        for (name, offset) in &needed.offsets {
            let Some(source) = self.env.sources.iter().position(|source| source == name) else { continue };
            let log = &mut self.env.broker.logs[SOURCES + source];
            if *offset > log.first {
                log.first = *offset;
                self.env.count(Case::SourceDeleted);
            }
        }
    }

    /// What is needed is damaged or deleted.
    fn disaster(&mut self) {
        let manifests = self.env.store.checkpoints();
        if self.env.rng.below(3) > 0 {
            if let Some((_, manifest)) = manifests.first()
                && let Some(Object::Part { is_damaged, .. }) =
                    self.env.store.objects.get_mut(&manifest.parts[self.env.rng.below(manifest.parts.len())])
            {
                *is_damaged = true;
                self.env.count(Case::Damaged);
            }
            return;
        }
        match self.env.rng.below(8) {
            0 => {
                self.env.store.objects.clear();
                (self.env.is_disaster, self.env.is_store_gone) = (true, true);
                self.env.count(Case::StoreGone);
            }
            1 | 2 => {
                let log = &mut self.env.broker.logs[BINDINGS];
                let end = log.stable();
                if end > log.first {
                    log.first = end;
                    self.env.is_disaster = true;
                    self.env.count(Case::BindingsGone);
                }
            }
            3 | 4 => {
                let log = &mut self.env.broker.logs[SOURCES];
                let middle = (log.first + log.end()) / 2;
                if middle > log.first {
                    log.first = middle;
                    self.env.is_disaster = true;
                    self.env.count(Case::RecordsGone);
                }
            }
            _ => {}
        }
    }
}

impl Env {
    /// Whether something was seen twice, or by another generation than the one that said it first.
    fn count_repeated(&mut self) {
        let mut seen: Vec<Said> = Vec::new();
        let entries = OUTPUTS.flat_map(|log| &self.broker.logs[log].entries);
        let (mut repeated, mut again) = (false, false);
        for entry in entries {
            let Value::Said(said) = entry.value else { continue };
            if seen.contains(&said) {
                repeated |= entry.fate == Fate::Plain;
                again |= entry.fate == Fate::Committed;
            }
            seen.push(said);
        }
        if repeated {
            self.count(Case::Repeated);
        }
        if again {
            self.count(Case::SaidLater);
        }
    }
}
