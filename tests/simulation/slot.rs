//! Whoever publishes for a span of key ranges: a chain of transactions, or records without them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use propice_live::protocol::GenerationNumber;
use propice_live::protocol::binding::{Binding, BindingRecord};
use propice_live::protocol::chain::{Chain, TransactionNumber};
use propice_live::protocol::durable::Durable;
use propice_live::protocol::on_the_way::OnTheWay;
use propice_live::protocol::pending::{Parcel, Pending};
use propice_live::protocol::progress::{Progress, Visible};

use crate::broker::{Request, Value};
use crate::coverage::{Case, Point};
use crate::flow::{Said, range};
use crate::process::{Token, Wire};
use crate::running::Plain;
use crate::world::{BINDINGS, Env, Lane, Mutation, OUTPUTS, PROGRESS};

pub(crate) enum Message {
    Binding(Binding),
    Said(Said),
}

/// What a slot shares with the rest of its process.
pub(crate) struct Around<'a> {
    pub durable: &'a mut Option<Durable>,
    pub unsent: &'a mut VecDeque<Binding>,
    pub plain: &'a Plain,
    pub visible: &'a Visible,
    /// Everything before was handed over.
    pub complete: u64,
    /// The time of a checkpoint that waits.
    pub awaited: Option<u64>,
}

/// A transaction.
struct Filling {
    number: TransactionNumber,
    /// Log, record, the time of a binding.
    to_send: VecDeque<(usize, Value, Option<u64>)>,
    sent: usize,
    unanswered: usize,
    through: u64,
    is_flushed: bool,
    is_asked: bool,
    is_answered: bool,
}

pub(crate) struct Slot {
    number: usize,
    generation: GenerationNumber,
    span: (u16, u16),
    pub channel: VecDeque<Message>,
    /// The time before which everything is complete, as it was read before the channel was.
    seen: u64,
    pending: Pending<Said>,
    chain: Chain,
    producers: [usize; 2],
    fillings: VecDeque<Filling>,
    on_the_way: OnTheWay,
    /// Through which time progress was sent, and is known to be stored.
    told: u64,
    pub visible: u64,
    /// Wrong on purpose: progress that waits for the next transaction.
    late: Option<u64>,
    has_committed: bool,
}

impl Slot {
    pub(crate) fn new(
        number: usize,
        of: usize,
        before: u64,
        generation: GenerationNumber,
        visible: &Visible,
        fenced: &BTreeMap<u32, usize>,
    ) -> Slot {
        // As workers own ranges: range × slots / 256.
        let bound = |slot: usize| (slot * 256).div_ceil(of) as u16;
        let span = (bound(number), bound(number + 1));
        let through = (span.0..span.1).map(|range| visible.of(range)).min().unwrap_or_default();
        let id = |producer: usize| fenced.get(&((2 * number + producer) as u32)).copied().unwrap_or_default();
        Slot {
            number,
            generation,
            span,
            channel: VecDeque::new(),
            seen: before,
            pending: Pending::new(through),
            chain: Chain::default(),
            producers: [id(0), id(1)],
            fillings: VecDeque::new(),
            on_the_way: OnTheWay::default(),
            told: through,
            visible: through,
            late: None,
            has_committed: false,
        }
    }

    pub(crate) fn step(&mut self, around: &mut Around<'_>, wire: &mut Wire, env: &mut Env) {
        self.has_committed = false;
        match env.rng.below(8) {
            0 if env.has(Mutation::ReadsFrontierLate) => self.take(around, env),
            0 => self.seen = around.complete,
            1 | 2 if env.lane == Lane::AtLeastOnce => self.send_parcel(around, wire, env),
            1 | 2 => self.fill(around, env),
            3 => self.tell_progress(around, wire, env),
            4 | 5 => self.commit(wire, env),
            _ => self.send(wire, env),
        }
    }

    /// Takes what was handed over.
    fn take(&mut self, around: &mut Around<'_>, env: &mut Env) {
        for message in self.channel.drain(..) {
            match message {
                Message::Binding(binding) => self.pending.bind(binding),
                Message::Said(said) => {
                    let visible = around.visible.of(range(said.key));
                    if !self.pending.hold(said.time, visible, said) {
                        env.count(Case::NotSaidAgain);
                    }
                }
            }
        }
    }

