//! The scenarios that customers go through: the truth.

use super::line::DayTime;

/// What can happen to somebody; named as the moments of the pack that should notice it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScenarioKind {
    OverdraftAhead,
    IncidentFees,
    SubscriptionRose,
    BillOutOfLine,
    DuplicateCharge,
    SalaryMissing,
    LoanStalled,
    SameQuestion,
    CardLimitAbroad,
    FraudBlock,
    Complaint,
    SilentComplaint,
    Bereavement,
    Fragility,
    GoalReached,
    ProjectSlipping,
    FixedRateEnding,
    NewHome,
}

/// A scenario of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) kind: ScenarioKind,
    /// The day from which its scenes are counted.
    pub(super) start: i64,
    /// One of two courses that it can take.
    pub(super) turn: bool,
    /// A day on which it is resolved, where that is drawn.
    pub(super) resolved: i64,
}

impl Scenario {
    /// The days on which scenes are played begin so long before `start`.
    pub(super) const LEAD: i64 = 10;

    /// The moments that should notice it, from when until when.
    pub(super) fn truth(&self) -> Vec<(&'static str, DayTime, DayTime)> {
        let at = |day, hour| DayTime::new(self.start + day, hour, 0);
        let on = |day, hour| DayTime::new(day, hour, 0);
        let resolved = self.resolved;
        let one = |name, from, until| vec![(name, from, until)];
        match self.kind {
            ScenarioKind::OverdraftAhead => one("overdraft_ahead", at(1, 5), on(resolved, 14)),
            ScenarioKind::IncidentFees => one("incident_fees", at(4, 9), if self.turn { at(9, 15) } else { at(19, 5) }),
            ScenarioKind::SubscriptionRose => {
                one("subscription_rose", at(0, 5), if self.turn { at(12, 10) } else { on(resolved, 5) })
            }
            ScenarioKind::BillOutOfLine => one("bill_out_of_line", at(0, 5), on(resolved, 5)),
            ScenarioKind::DuplicateCharge => one("duplicate_charge", at(0, 12).plus(360), at(2, 9)),
            ScenarioKind::SalaryMissing => one("salary_missing", at(0, 6), on(resolved, 6)),
            ScenarioKind::LoanStalled => one("loan_stalled", at(1, 9), at(5, 15)),
            ScenarioKind::SameQuestion => one("same_question", at(1, 15), at(3, 10)),
            ScenarioKind::CardLimitAbroad => {
                one("card_limit_abroad", at(1, 18), if self.turn { at(3, 9) } else { at(9, 20) })
            }
            ScenarioKind::FraudBlock => one("fraud_block_pending", at(0, 10), at(3, 8)),
            ScenarioKind::Complaint => one("complaint_open", at(0, 9), at(12, 11)),
            ScenarioKind::SilentComplaint => {
                vec![("complaint_open", at(0, 9), at(16, 11)), ("case_gone_silent", at(10, 9), at(13, 10))]
            }
            ScenarioKind::Bereavement => one("bereavement", if self.turn { at(0, 9) } else { at(3, 9) }, at(25, 10)),
            ScenarioKind::Fragility => one("financial_fragility", at(15, 6), at(91, 0)),
            ScenarioKind::GoalReached => one("goal_reached", at(0, 12), at(5, 17)),
            ScenarioKind::ProjectSlipping => one("project_slipping", at(0, 0), at(20, 10)),
            ScenarioKind::FixedRateEnding => one("fixed_rate_ending", at(0, 0), at(10, 14)),
            ScenarioKind::NewHome => one("new_home", at(9, 9), at(30, 9)),
        }
    }
}
