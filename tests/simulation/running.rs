//! A process at work: reader, workers, publishers, each in steps as small as a thread could be
//! interrupted at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use propice_live::protocol::binder::{Begin, Binder, Step};
use propice_live::protocol::binding::{Binding, BindingRecord, Offsets};
use propice_live::protocol::durable::Durable;
use propice_live::protocol::progress::Visible;
use propice_live::protocol::recovered::Recovered;
use propice_live::protocol::{GenerationNumber, PartitionIndex};

use crate::broker::{Reply, Request, Value};
use crate::checkpointing::Checkpointing;
use crate::coverage::{Case, Point};
use crate::flow::{Flow, Said, State, range};
use crate::process::{Asked, End, Token, Wire};
use crate::slot::{Message, Slot};
use crate::world::{BINDINGS, Env, Lane, Mutation, OUTPUTS, SOURCES};

/// What a process begins with.
pub(crate) struct Parts {
    pub generation: GenerationNumber,
    pub workers: usize,
    pub visible: Visible,
    pub recovered: Recovered,
    /// The state, and its time.
    pub flow: (State, u64),
    /// Known bindings with their offsets, and where reading them began.
    pub bindings: (Vec<(u64, i64)>, i64),
    /// Connections by transactional id.
    pub fenced: BTreeMap<u32, usize>,
}

enum Arrival {
    Record(PartitionIndex, i64, Option<u32>),
    Passed(PartitionIndex, i64),
    Added(PartitionIndex, i64),
}

/// What a worker does next, having done half of something.
enum Half {
    Feed {
        time: u64,
        keys: Vec<u32>,
    },
    /// Wrong on purpose: the binding is told after its records are fed.
    Tell(Binding),
    Complete(u64),
}

struct Worker {
    binder: Binder<Option<u32>>,
    arrivals: VecDeque<Arrival>,
    half: Option<Half>,
    /// The frontier of its input.
    input: u64,
    /// Everything before this time was handed over.
    complete: u64,
    out: Vec<Said>,
}

struct Partition {
    source: usize,
    position: i64,
    /// Nothing before this is read.
    from: i64,
}

/// Connections for what is sent without a transaction.
pub(crate) struct Plain {
    pub bindings: usize,
    pub progress: usize,
    pub outputs: Vec<usize>,
}

pub(crate) struct Running {
    pub generation: GenerationNumber,
    workers: Vec<Worker>,
    partitions: Vec<Partition>,
    pub flow: Flow,
    pub slots: Vec<Slot>,
    pub durable: Option<Durable>,
    tail: i64,
    /// Bindings that travel by themselves, not sent yet.
    pub unsent: VecDeque<Binding>,
    pub plain: Plain,
    /// The greatest time that any worker has bound.
    greatest: u64,
    /// What was bound: time, source, first offset that is not.
    pub bound: Vec<(u64, usize, i64)>,
    /// Every binding whose offset is known, and where reading them began.
    pub offsets: (Vec<(u64, i64)>, i64),
    /// What an earlier generation has said.
    visible: Visible,
    checkpointing: Checkpointing,
}