    /// What may be published now.
    fn parcel(&mut self, around: &mut Around<'_>, env: &mut Env) -> Parcel<Said> {
        if env.has(Mutation::ReadsFrontierLate) {
            self.seen = around.complete;
        } else {
            self.take(around, env);
        }
        let mut before = self.seen;
        if let Some(durable) = around.durable {
            let is_wanted = |time: u64| time < self.seen && time >= durable.before();
            if self.pending.first().into_iter().chain(around.awaited).any(is_wanted)
                && let Some(claim) = durable.claim(self.seen)
            {
                env.count(Case::Claimed);
                around.unsent.push_back(claim);
            }
            before = before.min(durable.before());
        }
        let most = if env.is_calm { 100 } else { 1 + env.rng.below(4) };
        let mut parcel = self.pending.next(before, most);
        if env.has(Mutation::ProgressGoesBack) && parcel.outputs.is_empty() {
            parcel.through = before.saturating_sub(1);
        }
        parcel
    }

    /// Whether a checkpoint waits for progress that nobody has sent.
    fn is_awaited(&self, around: &Around<'_>, through: u64) -> bool {
        around.awaited.is_some_and(|time| self.told < time && through >= time)
    }

    fn progress(&self, through: u64, env: &Env) -> Value {
        let progress = Progress {
            generation: self.generation,
            slot: self.number as u16,
            from: self.span.0,
            to: self.span.1,
            visible: through,
        };
        let key = if env.has(Mutation::KeyedBySlot) { self.number.to_string() } else { progress.key() };
        Value::Bytes(key, progress.to_bytes())
    }

    /// Begins the next transaction.
    fn fill(&mut self, around: &mut Around<'_>, env: &mut Env) {
        let Some(number) = self.chain.next() else { return };
        let Parcel { bindings, outputs, through } = self.parcel(around, env);
        if bindings.is_empty() && outputs.is_empty() {
            if self.late.is_none() && !self.is_awaited(around, through) {
                return;
            }
            env.count(Case::SilentProgress);
        }
        let mut to_send = VecDeque::new();
        if let Some(late) = self.late.take() {
            to_send.push_back((PROGRESS, self.progress(late, env), None));
        }
        for binding in bindings {
            let time = binding.time;
            let value = Value::Bytes(String::new(), BindingRecord::Binding(binding).to_bytes());
            to_send.push_back((BINDINGS, value, Some(time)));
        }
        to_send.extend(outputs.into_iter().map(|(_, said)| (output(&said), Value::Said(said), None)));
        if env.has(Mutation::ProgressApart) {
            self.late = Some(through);
        } else {
            to_send.push_back((PROGRESS, self.progress(through, env), None));
        }
        env.say(|| format!("slot {} begins {number:?} through {through}: {to_send:?}", self.number));
        self.told = self.told.max(through);
        self.chain.begin(number);
        self.fillings.push_back(Filling {
            number,
            to_send,
            sent: 0,
            unanswered: 0,
            through,
            is_flushed: false,
            is_asked: false,
            is_answered: false,
        });
    }

    /// Without transactions: all is sent at once, to each partition in order.
    fn send_parcel(&mut self, around: &mut Around<'_>, wire: &mut Wire, env: &mut Env) {
        let Parcel { outputs, through, .. } = self.parcel(around, env);
        if outputs.is_empty() && !self.is_awaited(around, through) {
            return;
        }
        if outputs.is_empty() {
            env.count(Case::SilentProgress);
        }
        self.told = self.told.max(through);
        let number = self.on_the_way.push(outputs.len(), through);
        for (_, said) in outputs {
            let log = output(&said);
            let request = Request::Send { log, value: Value::Said(said) };
            let connection = around.plain.outputs[log - OUTPUTS.start];
            wire.ask(env, connection, request, Token::Record { slot: self.number, number, binding: None });
        }
    }

