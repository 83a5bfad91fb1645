//! Changes as the connectors of Debezium write them.

use super::*;

const SOURCE: &str = r#"{"version":"2.7.0.Final","connector":"postgresql","name":"PostgreSQL_server","ts_ms":1559033904863,"ts_us":1559033904863123,"ts_ns":1559033904863123000,"snapshot":"false","db":"postgres","sequence":"[\"24023119\",\"24023128\"]","schema":"public","table":"customers","txId":555,"lsn":24023128,"xmin":null}"#;
/// When that was.
const AT: u64 = 1_559_033_904_863;

/// A change of `PostgreSQL` without its schema.
fn change(op: &str, before: &str, after: &str) -> String {
    format!(
        r#"{{"before":{before},"after":{after},"source":{SOURCE},"transaction":null,"op":"{op}","ts_ms":1559033904999,"ts_us":1559033904999000,"ts_ns":1559033904999000000}}"#
    )
}

/// The same with its schema, in which the columns are like this.
fn with_schema(columns: &str, change: &str) -> String {
    let rows = |name: &str| {
        format!(
            r#"{{"type":"struct","fields":[{columns}],"optional":true,"name":"PostgreSQL_server.public.customers.Value","field":"{name}"}}"#
        )
    };
    format!(
        r#"{{"schema":{{"type":"struct","fields":[{},{},{{"type":"struct","fields":[{{"type":"int64","optional":false,"field":"ts_ms"}}],"optional":false,"name":"io.debezium.connector.postgresql.Source","field":"source"}},{{"type":"string","optional":false,"field":"op"}},{{"type":"int64","optional":true,"field":"ts_ms"}}],"optional":false,"name":"PostgreSQL_server.public.customers.Envelope"}},"payload":{change}}}"#,
        rows("before"),
        rows("after")
    )
}

const COLUMNS: &str = r#"{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":false,"field":"email"},{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"balance"},{"type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"at"}"#;

fn customers() -> RecordDecoder {
    decoder("customers", DEBEZIUM, KeyFrom::Value)
}

