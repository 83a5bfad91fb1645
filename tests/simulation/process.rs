//! A process: what it sends and gets, and whether it lives.

use std::collections::{BTreeSet, VecDeque};

use propice_live::protocol::chain::TransactionNumber;

use crate::broker::{Reply, Request, Value};
use crate::coverage::{Case, Point};
use crate::running::Running;
use crate::starting::Starting;
use crate::store::{Action, Outcome};
use crate::world::{Env, Lane};

/// Why a process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the status for "try again".
    Again(String),
    /// It cannot go on, and says why.
    Refused(String),
}

/// What a request was for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Fence,
    Mark,
    /// A binding that travels by itself.
    Binding(u64),
    /// A record of a transaction, or of a parcel; with the time of a binding.
    Record {
        slot: usize,
        number: u64,
        binding: Option<u64>,
    },
    Commit {
        slot: usize,
        number: TransactionNumber,
    },
    Progress {
        slot: usize,
        through: u64,
    },
}

#[derive(Debug)]
pub(crate) struct Asked {
    pub serial: u64,
    pub request: Request,
    pub token: Token,
    /// Set once the broker has done it.
    pub reply: Option<Reply>,
}

/// A connection: what is asked for is done in order, and answered in order.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// The transactional id and its epoch.
    pub id: Option<u32>,
    pub epoch: u32,
    pub queue: VecDeque<Asked>,
}

impl Connection {
    /// Requests that the broker has lost are to be done again, in their order.
    pub(crate) fn lost(&mut self, lost: &BTreeSet<u64>) {
        for asked in self.queue.iter_mut().filter(|asked| lost.contains(&asked.serial)) {
            asked.reply = None;
        }
    }

    /// The broker does the next request. Returns whether it did.
    pub(crate) fn apply(&mut self, env: &mut Env) -> bool {
        let Some(asked) = self.queue.iter_mut().find(|asked| asked.reply.is_none()) else { return false };
        let reply = match (self.id, &asked.request) {
            (Some(id), request) => env.broker.transact(id, self.epoch, request, env.now),
            (None, Request::Send { log, value }) => {
                if let (Token::Binding(_), Value::Bytes(..)) = (&asked.token, value) {
                    env.note_binding(value);
                }
                Some(Reply::Offset(env.broker.append(*log, value.clone(), asked.serial)))
            }
            _ => unreachable!("only sends go without a transaction"),
        };
        if reply.is_none() && asked.token == Token::Fence {
            env.count(Case::WaitedForMarkers);
        }
        asked.reply = reply;
        reply.is_some()
    }
}

#[derive(Debug)]
pub(crate) struct StoreRequest {
    pub action: Action,
    pub is_applied: bool,
    pub outcome: Option<Outcome>,
}

pub(crate) enum Life {
    Starting(Box<Starting>),
    Running(Box<Running>),
}

pub(crate) struct Process {
    pub number: usize,
    /// How far its clock is from the right time.
    pub skew: i64,
    pub is_paused: bool,
    pub wire: Wire,
    pub life: Life,
}

/// What a process sends to the broker and to the store.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    pub connections: Vec<Connection>,
    pub store: Vec<StoreRequest>,
}

impl Wire {
    /// The number of a new connection.
    pub(crate) fn open(&mut self, id: Option<u32>) -> usize {
        self.connections.push(Connection { id, ..Connection::default() });
        self.connections.len() - 1
    }

    pub(crate) fn ask(&mut self, env: &mut Env, connection: usize, request: Request, token: Token) {
        env.serial += 1;
        let asked = Asked { serial: env.serial, request, token, reply: None };
        self.connections[connection].queue.push_back(asked);
    }

    pub(crate) fn store(&mut self, action: Action) {
        self.store.push(StoreRequest { action, is_applied: false, outcome: None });
    }

