//! What a report calls things: the words of decisions in each language, and what is counted.

use propice_define::plan::{Gate, Purpose};

use super::figures::Totals;
use super::periods::Unit;
use super::stats::Says;
use super::words::{Noun, ReportWords};

pub(super) const CONTACTS: Noun = Noun::new(["contact", "contacts"], ["contact", "contacts"]);
pub(super) const CUSTOMERS: Noun = Noun::new(["customer", "customers"], ["client", "clients"]);
pub(super) const DECISIONS: Noun = Noun::new(["decision", "decisions"], ["décision", "décisions"]);
pub(super) const DEFERRALS: Noun = Noun::new(["deferral", "deferrals"], ["attente", "attentes"]);
pub(super) const EPISODES: Noun = Noun::new(["episode", "episodes"], ["épisode", "épisodes"]);
pub(super) const LINES: Noun = Noun::new(["line", "lines"], ["ligne", "lignes"]);
pub(super) const MOMENTS: Noun = Noun::new(["moment", "moments"], ["moment", "moments"]);
pub(super) const ROWS: Noun = Noun::new(["row", "rows"], ["ligne", "lignes"]);

impl ReportWords {
    /// A purpose, as decisions name it.
    pub(super) fn purpose(self, name: &'static str) -> &'static str {
        Purpose::named(name).map_or(name, |purpose| purpose.word(self.0))
    }

    /// A gate, as decisions name it.
    pub(super) fn gate(self, name: &'static str) -> &'static str {
        let gate = Gate::ALL.into_iter().find(|(known, _)| *known == name);
        gate.map_or(name, |(_, gate)| gate.word(self.0))
    }

    /// What became of episodes, in the order in which it is told.
    pub(super) fn ends(self, totals: &Totals) -> [(&'static str, u64); 6] {
        [
            (self.pick("released", "émis"), totals.released),
            (self.pick("handed to a human", "confiés à une personne"), totals.handed_to_human),
            (self.pick("withdrawn before release", "retirés avant d’être émis"), totals.withdrawn_before_release),
            (self.pick("expired", "expirés"), totals.expired),
            (self.pick("still deferred", "encore reportés"), totals.still_deferred),
            (self.pick("still suppressed", "encore retenus"), totals.still_suppressed),
        ]
    }

    /// A period of the timeline.
    pub(super) fn unit(self, unit: Unit) -> &'static str {
        match unit {
            Unit::Week => self.pick("week", "semaine"),
            Unit::Month => self.pick("month", "mois"),
            Unit::Year => self.pick("year", "année"),
        }
    }

    /// What a difference allows to say.
    pub(super) fn says(self, says: Says) -> &'static str {
        match says {
            Says::TooFewToTell => self.pick("too few to tell", "trop peu pour conclure"),
            Says::HelpsMore => self.pick("helps", "aide"),
            Says::HelpsLess => self.pick("does harm", "nuit"),
            Says::NoDifferenceShown => self.pick("no difference shown", "aucun écart démontré"),
        }
    }
}
