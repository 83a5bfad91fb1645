//! What comes to the operator of customers, and waits there until its logical time is complete.
//!
//! ```text
//! facts, or the changes that live ones make ──by customer──┐
//! parts (entities) ──────────────────────────by customer──┼──▶ inboxes ──complete──▶ ready
//! holidays ──────────────────────────────────everywhere───┘
//! ```
//!
//! Facts come by themselves where each is about one customer: then nothing stands between the input
//! and the customers, and the rows of tables are kept here ([`customer_routing`]). Otherwise
//! [`super::table_operator`] stands in between.

use std::sync::Arc;

use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::shard::{of_row, shard};
use crate::state::StateHandle;
use crate::{Updates, ViewPart};
use propice_define::Plan;
use propice_define::plan::FeatureSource;
use propice_model::{EntityChange, Fact, InputId, LogicalTime, Value};

use super::capabilities::CapabilityHolder;
use super::complete::CompleteBatch;
use super::stash::Stash;
use super::table_rows::Rows;

/// What customers are given.
pub(super) struct Inputs<'scope> {
    /// What is said of them.
    pub changes: CustomerChanges<'scope>,
    /// The entities of customers, as differences; none without entities.
    pub parts: Option<Updates<'scope, ViewPart>>,
    /// The facts of the table of holidays, on every worker; none without holidays.
    pub holidays: Option<Updates<'scope, Fact>>,
}

