//! Everything a server can be asked about its data, against a keyspace of ours.

use crate::client::{Reply, words};
use crate::process::Server;
use careen::bytes::Budget;
use careen::keyspace::load::decode;
use careen::keyspace::{Entry, Keyspace, Stream, Value, digest};
use careen::rdb::Buffers;
use careen::value::DbIndex;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// `name key …`
fn about(name: &str, key: &[u8], more: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut all = words(name);
    all.push(key.to_vec());
    all.extend(more.iter().map(|word| word.to_vec()));
    all
}

/// A value, also where it is still as a snapshot stored it.
fn value<'v, 'a>(entry: &'v Entry<'a>) -> Cow<'v, Value<'a>> {
    let Value::Stored(stored) = &entry.value else { return Cow::Borrowed(&entry.value) };
    decode(stored, &mut Buffers::new(&Budget::default())).unwrap().map_or(Cow::Borrowed(&entry.value), Cow::Owned)
}

/// What differs: the keys of every database with their values and times of expiry, and the functions.
pub(crate) fn data(server: &mut Server, keyspace: &Keyspace<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for index in 0..4 {
        let empty = careen::keyspace::Db::default();
        let db = keyspace.db(DbIndex(index)).unwrap_or(&empty);
        if let (Reply::Error(_), true) = (server.client.call(&["SELECT", &index.to_string()]), db.is_empty()) {
            // A cluster has one database only.
            continue;
        }
        let size = server.client.call(&["DBSIZE"]);
        if size.number() != Some(db.len() as i64) {
            let theirs = server.client.call(&["KEYS", "*"]).texts();
            let missing: Vec<_> = theirs.iter().filter(|key| !db.contains(key)).collect();
            let missing: Vec<_> = missing.iter().map(|key| key.escape_ascii().to_string()).collect();
            wrong.push(format!("db {index}: {} keys, not {size:?}; ours lacks {missing:?}", db.len()));
        }
        let entries: Vec<&Entry<'_>> = db.iter().collect();
        let found = [values(server, &entries), expiries(server, &entries), fields(server, &entries)].concat();
        wrong.extend(found.into_iter().map(|text| format!("db {index} {text}")));
    }
    wrong.extend(functions(server, keyspace));
    wrong
}

