//! How a process begins: the steps of [`Start`], done with the broker and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use propice_live::protocol::GenerationNumber;
use propice_live::protocol::binding::{BindingLog, BindingRecord};
use propice_live::protocol::progress::{Progress, Visible};
use propice_live::protocol::recovered::NoRecovery;
use propice_live::protocol::start::{Start, Step};

use crate::broker::{Reply, Request, Value};
use crate::coverage::{Case, Point};
use crate::flow::State;
use crate::process::{End, Token, Wire};
use crate::running::Running;
use crate::store::{Action, Manifest, Name, Object, Outcome};
use crate::world::{BINDINGS, Env, Lane, Mutation, PROGRESS};

pub(crate) struct Starting {
    pub start: Start,
    workers: usize,
    nonce: u64,
    /// Whether what the step needs is under way.
    is_asked: bool,
    /// The number that was asked for, and how many slots are to be fenced.
    number: (u64, u32, u32),
    /// Connections of the transactional ids.
    fenced: BTreeMap<u32, usize>,
    unanswered: usize,
    marked: Option<i64>,
    /// Where reading is, and where it ends.
    reading: Option<(i64, i64)>,
    visible: Visible,
    log: BindingLog,
    /// The time of every binding that counts, with its offset.
    pub offsets: Vec<(u64, i64)>,
    damaged: BTreeSet<Name>,
    checkpoint: Option<Rc<Manifest>>,
    state: State,
}

impl Starting {
    pub(crate) fn new(workers: usize, env: &mut Env) -> Starting {
        Starting {
            start: Start::new(env.lane != Lane::AtLeastOnce, env.lane != Lane::ExactlyOnce),
            workers,
            nonce: env.rng.next(),
            is_asked: false,
            number: (0, 0, 0),
            fenced: BTreeMap::new(),
            unanswered: 0,
            marked: None,
            reading: None,
            visible: Visible::default(),
            log: BindingLog::default(),
            offsets: Vec::new(),
            damaged: BTreeSet::new(),
            checkpoint: None,
            state: State::new(),
        }
    }

    pub(crate) fn step(&mut self, wire: &mut Wire, env: &mut Env) -> Result<Option<Box<Running>>, End> {
        match self.start.step() {
            Step::TakeNumber => self.take_number(wire, env)?,
            Step::Fence { .. } => self.fence(wire, env),
            Step::Look => self.look(env)?,
            Step::Mark => self.mark(wire, env),
            Step::ReadProgress => self.read_progress(env)?,
            Step::ReadBindings => self.read_bindings(env)?,
            Step::Load => self.load(env)?,
            Step::GoOn => return self.go_on(wire, env).map(Some),
        }
        Ok(None)
    }

    fn take_number(&mut self, wire: &mut Wire, env: &mut Env) -> Result<(), End> {
        if !self.is_asked {
            let (last, _, last_slots, ever) = env.store.newest().unwrap_or_default();
            let slots = if env.lane == Lane::Slots { self.workers as u32 } else { 1 };
            let slots_ever = ever.max(slots);
            let fence = if env.has(Mutation::FencesLastSlots) { last_slots.max(slots) } else { slots_ever };
            self.number = (last + 1, fence, slots_ever);
            let object = Object::Generation { nonce: self.nonce, slots, slots_ever };
            wire.store(Action::Put(Name::Generation(last + 1), object));
            self.is_asked = true;
        }
        match wire.store_outcome() {
            Some(Outcome::Fine) => {
                self.start.numbered(GenerationNumber(self.number.0), self.number.1);
                self.is_asked = false;
                Ok(())
            }
            Some(Outcome::Exists) => {
                env.count(Case::LostNumber);
                Err(End::Again("the number is taken".to_owned()))
            }
            Some(Outcome::Failed) => Err(End::Again("the store failed".to_owned())),
            None => Ok(()),
        }
    }

    fn fence(&mut self, wire: &mut Wire, env: &mut Env) {
        if !self.is_asked {
            self.is_asked = true;
            for id in 0..2 * self.number.1 {
                let connection = wire.open(Some(id));
                self.fenced.insert(id, connection);
                wire.ask(env, connection, Request::Init, Token::Fence);
                self.unanswered += 1;
            }
        }
        if self.unanswered == 0 {
            self.start.fenced();
            self.is_asked = false;
        }
    }

    fn look(&mut self, env: &mut Env) -> Result<(), End> {
        let newest = env.store.newest();
        let is_newest = newest.is_some_and(|(number, nonce, ..)| (number, nonce) == (self.number.0, self.nonce));
        if !is_newest {
            env.count(Case::NotNewest);
        }
        let is_newest = is_newest || env.has(Mutation::DoesNotLook);
        self.start.looked(is_newest).map_err(|error| End::Again(error.to_string()))
    }

    fn mark(&mut self, wire: &mut Wire, env: &mut Env) {
        if !self.is_asked {
            self.is_asked = true;
            let connection = wire.open(None);
            let bytes = BindingRecord::Begins(self.start.generation()).to_bytes();
            let value = Value::Bytes(String::new(), bytes);
            wire.ask(env, connection, Request::Send { log: BINDINGS, value }, Token::Mark);
        }
        if self.marked.is_some() {
            self.is_asked = false;
            self.start.marked();
        }
    }