    fn tell_progress(&mut self, around: &mut Around<'_>, wire: &mut Wire, env: &mut Env) {
        if let Some(through) = self.on_the_way.take_whole() {
            let request = Request::Send { log: PROGRESS, value: self.progress(through, env) };
            wire.ask(env, around.plain.progress, request, Token::Progress { slot: self.number, through });
        }
    }

    /// Sends the next record of the transaction that is filled.
    fn send(&mut self, wire: &mut Wire, env: &mut Env) {
        let Some(filling) = self.fillings.back_mut() else { return };
        let Some((log, value, binding)) = filling.to_send.pop_front() else { return };
        filling.sent += 1;
        filling.unanswered += 1;
        let token = Token::Record { slot: self.number, number: filling.number.0, binding };
        wire.ask(env, self.producers[filling.number.producer()], Request::Send { log, value }, token);
    }

    /// Asks for the commit of a transaction whose turn it is.
    fn commit(&mut self, wire: &mut Wire, env: &mut Env) {
        for filling in &mut self.fillings {
            if filling.to_send.is_empty() && filling.unanswered == 0 && !filling.is_flushed {
                self.chain.flushed(filling.number);
                filling.is_flushed = true;
            }
            let may = self.chain.may_commit(filling.number) || env.has(Mutation::CommitsOutOfOrder);
            if filling.is_flushed && !filling.is_asked && may {
                filling.is_asked = true;
                let token = Token::Commit { slot: self.number, number: filling.number };
                wire.ask(env, self.producers[filling.number.producer()], Request::Commit, token);
            }
        }
    }

    /// A record of a transaction or a parcel is acknowledged.
    pub(crate) fn acknowledged(&mut self, number: u64) {
        match self.fillings.iter_mut().find(|filling| filling.number.0 == number) {
            Some(filling) => filling.unanswered -= 1,
            None => self.on_the_way.acknowledged(number),
        }
    }

    /// A commit is answered.
    pub(crate) fn committed(&mut self, number: TransactionNumber, env: &mut Env) {
        if let Some(filling) = self.fillings.iter_mut().find(|filling| filling.number == number) {
            filling.is_answered = true;
        }
        while let Some(filling) = self.fillings.pop_front_if(|filling| filling.is_answered) {
            env.say(|| format!("slot {} has committed {:?}", self.number, filling.number));
            self.chain.committed(filling.number);
            if self.late.is_none() {
                self.visible = self.visible.max(filling.through);
            }
            self.has_committed = true;
        }
    }

    pub(crate) fn points(&self, wire: &Wire, lane: Lane) -> BTreeSet<Point> {
        let mut points = BTreeSet::new();
        if self.has_committed {
            points.insert(Point::Committed);
        }
        if self.channel.iter().any(|message| matches!(message, Message::Binding(_))) {
            points.insert(Point::BindingUnsent);
        }
        if lane != Lane::AtLeastOnce
            && self.chain.next().is_some()
            && !(self.pending.is_empty() && self.channel.is_empty())
        {
            points.insert(Point::Idle);
        }
        let is_applied = |filling: &Filling| {
            let queue = &wire.connections[self.producers[filling.number.producer()]].queue;
            queue.iter().any(|asked| asked.reply.is_some() && matches!(asked.token, Token::Commit { .. }))
        };
        for filling in &self.fillings {
            points.insert(match (filling.sent, filling.to_send.len(), filling.unanswered) {
                _ if filling.is_asked && is_applied(filling) => Point::CommitApplied,
                _ if filling.is_asked => Point::CommitSent,
                (0, ..) => Point::Begun,
                (_, 0, 0) => Point::Flushed,
                (_, 0, _) => Point::ProgressSent,
                (_, 1, _) => Point::BeforeProgress,
                _ => Point::Sending,
            });
            if filling.sent > 0 && !filling.is_asked && lane == Lane::ExactlyOnce {
                points.insert(Point::BindingAcknowledged);
            }
        }
        if self.fillings.len() == 2 {
            points.insert(Point::BothProducers);
        }
        points
    }
}

/// The log of an output: those of a key are in one.
fn output(said: &Said) -> usize {
    OUTPUTS.start + said.key as usize % OUTPUTS.len()
}
