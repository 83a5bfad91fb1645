//! What is about one customer, of files that are about many: found before the files are read, and
//! read with little work.
//!
//! ```text
//! inputs that relate ──look through──▶ ids of the customer's entities ─┐
//! tables with keys of their own ──look through──▶ keys of its rows ────┴─▶ Own ─▶ MergedSource::open_own
//! ```
//!
//! Whom a record is about is told by a glance at its bytes ([`propice_flow::decode::glance`]); only
//! what names the customer, or an entity that is or ever was the customer's, is decoded and handed
//! over. So is every version of a row of a table that ever named one of them: a record that gives
//! the row to somebody else takes it away.
//!
//! What is let go still moves the clock ([`floor`]), so that everything takes effect when it does
//! in a run over all records, and what comes of the customer is the same to the byte.
//!
//! What is looked through is opened again to be read. What can be read only once (a pipe, standard
//! input) is held in memory meanwhile, up to a limit.

mod floor;
mod pass;

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _};
use std::sync::{Arc, Mutex, PoisonError};

use propice_define::Plan;
use propice_define::plan::Relation;
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::glance::{Glancer, WantedIds, WantedKeys};
use propice_model::limits::HELD_BYTES;
use propice_model::{FieldId, Id, InputId, KindId, LogicalTime, Origin, Row, Value};

use super::files::{InputFile, SourceError};
use super::open::{Opened, open};
use super::records::Records;

pub(super) use pass::OwnRecords;
use pass::Passing;

/// What is known of a customer before its records are read.
#[derive(Debug)]
pub struct Own {
    /// By kind of entity: the ids of the customer's, as records spell them.
    names: Vec<Arc<WantedIds>>,
    /// By input: the keys of the rows that name one of these, where the fields that name are no
    /// part of the key.
    keys: Vec<Arc<WantedKeys>>,
    /// By file: what can be read only once, and was looked through.
    held: Vec<Option<HeldFile>>,
    until: Option<LogicalTime>,
    rows: Option<OwnRows>,
}

/// The typed rows of the records that name somebody who was looked for, by where they were read.
/// Clones share them.
#[derive(Clone, Debug, Default)]
pub struct OwnRows(Arc<Mutex<BTreeMap<Origin, Row>>>);

/// The bytes of a file that can be read only once, unpacked.
#[derive(Clone, Debug)]
struct HeldFile {
    bytes: Arc<[u8]>,
    delimited: bool,
}

impl OwnRows {
    /// Takes all that were kept.
    pub fn take(&self) -> BTreeMap<Origin, Row> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, origin: Origin, row: &Row) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(origin, row.clone());
    }
}

impl HeldFile {
    fn open(&self) -> Opened {
        let bytes = Box::new(Cursor::new(Arc::clone(&self.bytes)));
        Opened { bytes, delimited: self.delimited, read: Arc::default(), size: None, live: None }
    }
}

impl Own {
    /// Looks through the inputs that say what belongs to a customer, and which rows are about it.
    ///
    /// # Errors
    /// When one of them cannot be read, or is read only once and too large to be held.
    pub fn find(plan: &Arc<Plan>, files: &[InputFile], customer: &Id) -> Result<Own, SourceError> {
        let relations: Vec<Vec<(KindId, &Relation)>> =
            (0..plan.inputs.len()).map(|input| relations_of(plan, InputId(input as u16))).collect();
        let subjects: Vec<Vec<(FieldId, KindId)>> = (0..plan.inputs.len() as u16)
            .map(|input| Extractor::new(Arc::clone(plan), InputId(input)).subjects())
            .collect();
        let relates = |file: &InputFile| !relations[file.input.index()].is_empty();
        let has_keys = |file: &InputFile| {
            let input = file.input.index();
            is_keyed_apart(plan, file.input, &subjects[input], &relations[input])
        };
        let held = (files.iter())
            .map(|file| if relates(file) || has_keys(file) { hold(plan, file) } else { Ok(None) })
            .collect::<Result<Vec<_>, SourceError>>()?;
        let look = Look { plan, files, held: &held };

        let this = Arc::new(WantedIds::from_iter([Box::from(customer.to_string())]));
        let related = look.through(relates, |file| {
            let by = &relations[file.input.index()];
            let input = &plan.inputs[file.input.index()];
            let glancer = Glancer::new(input, by.iter().map(|(_, by)| (by.customer, Arc::clone(&this))));
            (glancer, move |row: &Row, found: &mut Vec<(KindId, Id)>| {
                for (kind, by) in by {
                    if let (Value::Id(of), Value::Id(entity)) = (&row[by.customer.index()], &row[by.entity.index()])
                        && of == customer
                    {
                        found.push((*kind, entity.clone()));
                    }
                }
            })
        })?;
        let mut names: Vec<WantedIds> = vec![WantedIds::default(); plan.entities.len()];
        for (kind, id) in related.into_iter().flatten() {
            names[kind.index()].insert(Box::from(id.to_string()));
        }
        let mut names: Vec<Arc<WantedIds>> = names.into_iter().map(Arc::new).collect();
        names[KindId::CUSTOMER.index()] = this;

        let rows = look.through(has_keys, |file| {
            let input = &plan.inputs[file.input.index()];
            let named = subjects[file.input.index()].iter();
            let glancer = Glancer::new(input, named.map(|(field, kind)| (*field, Arc::clone(&names[kind.index()]))));
            let key = input.table.as_ref().map_or(&[][..], |table| table.key.as_slice());
            (glancer, move |row: &Row, found: &mut Vec<(InputId, Vec<Value>)>| {
                found.push((file.input, key.iter().map(|field| row[field.index()].clone()).collect()));
            })
        })?;
        let mut keys: Vec<WantedKeys> = vec![WantedKeys::default(); plan.inputs.len()];
        for (input, key) in rows.into_iter().flatten() {
            keys[input.index()].insert(key);
        }
        let keys = keys.into_iter().map(Arc::new).collect();
        Ok(Own { names, keys, held, until: None, rows: None })
    }