    /// Whether the store has answered everything.
    pub(crate) fn store_outcome(&mut self) -> Option<Outcome> {
        let at = self.store.iter().position(|request| request.outcome.is_some())?;
        self.store.remove(at).outcome
    }

    /// The store does one of the requests.
    pub(crate) fn apply_store(&mut self, env: &mut Env) {
        let open: Vec<usize> = (0..self.store.len()).filter(|at| self.store[*at].outcome.is_none()).collect();
        if open.is_empty() {
            return;
        }
        let pick = env.rng.below(open.len());
        if pick > 0 {
            env.count(Case::StoreReorders);
        }
        let request = &mut self.store[open[pick]];
        if request.is_applied {
            // The answer comes, or does not.
            request.outcome = Some(if env.faults() && env.rng.in_thousand(60) {
                env.count(Case::StoreFailsAfter);
                Outcome::Failed
            } else {
                request.outcome_of()
            });
        } else if env.faults() && env.rng.in_thousand(60) {
            env.count(Case::StoreFailsBefore);
            request.outcome = Some(Outcome::Failed);
        } else {
            request.is_applied = true;
            let outcome = env.store.apply(&request.action);
            if outcome == Outcome::Exists {
                request.outcome = Some(outcome);
            }
            if matches!(request.action, Action::Delete(crate::store::Name::Part(..))) {
                env.count(Case::Collected);
            }
        }
    }

    /// Requests that the broker has lost are to be done again.
    pub(crate) fn lost(&mut self, lost: &BTreeSet<u64>) {
        self.connections.iter_mut().for_each(|connection| connection.lost(lost));
    }
}

impl StoreRequest {
    fn outcome_of(&self) -> Outcome {
        Outcome::Fine
    }
}

impl Process {
    pub(crate) fn new(number: usize, workers: usize, skew: i64, env: &mut Env) -> Process {
        let starting = Starting::new(workers, env);
        let wire = Wire::default();
        Process { number, skew, is_paused: false, wire, life: Life::Starting(Box::new(starting)) }
    }

    /// What its clock says.
    pub(crate) fn clock(&self, env: &Env) -> u64 {
        env.now.saturating_add_signed(self.skew)
    }

    /// Does something small.
    pub(crate) fn step(&mut self, env: &mut Env) -> Result<(), End> {
        let clock = self.clock(env);
        let next = match &mut self.life {
            Life::Starting(starting) => starting.step(&mut self.wire, env)?,
            Life::Running(running) => {
                running.step(&mut self.wire, clock, env)?;
                None
            }
        };
        if let Some(running) = next {
            self.life = Life::Running(running);
        }
        Ok(())
    }

    /// Gets the next answer on a connection.
    pub(crate) fn answer(&mut self, connection: usize, env: &mut Env) -> Result<(), End> {
        let queue = &mut self.wire.connections[connection].queue;
        let Some(asked) = queue.pop_front_if(|asked| asked.reply.is_some()) else { return Ok(()) };
        let Some(reply) = asked.reply else { return Ok(()) };
        if reply == Reply::Fenced {
            let is_commit = matches!(asked.token, Token::Commit { .. });
            let case = if is_commit { Case::FencedCommit } else { Case::FencedSend };
            env.count(case);
            return Err(End::Again("fenced".to_owned()));
        }
        if let (Request::Send { log, .. }, Reply::Offset(offset)) = (&asked.request, reply) {
            env.broker.logs[*log].entries[offset as usize].unanswered = None;
        }
        match &mut self.life {
            Life::Starting(starting) => starting.answer(&mut self.wire, connection, &asked.token, reply),
            Life::Running(running) => running.answer(&asked, reply, env),
        }
        Ok(())
    }

    /// The named points at which it is.
    pub(crate) fn points(&self, lane: Lane) -> BTreeSet<Point> {
        match &self.life {
            Life::Starting(starting) => starting.points(),
            Life::Running(running) => running.points(&self.wire, lane),
        }
    }
}