#[test]
fn rows_are_made_read_changed_and_deleted() {
    let mut decoder = customers();
    let key = Some(r#"{"id":1}"#);
    let anne = r#"{"id":1,"email":"annek@noanswer.org","balance":"12.50","first_name":"Anne"}"#;
    for (op, before) in [("c", "null"), ("r", "null"), ("u", "null"), ("u", anne), ("u", r#"{"id":1,"email":"x"}"#)] {
        let value = change(op, before, anne);
        for value in [value.clone(), with_schema("", &value), format!(r#"{{"schema":null,"payload":{value}}}"#)] {
            let said = short(fact(&mut decoder, key, Some(&value)));
            assert_eq!(said, row("1", AT, &["annek@noanswer.org", "1250"]), "{value}");
        }
    }
    // With REPLICA IDENTITY FULL, DEFAULT, and NOTHING.
    for before in [anne, r#"{"id":1,"email":null}"#, r#"{"id":1}"#, "null"] {
        let value = change("d", before, "null");
        assert_eq!(short(fact(&mut decoder, key, Some(&value))), row("1", AT, &[]), "{before}");
        assert_eq!(short(fact(&mut decoder, key, None)), row("1", AT, &[]), "the tombstone behind it");
    }
    let (reason, message) = fact(&mut decoder, None, Some(&change("d", "null", "null"))).unwrap_err();
    assert_eq!(
        (reason, message.contains("`id`"), message.contains("REPLICA IDENTITY FULL")),
        ("missing_field", true, true)
    );
}

#[test]
fn a_tombstone_alone_deletes_when_it_was_written() {
    let mut decoder = customers();
    let written = row("1", WRITTEN_MS.unsigned_abs(), &[]);
    for tombstone in [None, Some("{\"schema\":null,\"payload\":null}")] {
        assert_eq!(short(fact(&mut decoder, Some(r#"{"id":1}"#), tombstone)), written);
    }
    // It is said once more, and no more than that.
    assert_eq!(short(fact(&mut decoder, None, Some(&change("d", r#"{"id":1}"#, "null")))), row("1", AT, &[]));
    assert_eq!(short(fact(&mut decoder, Some(r#"{"id":2}"#), None)).1, WRITTEN_MS.unsigned_abs());
    assert_eq!(short(fact(&mut decoder, Some(r#"{"id":1}"#), None)), row("1", AT, &[]));
    assert_eq!(short(fact(&mut decoder, Some(r#"{"id":1}"#), None)), written);
    // Where keys are in values, one that does not have it says nothing; the deletion did.
    assert_eq!(fact(&mut decoder, None, None), Ok(None));
    assert_eq!(fact(&mut decoder, Some(r#"{"uuid":1}"#), None), Ok(None));
    let mut by_key = super::decoder("customers", DEBEZIUM, KeyFrom::Record);
    assert_eq!(reason(fact(&mut by_key, None, None)), "missing_field");
    assert_eq!(reason(fact(&mut by_key, Some(r#"{"uuid":1}"#), None)), "missing_field");
}

#[test]
fn the_key_may_stand_in_the_record() {
    let mut decoder = decoder("customers", DEBEZIUM, KeyFrom::Record);
    let key = Some(
        r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"PostgreSQL_server.public.customers.Key"},"payload":{"id":1}}"#,
    );
    assert_eq!(short(fact(&mut decoder, key, Some(&change("c", "null", r#"{"email":"a"}"#)))), row("1", AT, &["a"]));
    assert_eq!(short(fact(&mut decoder, key, Some(&change("d", "null", "null")))), row("1", AT, &[]));
    assert_eq!(short(fact(&mut decoder, key, None)), row("1", AT, &[]));
    for value in [change("c", "null", r#"{"id":2,"email":"a"}"#), change("d", r#"{"id":2}"#, "null")] {
        assert_eq!(reason(fact(&mut decoder, key, Some(&value))), "wrong_type", "{value}");
    }
    assert_eq!(reason(fact(&mut decoder, None, Some(&change("c", "null", r#"{"id":1}"#)))), "missing_field");
}

#[test]
fn a_schema_says_how_values_are_written() {
    let mut decoder = decoder("dated", DEBEZIUM, KeyFrom::Value);
    let rows = r#"{"id":1,"email":"a","balance":"e/8=","at":1559033904000123}"#;
    let value = with_schema(COLUMNS, &change("c", "null", rows));
    let said = row("1", 1_559_033_904_000, &["a", "31743"]);
    assert_eq!(short(fact(&mut decoder, None, Some(&value))), said);
    assert_eq!(short(fact(&mut decoder, None, Some(&value))), said, "by the schema that is known");
    // Without it, both are something else.
    let (reason, message) = fact(&mut decoder, None, Some(&change("c", "null", rows))).unwrap_err();
    assert_eq!((reason, message.contains("`at`")), ("out_of_range", true), "{message}");
    let plain = change("c", "null", r#"{"id":1,"email":"a","balance":"e/8=","at":1559033904000}"#);
    let (reason, message) = fact(&mut decoder, None, Some(&plain)).unwrap_err();
    assert_eq!((reason, message.contains("decimal.handling.mode")), ("wrong_type", true), "{message}");
    for (name, at) in [
        ("org.apache.kafka.connect.data.Timestamp", "1559033904000"),
        ("io.debezium.time.NanoTimestamp", "1559033904000123456"),
        ("io.debezium.time.ZonedTimestamp", r#""2019-05-28T08:58:24Z""#),
    ] {
        let columns = COLUMNS.replace("io.debezium.time.MicroTimestamp", name);
        let value = with_schema(&columns, &change("u", "null", &rows.replace("1559033904000123", at)));
        assert_eq!(short(fact(&mut decoder, None, Some(&value))), said, "{name}");
    }
    let columns = COLUMNS.replace("io.debezium.time.MicroTimestamp", "io.debezium.time.Date");
    let value = with_schema(&columns, &change("u", "null", &rows.replace("1559033904000123", "18044")));
    // Midnight in Paris.
    assert_eq!(short(fact(&mut decoder, None, Some(&value))).1, 1_558_994_400_000);
    let broken = value.replacen(r#""fields":["#, r#""fields":[1,"#, 1);
    for _ in 0..2 {
        assert_eq!(super::reason(fact(&mut decoder, None, Some(&broken))), "unreadable");
    }
}

#[test]
fn a_deletion_is_behind_the_row_that_it_deletes() {
    let mut decoder = decoder("dated", DEBEZIUM, KeyFrom::Value);
    let of = |before: &str| change("d", before, "null");
    assert_eq!(short(fact(&mut decoder, None, Some(&of(r#"{"id":1}"#)))), row("1", AT, &[]));
    assert_eq!(short(fact(&mut decoder, None, Some(&of(r#"{"id":1,"at":"bad","email":[]}"#)))), row("1", AT, &[]));
    assert_eq!(short(fact(&mut decoder, None, Some(&of(r#"{"id":1,"at":1559033904000}"#)))), row("1", AT, &[]));
    let later = short(fact(&mut decoder, Some(r#"{"id":1}"#), Some(&of(r#"{"id":1,"at":1559033905000}"#))));
    assert_eq!(later, row("1", 1_559_033_905_000, &[]));
    assert_eq!(short(fact(&mut decoder, Some(r#"{"id":1}"#), None)), later);
}

#[test]
fn mysql() {
    let mut decoder = customers();
    let value = |source: &str| {
        format!(
            r#"{{"schema":{{}},"payload":{{"op":"u","before":{{"id":1004,"first_name":"Anne","email":"annek@noanswer.org"}},"after":{{"id":1004,"first_name":"Anne Marie","email":"annek@noanswer.org"}},"source":{{"version":"2.7.0.Final","connector":"mysql","name":"mysql-server-1",{source}"db":"inventory","table":"customers","server_id":223344,"gtid":null,"file":"mysql-bin.000003","pos":484,"row":0,"thread":7,"query":"UPDATE customers SET first_name='Anne Marie' WHERE id=1004"}},"ts_ms":1465581029523}}}}"#
        )
    };
    for (source, at) in [
        (r#""ts_ms":1465581029100,"snapshot":"false","#, 1_465_581_029_100),
        (r#""ts_ms":1465581029100,"snapshot":"last","#, 1_465_581_029_100),
        (r#""ts_ms":1465581029100,"snapshot":"incremental","#, 1_465_581_029_100),
        (r#""ts_ms":0,"snapshot":true,"#, 1_465_581_029_523),
        (r#""ts_ms":null,"#, 1_465_581_029_523),
        ("", 1_465_581_029_523),
    ] {
        let said = short(fact(&mut decoder, Some(r#"{"id":1004}"#), Some(&value(source))));
        assert_eq!(said, row("1004", at, &["annek@noanswer.org"]), "{source}");
    }
    for (source, reason_word) in [
        (r#""ts_ms":true,"#, "wrong_type"),
        (r#""ts_ms":-1,"#, "out_of_range"),
        (r#""ts_ms":999999999999999,"#, "out_of_range"),
        (r#""ts_ms":1,"ts_ms":2,"#, "unreadable"),
    ] {
        assert_eq!(reason(fact(&mut decoder, None, Some(&value(source)))), reason_word, "{source}");
    }
    // Without any time of the database, there is that of the record.
    let bare = r#"{"op":"c","after":{"id":1,"email":"a"}}"#;
    assert_eq!(short(fact(&mut decoder, None, Some(bare))), row("1", WRITTEN_MS.unsigned_abs(), &["a"]));
}

#[test]
fn sql_server() {
    let source = r#"{"version":"2.7.0.Final","connector":"sqlserver","name":"server1","ts_ms":1559729995937,"snapshot":false,"db":"testDB","schema":"dbo","table":"customers","change_lsn":"00000027:00000ac0:0002","commit_lsn":"00000027:00000ac0:0007","event_serial_no":"2"}"#;
    let mut decoder = decoder("shares", DEBEZIUM, KeyFrom::Value);
    let value = |op: &str, before: &str, after: &str| {
        format!(
            r#"{{"before":{before},"after":{after},"source":{source},"op":"{op}","ts_ms":"1559729998706","transaction":{{"id":"00000025:00000d08:0025","total_order":"1","data_collection_order":"1"}}}}"#
        )
    };
    let owner = r#"{"customer":1005,"account":3,"role":"owner"}"#;
    let only_key = r#"{"customer":1005,"account":3}"#;
    let key = Some(only_key);
    let said = short(fact(&mut decoder, key, Some(&value("c", "null", owner))));
    assert_eq!(said, row("1005/3", 1_559_729_995_937, &["Bool(true)"]));
    assert_eq!(short(fact(&mut decoder, key, Some(&value("d", owner, "null")))).2, [""; 0]);
    // The condition of the pack deletes as well; a row that is only a key does not.
    let none = owner.replace("owner", "none");
    assert_eq!(short(fact(&mut decoder, key, Some(&value("u", owner, &none)))), row("1005/3", 1_559_729_995_937, &[]));
    assert_eq!(reason(fact(&mut decoder, key, Some(&value("c", "null", only_key)))), "missing_field");
    // Its key changed within a change, where the key of the pack is not that of the database.
    let (reason, message) = fact(&mut decoder, None, Some(&value("u", owner, &owner.replace('3', "4")))).unwrap_err();
    assert_eq!((reason, message.starts_with("`account` is another one")), ("wrong_type", true), "{message}");
}

#[test]
fn mongodb_is_refused_with_what_to_do() {
    let mut decoder = customers();
    for (op, name) in [("c", "after"), ("u", "after"), ("d", "before")] {
        let value = format!(
            r#"{{"op":"{op}","ts_ms":1558965515240,"{name}":"{{\"_id\": {{\"$numberLong\": \"1004\"}},\"email\": \"annek@noanswer.org\"}}","source":{{"connector":"mongodb","ts_ms":1558965508000,"rs":"rs0","collection":"customers"}}}}"#
        );
        let (reason, message) = fact(&mut decoder, Some(r#"{"id":"1004"}"#), Some(&value)).unwrap_err();
        assert_eq!((reason, message.contains("ExtractNewDocumentState")), ("wrong_type", true), "{message}");
    }
    let update = r#"{"op":"u","updateDescription":{"updatedFields":"{}"},"source":{"connector":"mongodb"}}"#;
    let (reason, message) = fact(&mut decoder, None, Some(update)).unwrap_err();
    assert_eq!((reason, message.contains("capture.mode")), ("missing_field", true), "{message}");
}

#[test]
fn truncates_messages_and_what_is_no_change() {
    let mut decoder = customers();
    let truncate = format!(r#"{{"source":{SOURCE},"op":"t","ts_ms":1559033904961}}"#);
    let (reason, message) = fact(&mut decoder, None, Some(&truncate)).unwrap_err();
    assert_eq!((reason, message.contains("TRUNCATE"), message.contains("tombstone")), ("wrong_type", true, true));
    let emitted = format!(r#"{{"source":{SOURCE},"op":"m","message":{{"prefix":"foo","content":"Ymfy"}}}}"#);
    assert_eq!(fact(&mut decoder, Some(r#"{"prefix":"foo"}"#), Some(&emitted)), Ok(None));
    for (value, reason, words) in [
        (r#"{"id":1,"email":"a"}"#, "unreadable", "ExtractNewRecordState"),
        (r#"{"schema":{},"payload":{"id":1}}"#, "unreadable", "ExtractNewRecordState"),
        (r#"{"op":"x"}"#, "unreadable", "c, r, u, d, t and m"),
        (r#"{"op":null}"#, "unreadable", "`op`"),
        (r#"{"op":"c","op":"c"}"#, "unreadable", "op"),
        (r#"{"op":"c","after":null}"#, "missing_field", "`after`"),
        (r#"{"op":"c","after":[1]}"#, "wrong_type", "`after`"),
        (r#"{"op":"d","before":1}"#, "wrong_type", "`before`"),
        (r#"{"op":"c","after":{"id":1},"source":7}"#, "unreadable", "`source`"),
        (r#"{"op":"c","after":{"id":1,"email":7}}"#, "wrong_type", "`email`"),
        (r#"{"op":"c","after":{"id":1,"email":"__debezium_unavailable_value"}}"#, "missing_field", "REPLICA IDENTITY"),
        (r#"[null,null,"c",null,{"id":1}]"#, "unreadable", "expected a map"),
        (r#"{"schema":{},"payload":[]}"#, "unreadable", "expected a map"),
        (r#"{"op":"c""#, "unreadable", "envelope"),
        ("", "unreadable", "envelope"),
        ("c", "unreadable", "envelope"),
    ] {
        let (is, message) = fact(&mut decoder, None, Some(value)).unwrap_err();
        assert_eq!((is, message.contains(words)), (reason, true), "{value}: {message}");
    }
}

#[test]
fn a_stream_takes_rows_that_are_made() {
    let mut decoder = decoder("logins", DEBEZIUM, KeyFrom::Value);
    let login = r#"{"customer":1,"at":1559033904000}"#;
    for op in ["c", "r"] {
        let said = fact(&mut decoder, None, Some(&change(op, "null", login)));
        assert_eq!(short(said), row("", 1_559_033_904_000, &["Bool(true)"]));
    }
    assert_eq!(reason(fact(&mut decoder, None, Some(&change("u", login, login)))), "wrong_type");
    assert_eq!(reason(fact(&mut decoder, None, Some(&change("d", login, "null")))), "wrong_type");
    assert_eq!(fact(&mut decoder, Some("1"), None), Ok(None));
}

#[test]
fn a_field_tells_the_inputs_of_a_topic_apart() {
    let made = with_schema("", &change("c", "null", r#"{"id":1,"kind":"a"}"#));
    let gone = change("d", r#"{"id":1,"kind":"a"}"#, "null");
    for value in [&made, &gone] {
        let field = |name| debezium::field(value.as_bytes(), name);
        assert_eq!(field("kind").as_deref(), Some("\"a\""));
        assert_eq!(field("source.table").as_deref(), Some("\"customers\""));
        assert_eq!(field("none"), None);
    }
    assert_eq!(debezium::field(b"{", "kind"), None);
}
