//! A bucket, as S3 speaks: a server of our own that knows no more than what is asked of it.
//!
//! Shows that requests are signed, conditional, in pieces where they are large, and paged; not that
//! some provider keeps what it promises.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;

use super::{Opening, Patience, Shared, open};
use crate::checkpointer::{Checkpointer, Cut};
use crate::compaction::Policy;
use crate::error::Error;
use crate::testing::{Kept, Key, begun};
use crate::{Kind, ranges, read};

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    conditional: usize,
    unsigned: usize,
    /// Requests that are answered with "slow down" before one is done.
    busy: usize,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let query = query.map(|(key, value)| (key.to_owned(), value.replace("%2F", "/"))).collect();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((key, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(key.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { method, path: path.to_owned(), query, headers, body })
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

impl Bucket {
    fn answer(&mut self, request: &Request) -> Answer {
        if !request.headers.get("authorization").is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256")) {
            self.unsigned += 1;
        }
        if self.busy > 0 {
            self.busy -= 1;
            return (503, Vec::new(), Vec::new());
        }
        let key = request.path.trim_start_matches("/bucket").trim_start_matches('/').to_owned();
        let query = |name: &str| request.query.get(name).cloned();
        let tag = |bytes: &[u8]| vec![("ETag".to_owned(), format!("\"{}\"", bytes.len()))];
        match request.method.as_str() {
            "GET" if query("list-type").is_some() => (
                200,
                Vec::new(),
                self.list(&query("prefix").unwrap_or_default(), query("continuation-token")).into_bytes(),
            ),
            "GET" | "HEAD" => self.get(&key, request),
            "POST" if query("uploads").is_some() => {
                self.uploads.insert(key, BTreeMap::new());
                (
                    200,
                    Vec::new(),
                    b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>".to_vec(),
                )
            }
            "PUT" if query("partNumber").is_some() => {
                let number = query("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
                self.uploads.entry(key).or_default().insert(number, request.body.clone());
                (200, tag(&request.body), Vec::new())
            }
            "POST" if query("uploadId").is_some() => {
                let pieces = self.uploads.remove(&key).unwrap_or_default();
                self.objects.insert(key, pieces.into_values().flatten().collect());
                (
                    200,
                    Vec::new(),
                    b"<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>".to_vec(),
                )
            }
            "PUT" => {
                if request.headers.get("if-none-match").is_some_and(|value| value == "*") {
                    self.conditional += 1;
                    if self.objects.contains_key(&key) {
                        return (412, Vec::new(), Vec::new());
                    }
                }
                self.objects.insert(key, request.body.clone());
                (200, tag(&request.body), Vec::new())
            }
            "DELETE" if query("uploadId").is_some() => {
                self.uploads.remove(&key);
                (204, Vec::new(), Vec::new())
            }
            "DELETE" => {
                self.objects.remove(&key);
                (204, Vec::new(), Vec::new())
            }
            "POST" => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let mut deleted = String::from("<DeleteResult>");
                for key in body.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")) {
                    self.objects.remove(key.0);
                    let _ = write!(deleted, "<Deleted><Key>{}</Key></Deleted>", key.0);
                }
                deleted += "</DeleteResult>";
                (200, Vec::new(), deleted.into_bytes())
            }
            _ => (400, Vec::new(), Vec::new()),
        }
    }

    fn get(&self, key: &str, request: &Request) -> Answer {
        let Some(object) = self.objects.get(key) else { return (404, Vec::new(), Vec::new()) };
        let mut headers = vec![
            ("ETag".to_owned(), "\"x\"".to_owned()),
            ("Last-Modified".to_owned(), "Mon, 02 Mar 2026 09:00:00 GMT".to_owned()),
        ];
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let Some((first, last)) = range else { return (200, headers, object.clone()) };
        let (first, last): (usize, usize) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
        if first >= object.len() {
            return (416, headers, Vec::new());
        }
        let last = last.min(object.len() - 1);
        headers.push(("Content-Range".to_owned(), format!("bytes {first}-{last}/{}", object.len())));
        (206, headers, object[first..=last].to_vec())
    }

    /// Two objects a page, so that lists are paged.
    fn list(&self, prefix: &str, after: Option<String>) -> String {
        let after = after.unwrap_or_default();
        let inside: Vec<_> = self.objects.iter().filter(|(key, _)| key.starts_with(prefix) && **key > after).collect();
        let mut page = String::from("<ListBucketResult>");
        for (key, object) in inside.iter().take(2) {
            let _ = write!(
                page,
                "<Contents><Key>{key}</Key><LastModified>2026-03-02T09:00:00.000Z</LastModified><ETag>\"x\"</ETag><Size>{}</Size></Contents>",
                object.len()
            );
        }
        if inside.len() > 2 {
            let _ = write!(
                page,
                "<NextContinuationToken>{}</NextContinuationToken><IsTruncated>true</IsTruncated>",
                inside[1].0
            );
        }
        page + "</ListBucketResult>"
    }
}