impl Running {
    pub(crate) fn new(parts: Parts, mark: Option<i64>, wire: &mut Wire, env: &mut Env) -> Running {
        let Parts { generation, workers: count, visible, mut recovered, flow: (state, cut), bindings, fenced } = parts;
        let outputs = OUTPUTS.map(|_| wire.open(None)).collect();
        let plain = Plain { bindings: wire.open(None), progress: wire.open(None), outputs };
        let (mut partitions, mut begins, mut bound) = (Vec::new(), vec![Vec::new(); count], Vec::new());
        for source in 0..env.sources.len() {
            let log = &env.broker.logs[SOURCES + source];
            let known = recovered.partitions.remove(&env.sources[source]);
            let anew = (log.first, Begin { start: Some(log.first), ..Begin::default() });
            let is_known = known.is_some();
            let (from, begin) = known.unwrap_or(anew);
            if is_known {
                bound.push((cut, source, from));
            }
            for &(time, upper) in &begin.replay {
                bound.push((time, source, upper));
                if log.entries[upper as usize - 1].is_gone {
                    env.coverage.cases[Case::CompactedLast as usize] += 1;
                }
            }
            begins[source % count].push((PartitionIndex(source as u32), begin));
            partitions.push(Partition { source, position: from, from });
        }
        let most = 1 + env.rng.below(4);
        let worker = |begins: Vec<_>| Worker {
            binder: Binder::new(begins, recovered.floor, most),
            arrivals: VecDeque::new(),
            half: None,
            input: cut + 1,
            complete: cut + 1,
            out: Vec::new(),
        };
        let workers = begins.into_iter().map(worker).collect();
        let slot_count = if env.lane == Lane::Slots { count } else { 1 };
        let slots = (0..slot_count).map(|slot| Slot::new(slot, slot_count, cut + 1, generation, &visible, &fenced));
        let fenced_lane = env.lane == Lane::Slots || env.has(Mutation::DoesNotClaim);
        let durable = (env.lane != Lane::ExactlyOnce).then(|| Durable::new(generation, recovered.floor, fenced_lane));
        Running {
            generation,
            workers,
            partitions,
            flow: Flow::new(state, cut + 1),
            slots: slots.collect(),
            durable,
            tail: mark.unwrap_or_default() + 1,
            unsent: VecDeque::new(),
            plain,
            greatest: 0,
            bound,
            offsets: bindings,
            visible,
            checkpointing: Checkpointing::default(),
        }
    }

    /// Some thread goes on a little.
    pub(crate) fn step(&mut self, wire: &mut Wire, clock: u64, env: &mut Env) -> Result<(), End> {
        match env.rng.below(21) {
            0..3 => self.read(env)?,
            3 => self.discover(env),
            4..11 => {
                let worker = env.rng.below(self.workers.len());
                self.work(worker, clock, env);
            }
            11..17 => {
                let slot = env.rng.below(self.slots.len());
                self.publish(slot, wire, env);
            }
            17 => self.read_back(env)?,
            18 => self.send_binding(wire, env),
            _ => {
                let mut checkpointing = std::mem::take(&mut self.checkpointing);
                let ended = checkpointing.step(self, wire, env);
                self.checkpointing = checkpointing;
                ended?;
            }
        }
        Ok(())
    }

    fn read(&mut self, env: &mut Env) -> Result<(), End> {
        if self.partitions.is_empty() {
            return Ok(());
        }
        let index = env.rng.below(self.partitions.len());
        let worker = index % self.workers.len();
        let partition = &mut self.partitions[index];
        if self.workers[worker].arrivals.len() > 12 {
            return Ok(());
        }
        if env.faults() && env.rng.in_thousand(30) && partition.position > partition.from {
            env.count(Case::Redelivered);
            partition.position = (partition.position - 3).max(partition.from);
        }
        let most = 1 + env.rng.below(if env.is_calm { 30 } else { 6 });
        let Some((records, next)) = env.broker.read(SOURCES + partition.source, partition.position, true, most) else {
            let gone = format!("{:?} is deleted from {} on", env.sources[partition.source], partition.position);
            return Err(if env.is_disaster { End::Refused(gone) } else { End::Again(gone) });
        };
        partition.position = next;
        let index = PartitionIndex(index as u32);
        let arrivals = &mut self.workers[worker].arrivals;
        arrivals.extend(records.into_iter().map(|(offset, value)| match value {
            Value::About(key) => Arrival::Record(index, offset, Some(key)),
            _ => Arrival::Record(index, offset, None),
        }));
        if !env.has(Mutation::WaitsForDeleted) {
            arrivals.push_back(Arrival::Passed(index, next));
        }
        Ok(())
    }

    /// Partitions that were added.
    fn discover(&mut self, env: &mut Env) {
        for source in self.partitions.len()..env.sources.len() {
            env.count(Case::PartitionAdded);
            let from = env.broker.logs[SOURCES + source].first;
            let worker = source % self.workers.len();
            self.workers[worker].arrivals.push_back(Arrival::Added(PartitionIndex(source as u32), from));
            self.partitions.push(Partition { source, position: from, from });
        }
    }

