//! The state at some moment as a snapshot.
//!
//! A history holds the newest messages that its owner wrote or got. Which ones is known once all have been sent, so
//! who wrote to whom and when is kept (24 bytes a message); the texts are made again when they are written.

use super::story::{Event, Sent, Story, name};
use crate::rdb::encode::{Encoder, Failure, KeyParts, Out, Walk};
use crate::rdb::{self, Element, Target, Writer};
use crate::value::{DbIndex, Kind, Piece};
use std::io::{self, Write};

/// All messages sent.
#[derive(Debug, Default)]
pub struct Ledger {
    sent: Vec<Sent>,
}

impl Ledger {
    /// Remember what happens.
    pub fn event(&mut self, event: &Event) {
        if let Event::Message(sent) = event {
            self.sent.push(*sent);
        }
    }

    /// For each user, where the messages of the history are in `slots`; they are indexes into `sent`, oldest first.
    fn histories(&self, story: &Story) -> (Vec<usize>, Vec<u32>) {
        let mut ends: Vec<usize> = Vec::with_capacity(story.users.len());
        let mut total = 0usize;
        for user in &story.users {
            total = total.saturating_add(usize::try_from(user.messages).unwrap_or(0));
            ends.push(total);
        }
        let mut slots = vec![0u32; total];
        // From the newest on, each user's slots are filled from the last to the first.
        let mut free: Vec<(usize, u32)> =
            ends.iter().copied().zip(story.users.iter().map(|user| user.messages)).collect();
        for (index, sent) in self.sent.iter().enumerate().rev() {
            for user in [sent.to, sent.from] {
                let Some((end, left)) = usize::try_from(user).ok().and_then(|user| free.get_mut(user)) else {
                    continue;
                };
                if *left == 0 {
                    continue;
                }
                *left = left.saturating_sub(1);
                *end = end.saturating_sub(1);
                if let (Some(slot), Ok(index)) = (slots.get_mut(*end), u32::try_from(index)) {
                    *slot = index;
                }
            }
        }
        (ends, slots)
    }
}

/// A collection in a few bytes: texts behind one another, with a score each in a sorted set.
#[derive(Debug)]
struct Collection {
    kind: Kind,
    text: Vec<u8>,
    ends: Vec<(usize, f64)>,
}

impl Collection {
    fn new(kind: Kind) -> Self {
        Self { kind, text: Vec::new(), ends: Vec::new() }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn user(&mut self, user: u64, score: f64) {
        self.text.extend_from_slice(itoa::Buffer::new().format(user).as_bytes());
        self.ends.push((self.text.len(), score));
    }
}

impl<'a> Walk<'a> for &Collection {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> rdb::Result<()>) -> rdb::Result<()> {
        let mut start = 0;
        for &(end, score) in &self.ends {
            let text = Piece::Passing(self.text.get(start..end).unwrap_or_default());
            start = end;
            visit(match self.kind {
                Kind::Set => Element::Member(text, None),
                Kind::Zset => Element::Scored(text, score),
                _ => Element::Item(text),
            })?;
        }
        Ok(())
    }
}

/// Writes keys.
struct Keys<W: Write> {
    writer: Writer<W>,
    encoder: Encoder,
    bytes: Vec<u8>,
}

impl<W: Write> Keys<W> {
    fn put(&mut self, key: &[u8], collection: &Collection) -> io::Result<()> {
        if collection.ends.is_empty() {
            return Ok(());
        }
        let refused = |_: Failure| io::Error::other("a value could not be written");
        let mut value = collection;
        let plan = self.encoder.plan(&mut value).map_err(refused)?;
        self.encoder.head(&KeyParts { key, ..KeyParts::default() }, plan.value_type, &mut self.bytes);
        let (writer, db) = (&mut self.writer, DbIndex(0));
        let mut spill = |bytes: &mut Vec<u8>| {
            writer.raw(db, bytes);
            bytes.clear();
        };
        let mut out = Out { bytes: &mut self.bytes, spill: &mut spill };
        self.encoder.value(&plan, &mut value, &mut out).map_err(refused)?;
        spill(&mut self.bytes);
        self.writer.settle()
    }
}

/// Write the state of a story as a snapshot, the base of a log or one of its own.
///
/// # Errors
/// What the stream refuses.
pub fn write<W: Write>(
    story: &Story,
    ledger: &Ledger,
    is_base: bool,
    out: W,
    progress: &mut dyn FnMut(u64),
) -> io::Result<W> {
    let target = Target::named("redis-7.0").unwrap_or(rdb::target::PORTABLE);
    let mut keys = Keys { writer: Writer::new(out, target), encoder: Encoder::new(target, false), bytes: Vec::new() };
    let seconds = story.now.0.div_euclid(1000).to_string();
    for (aux, value) in [("redis-ver", target.server), ("redis-bits", "64"), ("ctime", &seconds)] {
        keys.writer.aux(aux.as_bytes(), value.as_bytes());
    }
    keys.writer.aux(b"aof-base", if is_base { b"1" } else { b"0" });
    presence(story, &mut keys)?;
    let (ends, slots) = ledger.histories(story);
    let mut history = Collection::new(Kind::List);
    let (mut begin, mut done) = (0, 0u64);
    for (user, &end) in (0u32..).zip(&ends) {
        history.clear();
        for sent in slots.get(begin..end).unwrap_or_default() {
            let sent = usize::try_from(*sent).ok().and_then(|sent| ledger.sent.get(sent));
            if let Some(sent) = sent {
                sent.write(story.settings().seed, &mut history.text);
                history.ends.push((history.text.len(), 0.0));
            }
        }
        begin = end;
        keys.put(format!("chat_history:{}", name(user)).as_bytes(), &history)?;
        done = done.saturating_add(history.ends.len() as u64);
        progress(done / 2);
    }
    keys.writer.finish().map(|(out, _)| out)
}

fn presence<W: Write>(story: &Story, keys: &mut Keys<W>) -> io::Result<()> {
    let users = || (0u32..).zip(&story.users);
    let mut online = Collection::new(Kind::Set);
    users().filter(|(_, user)| user.online).for_each(|(user, _)| online.user(name(user), 0.0));
    keys.put(b"online_users", &online)?;
    let mut status = Collection::new(Kind::Zset);
    // Offline users first, as servers keep sorted sets in order.
    for wanted in [false, true] {
        let some = users().filter(|(_, user)| user.known && user.online == wanted);
        some.for_each(|(user, _)| status.user(name(user), if wanted { 1.0 } else { 0.0 }));
    }
    keys.put(b"user_status", &status)
}
