//! Binary mode, as the Kafka protocol binding of CloudEvents 1.0 says: attributes are headers
//! `ce_…`, the media type is `content-type`, the data is the value, the partition key is the key of
//! the record. A record without a value is a tombstone: what was open under its key is so no more.

use super::event::Trigger;
use super::event::TriggerType;
use super::payload::Instant;

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// The key: what the record is ordered and compacted by.
    pub key: Vec<u8>,
    /// Names and values, in a stable order.
    pub headers: Vec<(&'static str, String)>,
    /// The data; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// Why a record is no trigger.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// A header is missing.
    #[error("there is no header `{0}`")]
    Missing(&'static str),
    /// A header is not what it has to be.
    #[error("the header `{0}` cannot be `{1}`")]
    Wrong(&'static str, String),
    /// The data is not what it has to be.
    #[error("the data cannot be read: {0}")]
    Data(#[from] serde_json::Error),
}

impl TopicRecord {
    /// A trigger in binary mode, keyed by its customer.
    ///
    /// # Errors
    /// Never, for what was made here: everything in it has a JSON form.
    pub fn new(trigger: &Trigger) -> serde_json::Result<TopicRecord> {
        let value = serde_json::to_vec(&trigger.data)?;
        Ok(TopicRecord { key: trigger.partitionkey.as_bytes().to_vec(), headers: headers(trigger), value: Some(value) })
    }

    /// The record that says that nothing is open any more of what a trigger opened: the attributes,
    /// and no value.
    pub fn tombstone(trigger: &Trigger) -> TopicRecord {
        TopicRecord { key: trigger.partitionkey.as_bytes().to_vec(), headers: headers(trigger), value: None }
    }

    /// The trigger that a record is; `None` for a tombstone.
    ///
    /// # Errors
    /// When it is neither.
    pub fn trigger(&self) -> Result<Option<Trigger>, BinaryError> {
        let Some(value) = &self.value else { return Ok(None) };
        let optional = |name: &str| self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let text = |name: &'static str| optional(name).cloned().ok_or(BinaryError::Missing(name));
        let instant = |name: &'static str| {
            let text = text(name)?;
            Instant::parse(&text).ok_or(BinaryError::Wrong(name, text))
        };
        let ty = text("ce_type")?;
        Ok(Some(Trigger {
            specversion: text("ce_specversion")?,
            id: text("ce_id")?,
            source: text("ce_source")?,
            ty: TriggerType::named(&ty).ok_or(BinaryError::Wrong("ce_type", ty))?,
            subject: text("ce_subject")?,
            time: instant("ce_time")?,
            datacontenttype: text("content-type")?,
            dataschema: text("ce_dataschema")?,
            partitionkey: text("ce_partitionkey")?,
            sequence: text("ce_sequence")?,
            expirytime: optional("ce_expirytime").map(|_| instant("ce_expirytime")).transpose()?,
            correlationid: text("ce_correlationid")?,
            causationid: text("ce_causationid")?,
            recordedtime: instant("ce_recordedtime")?,
            dataclassification: text("ce_dataclassification")?,
            traceparent: optional("ce_traceparent").cloned(),
            data: serde_json::from_slice(value)?,
        }))
    }
}

fn headers(trigger: &Trigger) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("ce_specversion", trigger.specversion.clone()),
        ("ce_id", trigger.id.clone()),
        ("ce_source", trigger.source.clone()),
        ("ce_type", trigger.ty.name().to_owned()),
        ("ce_subject", trigger.subject.clone()),
        ("ce_time", trigger.time.to_string()),
        ("content-type", trigger.datacontenttype.clone()),
        ("ce_dataschema", trigger.dataschema.clone()),
        ("ce_partitionkey", trigger.partitionkey.clone()),
        ("ce_sequence", trigger.sequence.clone()),
        ("ce_correlationid", trigger.correlationid.clone()),
        ("ce_causationid", trigger.causationid.clone()),
        ("ce_recordedtime", trigger.recordedtime.to_string()),
        ("ce_dataclassification", trigger.dataclassification.clone()),
    ];
    headers.extend(trigger.expirytime.map(|time| ("ce_expirytime", time.to_string())));
    headers.extend(trigger.traceparent.clone().map(|trace| ("ce_traceparent", trace)));
    headers
}