    /// Reads each file only to the first record that takes effect after this time.
    #[must_use]
    pub fn until(self, until: Option<LogicalTime>) -> Own {
        Own { until, ..self }
    }

    /// Keeps the typed rows of the records that are handed over.
    #[must_use]
    pub fn with_rows(self, rows: &OwnRows) -> Own {
        Own { rows: Some(rows.clone()), ..self }
    }

    /// How the records of a file are passed, and its bytes when they were held.
    fn passing(&self, plan: &Arc<Plan>, file: &InputFile, extractor: &Extractor) -> Passing {
        let input = &plan.inputs[file.input.index()];
        let subjects = extractor.subjects();
        let named = subjects.iter().map(|(field, kind)| (*field, Arc::clone(&self.names[kind.index()])));
        let glancer = Glancer::new(input, named)
            .with_time(input)
            .with_keys(input, &self.keys[file.input.index()])
            .with_everything(extractor.is_for_everybody());
        Passing::new(glancer, self.until, self.rows.clone())
    }

    fn held(&self, position: usize) -> Option<&HeldFile> {
        self.held.get(position)?.as_ref()
    }
}

/// The relations that records of an input make.
fn relations_of(plan: &Plan, input: InputId) -> Vec<(KindId, &Relation)> {
    let of_kind = |(kind, by)| (KindId(kind as u16), by);
    (plan.entities.iter().enumerate())
        .filter_map(|(kind, entity)| Some((kind, entity.relation.as_ref()?)))
        .filter(|(_, by)| by.input == input)
        .map(of_kind)
        .collect()
}

/// Whether two rows with the same key can be about different entities, of which one is wanted and
/// the other is not.
fn is_keyed_apart(
    plan: &Plan,
    input: InputId,
    subjects: &[(FieldId, KindId)],
    relations: &[(KindId, &Relation)],
) -> bool {
    let Some(table) = &plan.inputs[input.index()].table else { return false };
    let in_key = |field: &FieldId| table.key.contains(field);
    // What a customer has been related to is wanted, whosever it is now.
    let follows = |field: &FieldId| relations.iter().any(|(_, by)| by.customer == *field && in_key(&by.entity));
    subjects.iter().any(|(field, _)| !in_key(field) && !follows(field))
}

/// Holds what is read only once.
fn hold(plan: &Plan, file: &InputFile) -> Result<Option<HeldFile>, SourceError> {
    if !file.is_read_once() {
        return Ok(None);
    }
    let unreadable = |error| SourceError::unreadable(&file.path, error);
    let opened = open(file, &plan.inputs[file.input.index()].format.encoding).map_err(unreadable)?;
    let mut bytes = Vec::new();
    opened.bytes.take(HELD_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > HELD_BYTES {
        let why = format!(
            "it says what belongs to whom and can be read only once: it may hold {} MiB, and holds more; name a file",
            HELD_BYTES >> 20
        );
        return Err(unreadable(io::Error::other(why)));
    }
    Ok(Some(HeldFile { bytes: bytes.into(), delimited: opened.delimited }))
}

/// What is looked through.
struct Look<'a> {
    plan: &'a Arc<Plan>,
    files: &'a [InputFile],
    held: &'a [Option<HeldFile>],
}

impl<'a> Look<'a> {
    /// Looks through some files, each on a thread of its own, at the records that are wanted.
    fn through<T, F>(
        &self,
        which: impl Fn(&InputFile) -> bool,
        each: impl Fn(&'a InputFile) -> (Glancer, F),
    ) -> Result<Vec<Vec<T>>, SourceError>
    where
        T: Send,
        F: FnMut(&Row, &mut Vec<T>) + Send,
    {
        let mut opened = Vec::new();
        for (position, file) in self.files.iter().enumerate().filter(|(_, file)| which(file)) {
            let held = self.held[position].as_ref().map(HeldFile::open);
            opened.push((file, Records::open_bytes(self.plan, file, position as u16, held)?));
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (opened.into_iter())
                .map(|(file, mut records)| {
                    let (mut glancer, mut take) = each(file);
                    let thread = scope.spawn(move || {
                        let mut found = Vec::new();
                        records.look_through(&mut glancer, |row| take(row, &mut found));
                        found
                    });
                    (file, thread)
                })
                .collect();
            let found = threads.into_iter().map(|(file, thread)| {
                let failed = |_| SourceError::unreadable(&file.path, io::Error::other("its reader ended unexpectedly"));
                thread.join().map_err(failed)
            });
            found.collect()
        })
    }
}