fn values(server: &mut Server, entries: &[&Entry<'_>]) -> Vec<String> {
    let questions: Vec<_> = entries.iter().map(|entry| about("DEBUG DIGEST-VALUE", &entry.key, &[])).collect();
    let answers = server.client.call_all(&questions);
    let like = server.like;
    let mut wrong = Vec::new();
    for (entry, answer) in entries.iter().zip(answers) {
        let ours = digest::of_value(&entry.value, entry.expires, like).to_string();
        if answer.texts().concat() != ours.as_bytes() {
            let (key, mut value) = (entry.key.escape_ascii(), format!("{:?}", value(entry)));
            value.truncate(2000);
            let theirs = String::from_utf8_lossy(&answer.texts().concat()).into_owned();
            wrong.push(format!("{key}: digest {ours}, not {theirs}; {}ours {value}", contents(server, entry)));
        }
    }
    wrong
}

/// What the server has there: scores that differ, vectors.
fn contents(server: &mut Server, entry: &Entry<'_>) -> String {
    let value = value(entry);
    let mut text = String::new();
    if let Value::Vectors(vectors) = &*value {
        for (element, _) in vectors.elements.iter() {
            let raw = server.client.call(&about("VEMB", &entry.key, &[element, b"RAW"]));
            let attributes = server.client.call(&about("VGETATTR", &entry.key, &[element]));
            write!(text, "{}: {raw:?} {attributes:?}, ", element.escape_ascii()).unwrap();
        }
    }
    let Value::Zset(zset) = &*value else { return text };
    for (member, ours) in zset.iter() {
        let theirs = server.client.call(&about("ZSCORE", &entry.key, &[member])).text();
        if theirs.parse::<f64>().ok().map(f64::to_bits) != Some(ours.to_bits()) {
            write!(text, "{}: {ours}, not {theirs}, ", member.escape_ascii()).unwrap();
        }
    }
    text
}

/// A server does not tell more of what has expired and is still there.
fn is_over(at: i64) -> bool {
    at <= now() + 5
}

fn expiries(server: &mut Server, entries: &[&Entry<'_>]) -> Vec<String> {
    let absolute = server.like.at_least_redis(7, 0);
    let question = if absolute { "PEXPIRETIME" } else { "PTTL" };
    let entries: Vec<_> = entries.iter().filter(|entry| entry.expires.is_none_or(|at| !is_over(at.0))).collect();
    let questions: Vec<_> = entries.iter().map(|entry| about(question, &entry.key, &[])).collect();
    let answers = server.client.call_all(&questions);
    let differs = |(entry, answer): (&&&Entry<'_>, Reply)| {
        let ours = entry.expires.map_or(-1, |at| at.0);
        let theirs = match answer.number() {
            // It went while we asked.
            Some(-2) if entry.expires.is_some_and(|at| is_over(at.0)) => return None,
            Some(left) if left >= 0 && !absolute && (now() + left).abs_diff(ours) < 2000 => ours,
            Some(number) => number,
            None => return Some(format!("{}: {answer:?}", entry.key.escape_ascii())),
        };
        (ours != theirs).then(|| format!("{}: expires at {ours}, not {theirs}", entry.key.escape_ascii()))
    };
    entries.iter().zip(answers).filter_map(differs).collect()
}

/// Is there a field of a hash whose time is up, or soon will be?
pub(crate) fn has_fields_about_to_go(keyspace: &Keyspace<'_>) -> bool {
    let soon = now() + 1000;
    let goes = |entry: &Entry<'_>| match &*value(entry) {
        Value::Hash(hash) => hash.iter().any(|(field, _)| hash.expiry(field).is_some_and(|at| at.0 < soon)),
        _ => false,
    };
    keyspace.dbs().flat_map(|(_, db)| db.iter()).any(goes)
}

/// Fields of hashes that expire.
fn fields(server: &mut Server, entries: &[&Entry<'_>]) -> Vec<String> {
    if !server.knows("HPEXPIRETIME") {
        return Vec::new();
    }
    let mut questions = Vec::new();
    let mut expected = Vec::new();
    for entry in entries.iter().filter(|entry| entry.expires.is_none_or(|at| !is_over(at.0))) {
        let value = value(entry);
        let Value::Hash(hash) = &*value else { continue };
        for (field, _) in hash.iter().take(30) {
            questions.push(about("HPEXPIRETIME", &entry.key, &[b"FIELDS", b"1", field]));
            expected.push((entry.key.escape_ascii(), field.to_vec(), hash.expiry(field).map_or(-1, |at| at.0)));
        }
    }
    let answers = server.client.call_all(&questions);
    let differs = |((key, field, ours), answer): ((_, Vec<u8>, i64), Reply)| {
        let over = ours >= 0 && is_over(ours);
        let same = answer == Reply::Many(vec![Reply::Integer(ours)]);
        (!over && !same).then(|| format!("{key} {}: expires at {ours}, not {answer:?}", field.escape_ascii()))
    };
    expected.into_iter().zip(answers).filter_map(differs).collect()
}

fn functions(server: &mut Server, keyspace: &Keyspace<'_>) -> Option<String> {
    if !server.knows("FUNCTION") {
        return None;
    }
    let theirs = server.client.call(&["FUNCTION", "LIST", "WITHCODE"]);
    let mut theirs: Vec<_> = theirs.many().iter().map(|one| one.named("library_code").text()).collect();
    let mut ours: Vec<_> = keyspace.libraries().map(|code| String::from_utf8_lossy(code).into_owned()).collect();
    theirs.sort();
    ours.sort();
    (ours != theirs).then(|| format!("functions {ours:?}, not {theirs:?}"))
}

/// What differs in streams beside their entries: last ids and counts, groups with what is pending, consumers. A live
/// server knows more of it than it logs, so it must have loaded its log.
pub(crate) fn streams(server: &mut Server, keyspace: &Keyspace<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for index in 0..4 {
        server.client.call(&["SELECT", &index.to_string()]);
        let entries = keyspace.db(DbIndex(index)).into_iter().flat_map(|db| db.iter());
        for entry in entries.filter(|entry| entry.expires.is_none_or(|at| !is_over(at.0))) {
            let value = value(entry);
            let Value::Stream(stream) = &*value else { continue };
            let counts = server.like.at_least_redis(7, 0);
            let answer = server.client.call(&about("XINFO STREAM", &entry.key, &[b"FULL", b"COUNT", b"0"]));
            let (ours, theirs) = (our_text(stream, counts), their_text(&answer, counts));
            if ours != theirs {
                let key = entry.key.escape_ascii();
                wrong.push(format!("db {index} {key}:\n  ours   {ours}\n  theirs {theirs}"));
            }
        }
    }
    wrong
}

fn our_text(stream: &Stream<'_>, counts: bool) -> String {
    let mut text = format!("{} entries, last {}", stream.len(), stream.last_id);
    if counts {
        write!(text, ", deleted {}, added {}", stream.max_deleted_id, stream.entries_added).unwrap();
    }
    let groups: BTreeMap<_, _> = stream.groups.iter().collect();
    for (name, group) in groups {
        write!(text, "; group {} at {}", name.escape_ascii(), group.last_delivered).unwrap();
        if counts {
            write!(text, " read {:?}", group.entries_read).unwrap();
        }
        for (id, pending) in &group.pending {
            let (consumer, at) = (pending.consumer.escape_ascii(), pending.delivered_at.0);
            write!(text, ", {id} {consumer} {at} {}", pending.deliveries).unwrap();
        }
        let mut consumers: Vec<_> = group.consumers.iter().map(|(name, _)| name.escape_ascii().to_string()).collect();
        consumers.sort();
        write!(text, ", {consumers:?}").unwrap();
    }
    text
}

fn their_text(answer: &Reply, counts: bool) -> String {
    let number = |reply: &Reply| reply.number().unwrap_or(-99);
    let mut text =
        format!("{} entries, last {}", number(answer.named("length")), answer.named("last-generated-id").text());
    if counts {
        let (deleted, added) = (answer.named("max-deleted-entry-id").text(), number(answer.named("entries-added")));
        write!(text, ", deleted {deleted}, added {added}").unwrap();
    }
    let groups: BTreeMap<_, _> =
        answer.named("groups").many().iter().map(|group| (group.named("name").bytes(), group)).collect();
    for (name, group) in groups {
        write!(text, "; group {} at {}", name.escape_ascii(), group.named("last-delivered-id").text()).unwrap();
        if counts {
            write!(text, " read {:?}", group.named("entries-read").number()).unwrap();
        }
        let pending =
            if group.named("pending") == &Reply::Nothing { group.named("pel") } else { group.named("pending") };
        for one in pending.many() {
            let [id, consumer, at, deliveries] = one.many() else { continue };
            let (id, consumer) = (id.text(), consumer.bytes().escape_ascii());
            write!(text, ", {id} {consumer} {} {}", number(at), number(deliveries)).unwrap();
        }
        let consumers = group.named("consumers").many().iter();
        let mut consumers: Vec<_> = consumers.map(|one| one.named("name").bytes().escape_ascii().to_string()).collect();
        consumers.sort();
        write!(text, ", {consumers:?}").unwrap();
    }
    text
}
