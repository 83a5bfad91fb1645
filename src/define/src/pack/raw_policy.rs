//! The policy of a pack as it is written.

use std::ops::Range;

use super::spot::{Spot, Text};
use crate::plan::{Per, Purpose, ReceiptKind, Rest};
use propice_model::{Duration, Real};

/// `[policy]`
#[derive(Debug, Default)]
pub(super) struct Policy {
    pub refusal: Option<Text>,
    pub purposes: Vec<(Purpose, Text)>,
    pub data: Vec<Data>,
    /// Where `consent` is declared.
    pub consent: Option<Range<usize>>,
    pub mood: Option<Mood>,
    pub zone: Option<Text>,
    pub region: Option<Text>,
    pub locale: Option<Text>,
    pub holidays: Option<Holidays>,
    pub quiet: Vec<Quiet>,
    pub pressure: Vec<Pressure>,
    pub arbitration: Option<Arbitration>,
    pub rest: Vec<Spot<Rest>>,
    pub snooze: Option<Spot<Duration>>,
    pub rating: Vec<(Spot<ReceiptKind>, Real)>,
    pub human: Option<Text>,
    pub receipts: Option<Receipts>,
}

/// `[policy.consent.data.NAME]`
#[derive(Debug)]
pub(super) struct Data {
    pub name: Text,
    pub allowed: Option<Text>,
    pub inputs: Vec<Text>,
    pub features: Vec<Text>,
}

/// `[policy.mood]`
#[derive(Debug)]
pub(super) struct Mood {
    pub negative: Vec<Text>,
    pub positive: Vec<Text>,
    pub half_life: Option<Spot<Duration>>,
    pub threshold: Option<Real>,
    pub map: Vec<(Text, Text)>,
    /// `None`: `"off"`.
    pub modalities: Vec<(Text, Option<Text>)>,
    pub source: Option<MoodSource>,
}

/// Where moods come from.
#[derive(Debug)]
pub(super) enum MoodSource {
    /// A feature or an attribute of the customer.
    From(Text),
    /// Signals.
    Signals(Vec<Signal>),
}

/// An entry of `policy.mood.signals`.
#[derive(Debug)]
pub(super) struct Signal {
    pub from: Option<Text>,
    pub label: Option<Text>,
    pub intensity: Option<Text>,
    pub confidence: Option<Text>,
    pub modality: Option<Text>,
    pub source: Option<Text>,
    pub filter: Option<Text>,
}

/// `[policy.holidays]`
#[derive(Debug)]
pub(super) struct Holidays {
    pub table: Option<Text>,
    pub day: Option<Text>,
    pub region: Option<Text>,
}

/// An entry of `policy.quiet`.
#[derive(Debug)]
pub(super) struct Quiet {
    pub span: Range<usize>,
    pub hours: Vec<(u16, u16)>,
    pub days: Vec<u8>,
    pub holidays: Option<Spot<bool>>,
    pub channels: Vec<Text>,
    pub purposes: Vec<Purpose>,
    pub except: Vec<Purpose>,
}

/// An entry of `policy.pressure`.
#[derive(Debug)]
pub(super) struct Pressure {
    pub span: Range<usize>,
    pub purpose: Option<Purpose>,
    pub channel: Option<Text>,
    pub at_most: Spot<u32>,
    pub per: Per,
    pub except: Vec<Purpose>,
}

/// `policy.arbitration`
#[derive(Debug)]
pub(super) struct Arbitration {
    pub window_ms: Duration,
    pub except: Vec<Purpose>,
}

/// `[policy.receipts]`
#[derive(Debug)]
pub(super) struct Receipts {
    pub from: Option<Text>,
    pub kind: Option<Text>,
    pub trigger: Option<Text>,
    pub channel: Option<Text>,
    pub purpose: Option<Text>,
    pub until: Option<Text>,
    pub keep: Option<Spot<Duration>>,
}