    fn work(&mut self, index: usize, clock: u64, env: &mut Env) {
        let worker = &mut self.workers[index];
        match worker.half.take() {
            Some(Half::Feed { time, keys }) => {
                self.flow.feed(time, keys);
                worker.input = time + 1;
                self.greatest = self.greatest.max(time);
            }
            Some(Half::Tell(binding)) => self.tell(index, binding, env),
            Some(Half::Complete(before)) => worker.complete = before,
            None => match env.rng.below(3) {
                0 => worker.receive(),
                1 => self.bind(index, clock, env),
                _ => self.hand_over(index),
            },
        }
    }

    fn bind(&mut self, index: usize, clock: u64, env: &mut Env) {
        let worker = &mut self.workers[index];
        let bound = match worker.binder.step(clock) {
            Step::Feed(bound) => bound,
            Step::CaughtUp { after } => {
                worker.input = worker.input.max(after + 1);
                return;
            }
            Step::Wait => {
                // What comes within this millisecond may still take effect at it.
                let to = self.greatest.max(clock.saturating_sub(1));
                if !worker.binder.is_waiting()
                    && let Some(over) = worker.binder.pass(to)
                {
                    worker.input = over + 1;
                }
                return;
            }
        };
        let time = bound.time;
        let keys = bound.records.iter().filter_map(|about| *about).collect();
        worker.half = Some(Half::Feed { time, keys });
        if !bound.is_new() {
            env.count(Case::Replayed);
            return;
        }
        if time > clock {
            env.count(Case::BoundBehindClock);
        }
        for (partition, offset) in bound.starts.iter().chain(&bound.uppers) {
            self.bound.push((time, partition.0 as usize, *offset));
        }
        let (uppers, starts) = (named(&bound.uppers, env), named(&bound.starts, env));
        let binding = Binding { generation: self.generation, time, uppers, starts };
        if env.has(Mutation::FeedsFirst) {
            let half = self.workers[index].half.replace(Half::Tell(binding));
            if let Some(Half::Feed { time, keys }) = half {
                self.flow.feed(time, keys);
                self.workers[index].input = time + 1;
                self.greatest = self.greatest.max(time);
            }
        } else {
            self.tell(index, binding, env);
        }
    }

    /// Tells publishers what was bound, before it is fed.
    fn tell(&mut self, worker: usize, binding: Binding, env: &mut Env) {
        env.say(|| format!("worker {worker} binds {binding:?}"));
        match &mut self.durable {
            Some(durable) => {
                durable.sent(binding.time);
                self.unsent.push_back(binding);
            }
            None => self.slots[0].channel.push_back(Message::Binding(binding)),
        }
    }

    fn hand_over(&mut self, index: usize) {
        let frontier = self.workers.iter().map(|worker| worker.input).min().unwrap_or_default();
        let mut said = Vec::new();
        self.flow.advance(frontier, &mut |one| said.push(one));
        let count = self.workers.len();
        for one in said {
            self.workers[usize::from(range(one.key)) * count / 256].out.push(one);
        }
        let slot = if self.slots.len() == 1 { 0 } else { index };
        let worker = &mut self.workers[index];
        self.slots[slot].channel.extend(worker.out.drain(..).map(Message::Said));
        worker.half = Some(Half::Complete(self.flow.before));
    }

    /// The time before which everything that a slot has to publish was handed over.
    pub(crate) fn complete(&self, slot: usize, env: &Env) -> u64 {
        let all = self.workers.iter().map(|worker| worker.complete);
        match self.slots.len() {
            1 if env.has(Mutation::WrongFrontier) => self.workers.iter().map(|worker| worker.input).max().unwrap_or(0),
            1 => all.min().unwrap_or_default(),
            _ if env.has(Mutation::WrongFrontier) => self.workers[slot].input,
            _ => self.workers[slot].complete,
        }
    }

    fn publish(&mut self, slot: usize, wire: &mut Wire, env: &mut Env) {
        let complete = self.complete(slot, env);
        let awaited = self.checkpointing.awaited();
        let Running { slots, durable, unsent, plain, visible, .. } = self;
        let mut around = crate::slot::Around { durable, unsent, plain, visible, complete, awaited };
        slots[slot].step(&mut around, wire, env);
    }