    /// Reads a piece of a log; true at its end as it was when reading began.
    fn read(
        &mut self,
        env: &mut Env,
        log: usize,
        from: i64,
        committed: bool,
        take: &mut dyn FnMut(&mut Self, i64, &[u8]),
    ) -> Result<bool, End> {
        let (position, end) = *self.reading.get_or_insert((from, env.broker.logs[log].end()));
        let most = 1 + env.rng.below(20);
        let Some((records, next)) = env.broker.read(log, position, committed, most) else {
            self.reading = None;
            return Err(End::Again("the log was deleted while it was read".to_owned()));
        };
        if next == position && position < end {
            env.count(Case::WaitedForOpen);
        }
        for (offset, value) in records {
            if let Value::Bytes(_, bytes) = value {
                take(self, offset, &bytes);
            }
        }
        self.reading = (next < end).then_some((next, end));
        Ok(next >= end)
    }

    fn read_progress(&mut self, env: &mut Env) -> Result<(), End> {
        let first = env.broker.logs[PROGRESS].first;
        let committed = env.lane != Lane::AtLeastOnce;
        let whole = self.read(env, PROGRESS, first, committed, &mut |ours, _, bytes| {
            ours.visible.learn(&Progress::parse(bytes).expect("progress"));
        })?;
        if whole {
            self.start.progress(self.visible.clone());
        }
        Ok(())
    }

    fn read_bindings(&mut self, env: &mut Env) -> Result<(), End> {
        if self.reading.is_none() {
            let all = env.store.checkpoints();
            self.checkpoint = all.iter().find(|(name, _)| !self.damaged.contains(name)).map(|(_, one)| one.clone());
            if self.checkpoint.is_none() && !all.is_empty() {
                env.count(Case::NoCheckpointLeft);
                return Err(End::Refused("no checkpoint can be used".to_owned()));
            }
            let since = self.checkpoint.as_ref().map_or(GenerationNumber(0), |one| one.checkpointed.generation);
            let forgets = env.has(Mutation::ForgetsMarks);
            self.log = if forgets { BindingLog::default() } else { BindingLog::since(since) };
            self.offsets.clear();
        }
        let first = env.broker.logs[BINDINGS].first;
        let needed = self.checkpoint.as_ref().map_or(0, |one| one.checkpointed.bindings);
        let committed = env.lane == Lane::ExactlyOnce;
        let whole = self.read(env, BINDINGS, needed.max(first), committed, &mut |ours, offset, bytes| {
            let record = BindingRecord::parse(bytes).expect("a binding");
            let count = ours.log.bindings().len();
            ours.log.push(record);
            if let Some(binding) = ours.log.bindings().get(count) {
                ours.offsets.push((binding.time, offset));
            }
        })?;
        if !whole {
            return Ok(());
        }
        let first = if env.has(Mutation::BelievesTheRest) { 0 } else { first };
        let checkpointed = self.checkpoint.as_ref().map(|manifest| &manifest.checkpointed);
        match self.start.bindings(checkpointed, &self.log, first) {
            Ok(()) => Ok(()),
            Err(error @ NoRecovery::Superseded { .. }) => {
                // Without a store the numbers begin anew.
                if env.is_store_gone {
                    Err(End::Refused(error.to_string()))
                } else {
                    Err(End::Again(error.to_string()))
                }
            }
            Err(error) => Err(End::Refused(error.to_string())),
        }
    }

    fn load(&mut self, env: &mut Env) -> Result<(), End> {
        let Some(manifest) = &self.checkpoint else {
            env.count(Case::FromNothing);
            self.start.loaded();
            return Ok(());
        };
        let checkpointed = &manifest.checkpointed;
        match env.store.load(manifest) {
            Some(state) => {
                let least = self.visible.least();
                assert!(least >= checkpointed.time || env.mutation.is_some(), "a state that is ahead of what was said");
                env.count(Case::FromCheckpoint);
                if !self.damaged.is_empty() {
                    env.count(Case::OlderCheckpoint);
                }
                self.state = state;
                self.start.loaded();
            }
            None => {
                self.damaged.insert(Name::Checkpoint(checkpointed.time, checkpointed.generation.0));
                self.start.damaged();
            }
        }
        Ok(())
    }

    fn go_on(&mut self, wire: &mut Wire, env: &mut Env) -> Result<Box<Running>, End> {
        let generation = self.start.generation();
        let (visible, mut recovered) = self.start.clone().finish();
        let cut = self.checkpoint.as_ref().map_or(0, |manifest| manifest.checkpointed.time);
        if env.has(Mutation::FloorIgnoresVisible) {
            recovered.floor = cut.max(self.log.greatest());
        }
        let bindings =
            (std::mem::take(&mut self.offsets), self.checkpoint.as_ref().map_or(0, |one| one.checkpointed.bindings));
        let flow = (std::mem::take(&mut self.state), cut);
        let fenced = std::mem::take(&mut self.fenced);
        let parts =
            crate::running::Parts { generation, workers: self.workers, visible, recovered, flow, bindings, fenced };
        Ok(Box::new(Running::new(parts, self.marked, wire, env)))
    }

    pub(crate) fn answer(&mut self, wire: &mut Wire, connection: usize, token: &Token, reply: Reply) {
        match (token, reply) {
            (Token::Fence, Reply::Epoch(epoch)) => {
                wire.connections[connection].epoch = epoch;
                self.unanswered -= 1;
            }
            (Token::Mark, Reply::Offset(offset)) => self.marked = Some(offset),
            _ => {}
        }
    }

    pub(crate) fn points(&self) -> BTreeSet<Point> {
        BTreeSet::from([match self.start.step() {
            Step::TakeNumber => Point::NumberAsked,
            Step::Fence { .. } => Point::Fencing,
            Step::Look => Point::Fenced,
            Step::Mark => Point::Looked,
            Step::ReadProgress => Point::ReadingProgress,
            Step::ReadBindings => Point::ReadingBindings,
            Step::Load => Point::Loading,
            Step::GoOn => Point::Loaded,
        }])
    }
}
