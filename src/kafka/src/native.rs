//! Two calls of librdkafka that have no safe form that returns when it is done.
//!
//! `flush` and `commit_transaction` of the safe interface poll for a whole 100 ms while a message
//! is in flight. Those of librdkafka return when the last delivery, or the answer of the
//! coordinator, is there: a transaction takes 2 ms instead of 100.
//!
//! A producer whose events are polled by a thread of its own (`ThreadedProducer`) is needed: nobody
//! else serves delivery reports while these calls wait.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_commit_transaction, rd_kafka_error_code, rd_kafka_error_destroy, rd_kafka_error_string, rd_kafka_flush,
    rd_kafka_resp_err_t,
};
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::RDKafkaErrorCode;

use super::error::{Doing, KafkaError};

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Waits until everything that was sent is acknowledged or failed.
pub(crate) fn flush<C: ClientContext>(client: &Client<C>, timeout: Duration, doing: &Doing) -> Result<(), KafkaError> {
    // SAFETY: the pointer is that of a living client (`client` is borrowed for the call), and
    // librdkafka's producers may be used by several threads at once.
    let code = unsafe { rd_kafka_flush(client.native_ptr(), millis(timeout)) };
    if code == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let code = RDKafkaErrorCode::from(code);
    Err(KafkaError::of_code(doing.clone(), code, code.to_string()))
}

/// Commits the transaction that is open.
pub(crate) fn commit<C: ClientContext>(client: &Client<C>, timeout: Duration, doing: &Doing) -> Result<(), KafkaError> {
    // SAFETY: the pointer is that of a living client, as above.
    let error = unsafe { rd_kafka_commit_transaction(client.native_ptr(), millis(timeout)) };
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: an error that is not null is valid until it is destroyed, which happens once, behind
    // the last use; its text is copied before.
    let (code, text) = unsafe {
        let code = RDKafkaErrorCode::from(rd_kafka_error_code(error));
        let text = CStr::from_ptr(rd_kafka_error_string(error)).to_string_lossy().into_owned();
        rd_kafka_error_destroy(error);
        (code, text)
    };
    Err(KafkaError::of_code(doing.clone(), code, text))
}
