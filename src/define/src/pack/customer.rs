//! What the policy of a pack is checked against, and its expressions over the customer.

use super::problem::Problems;
use super::raw;
use super::scope::{Ground, KindView, Lookup, ViewScope, compile};
use super::spot::Text;
use crate::expr::{Expected, Expr};
use crate::plan::Channel;
use propice_model::KindId;

/// What the policy is checked against.
pub(super) struct PolicyGround<'a> {
    pub ground: &'a Ground<'a>,
    pub views: &'a [KindView],
    pub channels: &'a [Channel],
    pub raw: &'a raw::Pack,
}

/// Expressions over the customer.
pub(super) struct CustomerScope<'a> {
    pub against: &'a PolicyGround<'a>,
    pub requests: &'a mut Vec<Lookup>,
    pub problems: &'a mut Problems,
}

impl CustomerScope<'_> {
    /// An expression over the customer, without `now`: what depends on it is an attribute.
    pub(super) fn over(&mut self, text: Option<&Text>, expected: &Expected) -> Option<Expr> {
        let mut scope = ViewScope::of(self.against.ground, self.against.views, KindId::CUSTOMER, false);
        let expr = compile(self.against.ground, text?, &mut scope, expected, self.problems);
        self.requests.append(&mut scope.requests);
        expr
    }
}