/// What is said of customers.
pub(super) enum CustomerChanges<'scope> {
    /// Facts, each about one customer.
    Facts(Updates<'scope, Fact>, CustomerRouting),
    /// What live records change of customers.
    Changes(Updates<'scope, EntityChange>),
}

/// Of each input the field of its primary key that names the customer; none for streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CustomerRouting(Vec<Option<usize>>);

/// Where facts belong when each is about one customer, whom the primary key of a table names too:
/// then the rows of a key are all on the worker of their customer. `None` when some fact may be
/// about several entities.
pub(crate) fn customer_routing(plan: &Plan) -> Option<CustomerRouting> {
    let [customer] = plan.entities.as_slice() else { return None };
    let mut home = vec![None; plan.inputs.len()];
    for (position, input) in plan.inputs.iter().enumerate() {
        let fed = customer.features.iter().filter_map(|feature| match feature.source {
            FeatureSource::Records { input, key } if input.index() == position => Some(key),
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
    Some(CustomerRouting(home))
}

impl CustomerRouting {
    /// The shard of a fact; of one that is about nobody, `here`.
    fn shard(&self, fact: &Fact, here: u64) -> u64 {
        if !fact.key.is_empty() {
            return self.shard_of_row(fact.input, &fact.key);
        }
        fact.changes.first().map_or(here, |change| shard(&change.id))
    }

    /// The shard of a row: that of the customer whom its key names. Rows of nobody change nothing,
    /// but of each key there is one.
    pub(crate) fn shard_of_row(&self, input: InputId, key: &[Value]) -> u64 {
        match self.0[input.index()].and_then(|position| key.get(position)) {
            Some(Value::Id(customer)) => shard(customer),
            _ => of_row(input, key),
        }
    }
}

/// The inputs of the operator.
pub(super) struct InputPorts {
    facts: Port<Fact>,
    changes: Port<EntityChange>,
    parts: Port<ViewPart>,
    holidays: Port<Fact>,
    rows: Rows,
    /// Facts that are complete; kept for its allocation.
    complete: Vec<(Fact, LogicalTime, isize)>,
}

impl InputPorts {
    /// Adds them to an operator.
    pub(super) fn new<'scope>(
        builder: &mut OperatorBuilder<'scope, LogicalTime>,
        inputs: Inputs<'scope>,
        (plan, state): (&Arc<Plan>, Option<&StateHandle>),
    ) -> InputPorts {
        let (mut facts, mut changes) = (Port::none(), Port::none());
        let mut rows = Rows::default();
        match inputs.changes {
            CustomerChanges::Facts(stream, home) => {
                let here = stream.scope().index() as u64;
                let by_customer = Exchange::new(move |(fact, _, _): &(Fact, _, _)| home.shard(fact, here));
                facts = Port::new(builder, stream, by_customer);
                rows = Rows::new(plan, state);
                if let Some((state, at)) = state.and_then(|state| Some((state, state.restored_at()?))) {
                    let mut said = Vec::new();
                    rows.restore(state.take_rows(), |change| said.push((change, at, 1)));
                    changes.stash.extend(&mut said);
                }
            }
            CustomerChanges::Changes(stream) => {
                let by_id = Exchange::new(|(change, _, _): &(EntityChange, _, _)| shard(&change.id));
                changes = Port::new(builder, stream, by_id);
            }
        }
        let by_customer = Exchange::new(|(part, _, _): &(ViewPart, _, _)| shard(&part.customer));
        let parts = inputs.parts.map_or_else(Port::none, |stream| Port::new(builder, stream, by_customer));
        let holidays = inputs.holidays.map_or_else(Port::none, |stream| Port::new(builder, stream, Pipeline));
        InputPorts { facts, changes, parts, holidays, rows, complete: Vec::new() }
    }

    /// Takes what has come.
    pub(super) fn receive(&mut self, holder: &mut CapabilityHolder) {
        self.facts.receive(holder);
        self.changes.receive(holder);
        self.parts.receive(holder);
        self.holidays.receive(holder);
    }

    /// Moves everything before a time into `ready`, which is empty.
    pub(super) fn drain_before(&mut self, before: LogicalTime, ready: &mut CompleteBatch) {
        self.changes.stash.drain_before(before, &mut ready.changes);
        self.facts.stash.drain_before(before, &mut self.complete);
        for (fact, time, diff) in self.complete.drain(..) {
            self.rows.answer(time);
            self.rows.pass(time);
            if fact.key.is_empty() {
                ready.changes.extend(fact.changes.into_iter().map(|change| (change, time, diff)));
            } else {
                self.rows.upsert(fact, |change, diff| ready.changes.push((change, time, diff)));
            }
        }
        self.rows.answer(before);
        self.parts.stash.drain_before(before, &mut ready.parts);
        self.holidays.stash.drain_before(before, &mut ready.holidays);
    }

    /// Nothing waits: a cut before a time is answered.
    pub(super) fn answer(&mut self, next: LogicalTime) {
        self.rows.answer(next);
    }

    /// The least time that waits.
    pub(super) fn next(&self) -> Option<LogicalTime> {
        let InputPorts { facts, changes, parts, holidays, .. } = self;
        let waiting = [facts.stash.next(), changes.stash.next(), parts.stash.next(), holidays.stash.next()];
        waiting.into_iter().flatten().min()
    }
}

type Receive<D> = Box<dyn FnMut(&mut CapabilityHolder, &mut Stash<D>)>;

/// An input, and what waits of it. Without a stream nothing ever does.
struct Port<D> {
    receive: Option<Receive<D>>,
    stash: Stash<D>,
}

impl<D: Clone + 'static> Port<D> {
    fn none() -> Port<D> {
        Port { receive: None, stash: Stash::default() }
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
        let receive = move |holder: &mut CapabilityHolder, stash: &mut Stash<D>| {
            input.for_each(|received, updates| {
                holder.hold(&received);
                stash.extend(updates);
            });
        };
        Port { receive: Some(Box::new(receive)), stash: Stash::default() }
    }

    fn receive(&mut self, holder: &mut CapabilityHolder) {
        if let Some(receive) = &mut self.receive {
            receive(holder, &mut self.stash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_of(inputs: &str, features: &str) -> Option<CustomerRouting> {
        let text = format!("[pack]\nname = \"p\"\n{inputs}\n[customer.feature]\n{features}");
        customer_routing(&propice_define::load("p.toml", &text).expect("a pack"))
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
        assert_eq!(home_of(STREAM, count), Some(CustomerRouting(vec![None])));
        assert_eq!(home_of(&table("[\"n\", \"c\"]"), count), Some(CustomerRouting(vec![None, Some(1)])));
        // The same row may be another customer's later.
        assert_eq!(home_of(&table("[\"n\"]"), count), None);
    }

    #[test]
    fn facts_about_two_customers_have_no_home() {
        assert_eq!(home_of(STREAM, "n = { from = \"s\", count = true, by = \"other\" }"), None);
    }
}
