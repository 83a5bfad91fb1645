//! What comes to the operator of customers, and waits there until its logical time is complete.
//!
//! ```text
//! facts, or the changes that live ones make ──by customer──┐
//! parts (entities) ──────────────────────────by customer──┼──▶ inboxes ──complete──▶ ready
//! holidays ──────────────────────────────────everywhere───┘
//! ```
//!
//! Facts come by themselves where each is about one customer: then nothing stands between the input and the customers, and the rows of
//! tables are kept here ([`home`]). Otherwise [`super::tables`] stands in between.

use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::shard::shard;
use crate::{Updates, ViewPart};
use propice_define::Plan;
use propice_define::plan::Source;
use propice_model::{EntityChange, Fact, LogicalTime, Value};

use super::held::Held;
use super::inbox::Inbox;
use super::ready::Ready;
use super::rows::Rows;

/// What customers are given.
pub(super) struct Given<'scope> {
    /// What is said of them.
    pub said: Said<'scope>,
    /// The entities of customers, as differences; none without entities.
    pub parts: Option<Updates<'scope, ViewPart>>,
    /// The facts of the table of holidays, on every worker; none without holidays.
    pub holidays: Option<Updates<'scope, Fact>>,
}

/// What is said of customers.
pub(super) enum Said<'scope> {
    /// Facts, each about one customer.
    Facts(Updates<'scope, Fact>, Home),
    /// What live records change of customers.
    Changes(Updates<'scope, EntityChange>),
}

/// Of each input the field of its primary key that names the customer; none for streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home(Vec<Option<usize>>);

/// Where facts belong when each is about one customer, whom the primary key of a table names too: then the rows of a key are all on the
/// worker of their customer. `None` when some fact may be about several entities.
pub(super) fn home(plan: &Plan) -> Option<Home> {
    let [customer] = plan.entities.as_slice() else { return None };
    let mut home = vec![None; plan.inputs.len()];
    for (position, input) in plan.inputs.iter().enumerate() {
        let fed = customer.features.iter().filter_map(|feature| match feature.source {
            Source::Records { input, key } if input.index() == position => Some(key),
            _ => None,
        });
        let mut names = input.about.map(|(field, _)| field).into_iter().chain(fed);
        let Some(name) = names.next() else { continue };
        if names.any(|other| other != name) {
            return None;
        }
        if let Some(table) = &input.table {
            home[position] = Some(table.key.iter().position(|field| *field == name)?);
        }
    }
    Some(Home(home))
}

impl Home {
    /// The shard of a fact; of one that is about nobody, `here`.
    fn shard(&self, fact: &Fact, here: u64) -> u64 {
        let of_key = self.0[fact.input.index()].and_then(|position| fact.key.get(position));
        match (of_key, fact.changes.first()) {
            (Some(Value::Id(customer)), _) => shard(customer),
            // Rows of nobody change nothing, but of each key there is one.
            (Some(_), _) => 0,
            (None, Some(change)) => shard(&change.id),
            (None, None) => here,
        }
    }
}

/// The inputs of the operator.
pub(super) struct Incoming {
    facts: Port<Fact>,
    changes: Port<EntityChange>,
    parts: Port<ViewPart>,
    holidays: Port<Fact>,
    rows: Rows,
    /// Facts that are complete; kept for its allocation.
    complete: Vec<(Fact, LogicalTime, isize)>,
}

impl Incoming {
    /// Adds them to an operator.
    pub(super) fn new<'scope>(builder: &mut OperatorBuilder<'scope, LogicalTime>, given: Given<'scope>) -> Incoming {
        let (mut facts, mut changes) = (Port::none(), Port::none());
        match given.said {
            Said::Facts(stream, home) => {
                let here = stream.scope().index() as u64;
                let by_customer = Exchange::new(move |(fact, _, _): &(Fact, _, _)| home.shard(fact, here));
                facts = Port::new(builder, stream, by_customer);
            }
            Said::Changes(stream) => {
                let by_id = Exchange::new(|(change, _, _): &(EntityChange, _, _)| shard(&change.id));
                changes = Port::new(builder, stream, by_id);
            }
        }
        let by_customer = Exchange::new(|(part, _, _): &(ViewPart, _, _)| shard(&part.customer));
        let parts = given.parts.map_or_else(Port::none, |stream| Port::new(builder, stream, by_customer));
        let holidays = given.holidays.map_or_else(Port::none, |stream| Port::new(builder, stream, Pipeline));
        Incoming { facts, changes, parts, holidays, rows: Rows::default(), complete: Vec::new() }
    }

    /// Takes what has come.
    pub(super) fn receive(&mut self, held: &mut Held) {
        self.facts.receive(held);
        self.changes.receive(held);
        self.parts.receive(held);
        self.holidays.receive(held);
    }

    /// Moves everything before a time into `ready`, which is empty.
    pub(super) fn drain_before(&mut self, before: LogicalTime, ready: &mut Ready) {
        self.changes.inbox.drain_before(before, &mut ready.changes);
        self.facts.inbox.drain_before(before, &mut self.complete);
        for (fact, time, diff) in self.complete.drain(..) {
            if fact.key.is_empty() {
                ready.changes.extend(fact.changes.into_iter().map(|change| (change, time, diff)));
            } else {
                self.rows.upsert(fact, |change, diff| ready.changes.push((change, time, diff)));
            }
        }
        self.parts.inbox.drain_before(before, &mut ready.parts);
        self.holidays.inbox.drain_before(before, &mut ready.holidays);
    }

    /// The least time that waits.
    pub(super) fn next(&self) -> Option<LogicalTime> {
        let Incoming { facts, changes, parts, holidays, .. } = self;
        let waiting = [facts.inbox.next(), changes.inbox.next(), parts.inbox.next(), holidays.inbox.next()];
        waiting.into_iter().flatten().min()
    }
}

