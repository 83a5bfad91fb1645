//! Checking the policy: what is said over the customer, who consents to what, what receipts do.
//!
//! What the policy reads of records becomes features of the kind of entity that is implied; see
//! [`super::implied`].

use super::implied::Implied;
use super::moments::channel_named;
use super::problem::{Problem, Problems};
use super::raw::{self, Text};
use super::scope::{Ground, Lookup, View, ViewScope, compile};
use super::{contact, mood};
use crate::expr::{Expected, Expr};
use crate::plan::{Arbitration, Channel, DataConsent, DataKinds, Feature, Policy};
use propice_model::time::DAY_MS;
use propice_model::{InputId, KindId};

/// What the policy is checked against.
pub(super) struct Desk<'a> {
    pub ground: &'a Ground<'a>,
    pub views: &'a [View],
    pub channels: &'a [Channel],
    pub raw: &'a raw::Pack,
}

/// What is understood of a policy.
#[derive(Default)]
pub(super) struct PolicyDone {
    pub policy: Policy,
    /// The features of the kind that it implies.
    pub implied: Vec<Option<Feature>>,
    /// Fields that are about mood.
    pub mood_fields: Vec<(InputId, u16)>,
}

/// The policy of a pack.
pub(super) fn policy(desk: &Desk<'_>, requests: &mut Vec<Lookup>, problems: &mut Problems) -> PolicyDone {
    let raw = &desk.raw.policy;
    let mut customer = Customer { desk, requests, problems };
    let mut policy = Policy {
        refusal: customer.over(raw.refusal.as_ref(), &Expected::Condition),
        zone: customer.over(raw.zone.as_ref(), &Expected::Text),
        region: customer.over(raw.region.as_ref(), &Expected::Text),
        locale: customer.over(raw.locale.as_ref(), &Expected::Text),
        data: customer.data(),
        ..Policy::default()
    };
    for (purpose, condition) in &raw.purposes {
        policy.purposes[purpose.index()] = customer.over(Some(condition), &Expected::Condition);
    }
    let mut implied = Implied::new(desk.ground);
    if let Some(raw) = &raw.mood {
        policy.mood = mood::mood(&mut customer, raw, &mut implied);
    }
    if let Some(raw) = &raw.receipts {
        policy.keep_ms = raw.keep.as_ref().map_or(400 * DAY_MS, |keep| keep.value);
        policy.receipts = implied.receipts(raw, policy.keep_ms, customer.problems);
    } else {
        policy.keep_ms = 400 * DAY_MS;
    }
    policy.holidays = raw.holidays.as_ref().and_then(|raw| contact::holidays(desk.ground, raw, problems));
    policy.quiet = raw.quiet.iter().map(|raw| contact::quiet(raw, desk.channels, problems)).collect();
    policy.pressure = raw.pressure.iter().map(|raw| contact::budget(raw, desk.channels, problems)).collect();
    if let Some(raw) = &raw.arbitration {
        policy.arbitration = Arbitration { window_ms: raw.window_ms, except: raw.except.clone() };
    }
    policy.rest = raw.rest.iter().map(|spot| spot.value.clone()).collect();
    policy.snooze_ms = raw.snooze.as_ref().map_or(7 * DAY_MS, |spot| spot.value);
    policy.rating = raw.rating.iter().map(|(kind, number)| (kind.value, *number)).collect();
    policy.human = raw.human.as_ref().and_then(|text| channel_named(text, desk.channels, problems));
    if !implied.features.is_empty() {
        policy.kind = Some(KindId(desk.ground.kinds.len() as u16));
    }
    PolicyDone { policy, implied: implied.features, mood_fields: implied.mood_fields }
}

/// Expressions over the customer.
pub(super) struct Customer<'a> {
    pub desk: &'a Desk<'a>,
    pub requests: &'a mut Vec<Lookup>,
    pub problems: &'a mut Problems,
}

impl Customer<'_> {
    /// An expression over the customer, without `now`: what depends on it is an attribute.
    pub(super) fn over(&mut self, text: Option<&Text>, expected: &Expected) -> Option<Expr> {
        let mut scope = ViewScope::of(self.desk.ground, self.desk.views, KindId::CUSTOMER, false);
        let expr = compile(self.desk.ground, text?, &mut scope, expected, self.problems);
        self.requests.append(&mut scope.requests);
        expr
    }

    /// The kinds of data that need consent, in the order of their names. One that could not be
    /// understood is left out, and reported.
    fn data(&mut self) -> Vec<DataConsent> {
        let mut raw: Vec<&super::raw_policy::Data> = self.desk.raw.policy.data.iter().collect();
        raw.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        let limit = DataKinds::BITS as usize;
        if let Some(data) = raw.get(limit) {
            self.problems.add(Problem::TooMany { what: "kinds of data", limit }, &data.name.span);
            raw.truncate(limit);
        }
        let one = |data: &super::raw_policy::Data| {
            let allowed = self.over(data.allowed.as_ref(), &Expected::Condition)?;
            Some(DataConsent { name: data.name.value.clone(), allowed })
        };
        raw.into_iter().filter_map(one).collect()
    }
}
