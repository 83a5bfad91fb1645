//! What the policy reads of records beyond the views: features of a kind of entity that is implied.
//!
//! A signal of mood and a receipt are each kept as one value, a list of their parts
//! ([`Expr::record`]), the latest first; the aggregate is the set of them. The entity is the
//! customer once more, under another kind, so that what is kept has windows, corrections and order
//! like everything else, and is yet no part of the view.

use super::contact::field_of;
use super::features::{input_named, place_of};
use super::problem::{Problem, Problems};
use super::raw_policy as raw;
use super::scope::{FieldScope, Ground, compile};
use super::spot::{Spot, Text};
use crate::expr::{Expected, Expr};
use crate::plan::{Aggregate, Feature, FeatureSource, Interval, SIGNAL_HALF_LIVES};
use propice_model::limits::RELEASES;
use propice_model::{Duration, FieldId, InputId, KindId, Type};

/// The features of the kind that is implied; `None` for one that could not be understood.
pub(super) struct Implied<'a> {
    ground: &'a Ground<'a>,
    pub features: Vec<Option<Feature>>,
    /// The fields that signals take moods from, and how strong and sure they are.
    pub mood_fields: Vec<(InputId, u16)>,
}

impl<'a> Implied<'a> {
    /// None yet.
    pub(super) fn new(ground: &'a Ground<'a>) -> Implied<'a> {
        Implied { ground, features: Vec::new(), mood_fields: Vec::new() }
    }

    /// Adds a feature and gives its slot.
    fn push(&mut self, feature: Option<Feature>) -> u16 {
        self.features.push(feature);
        (self.features.len() - 1) as u16
    }

    /// The event time of the latest record that feeds a `last`: a feature of the same records.
    pub(super) fn time_of(&mut self, of: Feature, span: &Text, problems: &mut Problems) -> Option<u16> {
        let (FeatureSource::Records { input, .. }, Some(argument)) = (of.source, of.argument) else { return None };
        let time = self.time(input, span, problems)?;
        let feature = Feature {
            name: "policy.mood.at".to_owned(),
            ty: Type::Time,
            argument: Some(time.when_known(argument)),
            implied: true,
            description: None,
            ..of
        };
        Some(self.push(Some(feature)))
    }

    /// A source of signals, and the name of its input.
    pub(super) fn signals(
        &mut self,
        raw: &raw::Signal,
        half_life_ms: Duration,
        problems: &mut Problems,
    ) -> Option<(String, u16)> {
        let from = raw.from.as_ref()?;
        let (input, key) = self.about_customer(from, problems)?;
        let time = self.time(input, from, problems);
        let mut of = |text: &Option<Text>, expected: Expected| {
            let mut scope = FieldScope::new(self.ground, input);
            text.as_ref().map(|text| compile(self.ground, text, &mut scope, &expected, problems))
        };
        let label = of(&raw.label, Expected::Text);
        let parts = [
            of(&raw.intensity, Expected::Number),
            of(&raw.confidence, Expected::Number),
            of(&raw.modality, Expected::Text),
            of(&raw.source, Expected::Text),
        ];
        let filter = of(&raw.filter, Expected::Condition);
        let about_mood = [&label, &parts[0], &parts[1]].into_iter().flatten().flatten().flat_map(Expr::refs);
        self.mood_fields.extend(about_mood.map(|(reference, _)| (input, reference.slot)));
        let name = self.ground.inputs[input.index()].input.name.clone();
        let feature = (|| {
            let mut record = vec![Some(time?), Some(label??)];
            for part in parts {
                record.push(part.map_or(Some(None), |part| part.map(Some))?);
            }
            let filter = filter.map_or(Some(None), |filter| filter.map(Some))?;
            let window_ms = half_life_ms.saturating_mul(SIGNAL_HALF_LIVES);
            Some(self.remembered(&format!("policy.mood.{name}"), (input, key), record, filter, window_ms))
        })();
        let slot = self.push(feature);
        Some((name, slot))
    }

    /// The receipts.
    pub(super) fn receipts(&mut self, raw: &raw::Receipts, keep_ms: Duration, problems: &mut Problems) -> Option<u16> {
        let from = raw.from.as_ref()?;
        let (input, key) = self.about_customer(from, problems)?;
        let time = self.time(input, from, problems);
        let mut field = |key: &'static str, named: &Option<Text>, ty: &Type, needed: bool| {
            let shape = &self.ground.inputs[input.index()];
            let default = Spot::new(key.to_owned(), from.span.clone());
            if named.is_none() && !needed && shape.input.field(key).is_none() {
                return Some(None);
            }
            let name = named.as_ref().unwrap_or(&default);
            field_of(self.ground, input, (key, name), ty, problems)?;
            let name = Spot::new(name.value.clone(), 0..0);
            compile(self.ground, &name, &mut FieldScope::new(self.ground, input), &Expected::Anything, problems)
                .map(Some)
        };
        let parts = [
            field("kind", &raw.kind, &Type::Text, true),
            field("trigger", &raw.trigger, &Type::Text, false),
            field("channel", &raw.channel, &Type::Text, false),
            field("purpose", &raw.purpose, &Type::Text, false),
            field("until", &raw.until, &Type::Time, false),
        ];
        let feature = time.and_then(|time| {
            let parts: Option<Vec<Option<Expr>>> = std::iter::once(Some(Some(time))).chain(parts).collect();
            Some(self.remembered("policy.receipts", (input, key), parts?, None, keep_ms))
        });
        Some(self.push(feature))
    }

    /// The set of these records.
    fn remembered(
        &self,
        name: &str,
        (input, key): (InputId, FieldId),
        parts: Vec<Option<Expr>>,
        filter: Option<Expr>,
        window_ms: Duration,
    ) -> Feature {
        let argument = Expr::record(parts);
        Feature {
            name: name.to_owned(),
            ty: Type::List(Box::new(argument.ty().clone())),
            source: FeatureSource::Records { input, key },
            aggregate: Aggregate::Set(RELEASES),
            argument: Some(argument),
            filter,
            interval: Interval::Window { length_ms: window_ms, pane_ms: None },
            retracts: self.ground.inputs[input.index()].input.is_table(),
            implied: true,
            description: None,
        }
    }

    /// An input that is about the customer.
    fn about_customer(&self, name: &Text, problems: &mut Problems) -> Option<(InputId, FieldId)> {
        let input = input_named(self.ground, name, problems)?;
        let shape = &self.ground.inputs[input.index()];
        match shape.input.about {
            Some((field, KindId::CUSTOMER)) => Some((input, field)),
            _ => {
                if !shape.fieldless && shape.broken.is_empty() {
                    problems.add(Problem::NotAboutCustomer { input: place_of(self.ground, input) }, &name.span);
                }
                None
            }
        }
    }

    /// The event time of an input, over its records.
    fn time(&self, input: InputId, name: &Text, problems: &mut Problems) -> Option<Expr> {
        let shape = &self.ground.inputs[input.index()];
        let Some(time) = shape.input.time else {
            // A stream without one has been reported.
            if shape.input.is_table() && !shape.fieldless && shape.broken.is_empty() {
                problems.add(Problem::NoTime { input: place_of(self.ground, input) }, &name.span);
            }
            return None;
        };
        let text = Spot::new(shape.input.fields[time.index()].name.clone(), 0..0);
        compile(self.ground, &text, &mut FieldScope::new(self.ground, input), &Expected::Time, problems)
    }
}