    fn send_binding(&mut self, wire: &mut Wire, env: &mut Env) {
        if let Some(binding) = self.unsent.pop_front() {
            let time = binding.time;
            let value = Value::Bytes(String::new(), BindingRecord::Binding(binding).to_bytes());
            wire.ask(env, self.plain.bindings, Request::Send { log: BINDINGS, value }, Token::Binding(time));
        }
    }

    fn read_back(&mut self, env: &mut Env) -> Result<(), End> {
        let Some(durable) = self.durable.as_mut().filter(|_| !env.has(Mutation::DoesNotReadBack)) else {
            return Ok(());
        };
        let Some((records, next)) = env.broker.read(BINDINGS, self.tail, false, 8) else {
            return Err(End::Again("bindings were deleted before they were read back".to_owned()));
        };
        self.tail = next;
        for (_, value) in records {
            let Value::Bytes(_, bytes) = value else { continue };
            if let Err(superseded) = durable.read(&BindingRecord::parse(&bytes).expect("a binding")) {
                env.count(Case::Superseded);
                return Err(End::Again(superseded.to_string()));
            }
        }
        Ok(())
    }

    pub(crate) fn answer(&mut self, asked: &Asked, reply: Reply, env: &mut Env) {
        let time = match asked.token {
            Token::Binding(time) => Some(time),
            Token::Record { binding, .. } => binding,
            _ => None,
        };
        if let (Some(time), Reply::Offset(offset)) = (time, reply) {
            self.offsets.0.push((time, offset));
        }
        if let (Some(durable), Token::Binding(_), true) =
            (&mut self.durable, &asked.token, env.has(Mutation::DoesNotReadBack))
            && let Request::Send { value: Value::Bytes(_, bytes), .. } = &asked.request
        {
            let _ = durable.read(&BindingRecord::parse(bytes).expect("a binding"));
        }
        match asked.token {
            Token::Record { slot, number, .. } => self.slots[slot].acknowledged(number),
            Token::Commit { slot, number } => self.slots[slot].committed(number, env),
            Token::Progress { slot, through } => self.slots[slot].visible = through,
            _ => {}
        }
    }

    /// Whether all that was bound before is fed.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.workers.iter().all(|worker| !worker.binder.is_replaying())
    }

    /// A time that no worker has passed yet.
    pub(crate) fn next_cut(&self) -> u64 {
        self.workers.iter().map(|worker| worker.input).max().unwrap_or_default()
    }

    pub(crate) fn points(&self, wire: &Wire, lane: Lane) -> BTreeSet<Point> {
        let mut points = self.checkpointing.points(wire);
        if !self.is_caught_up() {
            points.insert(Point::Replaying);
        }
        for connection in &wire.connections {
            for asked in &connection.queue {
                let is_binding = matches!(asked.token, Token::Binding(_) | Token::Record { binding: Some(_), .. });
                if is_binding && asked.reply.is_none() {
                    points.insert(Point::BindingSent);
                }
            }
        }
        if !self.unsent.is_empty() || self.workers.iter().any(|worker| matches!(worker.half, Some(Half::Tell(_)))) {
            points.insert(Point::BindingUnsent);
        }
        let on_the_way = self
            .durable
            .as_ref()
            .is_some_and(|durable| self.offsets.0.iter().any(|(time, _)| *time >= durable.before()));
        if on_the_way {
            points.insert(Point::BindingAcknowledged);
        }
        for slot in &self.slots {
            points.extend(slot.points(wire, lane));
        }
        points
    }
}

impl Worker {
    fn receive(&mut self) {
        for _ in 0..6 {
            match self.arrivals.pop_front() {
                Some(Arrival::Record(partition, offset, about)) => drop(self.binder.push(partition, offset, about)),
                Some(Arrival::Passed(partition, offset)) => self.binder.passed(partition, offset),
                Some(Arrival::Added(partition, start)) => self.binder.add(partition, start),
                None => {}
            }
        }
    }
}

fn named(offsets: &[(PartitionIndex, i64)], env: &Env) -> Offsets {
    let mut named = Offsets::new();
    for (partition, offset) in offsets {
        let (topic, number) = &env.sources[partition.0 as usize];
        named.entry(topic.clone()).or_default().insert(*number, *offset);
    }
    named
}
