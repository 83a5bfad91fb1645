//! Checking the cases of a pack.

use super::features::input_named;
use super::instant::parse_instant;
use super::moments::moment_named;
use super::problem::{Problem, Problems};
use super::raw;
use super::scope::Ground;
use super::spot::Text;
use super::words::shortened;
use crate::plan::{ExpectedEpisode, Given, TestCase};
use propice_model::LogicalTime;

/// What the cases are checked against.
pub(super) struct Cases<'a> {
    pub ground: &'a Ground<'a>,
    pub moments: &'a [raw::Moment],
    /// The zone of the pack.
    pub zone: &'a str,
}

impl Cases<'_> {
    /// One case.
    pub(super) fn check(&self, raw: &raw::Test, problems: &mut Problems) -> Option<TestCase> {
        let given = self.given(raw.given.as_ref(), problems);
        let expect: Vec<ExpectedEpisode> = raw.expect.iter().filter_map(|raw| self.expected(raw, problems)).collect();
        let silent = self.moments_named(&raw.silent, problems);
        let unreleased = self.moments_named(&raw.unreleased, problems);
        let dead_letters = raw.dead_letters.clone();
        let until = raw.until.as_ref().and_then(|text| self.time(text, problems));
        let line = self.ground.text.get(..raw.span.start).map_or(1, |before| before.matches('\n').count() + 1);
        Some(TestCase { name: raw.name.clone(), line, given: given?, expect, silent, unreleased, dead_letters, until })
    }

    fn given(&self, raw: Option<&raw::Given>, problems: &mut Problems) -> Option<Given> {
        Some(match raw? {
            raw::Given::Path(path) => Given::Path(path.clone()),
            raw::Given::Records(records) => {
                for (input, _) in records {
                    input_named(self.ground, input, problems);
                }
                Given::Records(records.iter().map(|(_, json)| json.clone()).collect())
            }
        })
    }

    fn expected(&self, raw: &raw::Expected, problems: &mut Problems) -> Option<ExpectedEpisode> {
        let moment = self.moment(&raw.moment, problems);
        let at = self.time(&raw.at, problems);
        let moment_name = || raw.moment.value.clone();
        match (moment.and_then(|moment| moment.about.as_ref()), &raw.entity) {
            (Some(about), None) if about.value != "customer" => {
                let entity = format!("one `{}`", about.value);
                problems.add(Problem::WhichEntity { moment: moment_name(), entity }, &raw.span);
            }
            (None, Some(entity)) if moment.is_some() => {
                problems.add(Problem::NoEntity { moment: moment_name() }, &entity.span);
            }
            _ => {}
        }
        Some(ExpectedEpisode {
            customer: raw.customer.clone(),
            entity: raw.entity.as_ref().map(|entity| entity.value.clone()),
            moment: moment?.name.value.clone(),
            event: raw.event.clone(),
            at: at?,
        })
    }

    fn moments_named(&self, names: &[Text], problems: &mut Problems) -> Vec<String> {
        let known = |text: &&Text| self.moment(text, problems).is_some();
        names.iter().filter(known).map(|text| text.value.clone()).collect()
    }

    fn moment(&self, text: &Text, problems: &mut Problems) -> Option<&raw::Moment> {
        moment_named(self.moments, text, problems)
    }

    fn time(&self, text: &Text, problems: &mut Problems) -> Option<LogicalTime> {
        let time = parse_instant(&text.value, self.zone);
        if time.is_none() {
            problems.add(Problem::BadTime { found: shortened(&text.value) }, &text.span);
        }
        time
    }
}