fn serve(bucket: &Arc<Mutex<Bucket>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let bucket = bucket.clone();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let bucket = bucket.clone();
            thread::spawn(move || {
                let mut writing = stream.try_clone().expect("a socket");
                let mut stream = BufReader::new(stream);
                while let Some(request) = read_request(&mut stream) {
                    let (status, headers, body) =
                        bucket.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
                    let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
                    for (key, value) in &headers {
                        let _ = write!(head, "{key}: {value}\r\n");
                    }
                    head += "\r\n";
                    let _ = writing.write_all(head.as_bytes());
                    if request.method != "HEAD" && writing.write_all(&body).is_err() {
                        return;
                    }
                }
            });
        }
    });
    endpoint
}

fn bucket() -> (Arc<Mutex<Bucket>>, Shared) {
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    let endpoint = serve(&bucket);
    let options = [
        ("endpoint", endpoint.as_str()),
        ("allow_http", "true"),
        ("access_key_id", "a"),
        ("secret_access_key", "b"),
        ("region", "eu-west-3"),
    ];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let patience = Patience { attempt_ms: 5_000, attempts: 3, pause_ms: 1 };
    let store = open("s3://bucket/live/bank", &Opening { create: true, options, patience }).expect("a store");
    (bucket, store)
}

#[test]
fn buckets_keep_their_promises() {
    let (bucket, store) = bucket();
    super::tests::keeps_its_promises(store.as_ref());
    let seen = bucket.lock().expect("no panic");
    assert!(seen.conditional >= 3, "put-if-absent is the bucket's");
    assert_eq!(seen.unsigned, 0);
    assert!(seen.objects.keys().all(|key| key.starts_with("live/bank/parts/")), "{:?}", seen.objects.keys());
}

#[test]
fn a_busy_bucket_is_asked_again() {
    let (bucket, store) = bucket();
    bucket.lock().expect("no panic").busy = 2;
    store.put_if_absent("generations/1", Bytes::from_static(b"x")).expect("asked again");
    assert!(matches!(store.put_if_absent("generations/1", Bytes::from_static(b"y")), Err(Error::Exists { .. })));
}

#[test]
fn a_cluster_lives_in_a_bucket() {
    let (bucket, store) = bucket();
    let generation = begun(&store, 1);
    let mut checkpointer =
        Checkpointer::new(&store, generation, serde_json::Value::Null, None, &BTreeMap::new(), Policy::default());
    checkpointer.initial(BTreeMap::new(), BTreeMap::new(), 0).expect("it begins with nothing");
    for time in 1..6 {
        for write in checkpointer.cut(Cut { time, at_ms: 0, writers: ranges::dealt(2) }).expect("idle") {
            let mut writer = checkpointer.writer(&write).expect("a writer");
            for (&range, _) in
                write.kinds.iter().filter(|(range, kind)| **kind == Kind::Base || u64::from(**range) % 5 == time % 5)
            {
                writer.push("rows", range, &Key::Number(u64::from(range)), Some(&Kept::of(time))).expect("an entry");
            }
            checkpointer.written(time, write.head.writer, Ok(writer.finish().expect("written")));
        }
        checkpointer.positions(time, BTreeMap::new(), BTreeMap::new());
        let reports = checkpointer.visible(ranges::all(), time);
        assert!(matches!(reports[0], crate::Report::Put { .. }), "{reports:?}");
    }
    let name = checkpointer.machine().latest().expect("a checkpoint");
    let manifest = crate::Manifest::read(store.as_ref(), name, crate::testing::CLUSTER).expect("whole");
    let entries = read::all(&store, &manifest, &crate::testing::everything()).expect("whole");
    assert_eq!(entries.len(), 256);
    let checkpoints =
        bucket.lock().expect("no panic").objects.keys().filter(|key| key.contains("/checkpoints/")).count();
    assert_eq!(checkpoints, 3, "old ones are deleted");
}