type Take<D> = Box<dyn FnMut(&mut Held, &mut Inbox<D>)>;

/// An input, and what waits of it. Without a stream nothing ever does.
struct Port<D> {
    take: Option<Take<D>>,
    inbox: Inbox<D>,
}

impl<D: Clone + 'static> Port<D> {
    fn none() -> Port<D> {
        Port { take: None, inbox: Inbox::default() }
    }

    fn new<'scope, P>(
        builder: &mut OperatorBuilder<'scope, LogicalTime>,
        stream: Updates<'scope, D>,
        pact: P,
    ) -> Port<D>
    where
        P: ParallelizationContract<LogicalTime, Vec<(D, LogicalTime, isize)>>,
    {
        let mut input = builder.new_input(stream, pact);
        let take = move |held: &mut Held, inbox: &mut Inbox<D>| {
            input.for_each(|received, updates| {
                held.hold(&received);
                inbox.extend(updates);
            });
        };
        Port { take: Some(Box::new(take)), inbox: Inbox::default() }
    }

    fn receive(&mut self, held: &mut Held) {
        if let Some(take) = &mut self.take {
            take(held, &mut self.inbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_of(inputs: &str, features: &str) -> Option<Home> {
        let text = format!("[pack]\nname = \"p\"\n{inputs}\n[customer.feature]\n{features}");
        home(&propice_define::load("p.toml", &text).expect("a pack"))
    }

    const STREAM: &str = r#"
[stream.s]
about = "c"
time = "at"
fields = { c = "id(customer)", other = "id(customer)", at = "time" }
"#;

    fn table(key: &str) -> String {
        format!("{STREAM}[table.t]\nabout = \"c\"\nkey = {key}\nfields = {{ c = \"id(customer)\", n = \"int\" }}\n")
    }

    #[test]
    fn facts_about_one_customer_belong_there() {
        let count = "n = { from = \"s\", count = true }";
        assert_eq!(home_of(STREAM, count), Some(Home(vec![None])));
        assert_eq!(home_of(&table("[\"n\", \"c\"]"), count), Some(Home(vec![None, Some(1)])));
        // The same row may be another customer's later.
        assert_eq!(home_of(&table("[\"n\"]"), count), None);
    }

    #[test]
    fn facts_about_two_customers_have_no_home() {
        assert_eq!(home_of(STREAM, "n = { from = \"s\", count = true, by = \"other\" }"), None);
    }
}
