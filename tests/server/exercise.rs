//! Random commands for a server: in batches, some within transactions and scripts, some from a second client that
//! they may block.

use crate::client::{Client, Reply, request};
use crate::generate::Generator;
use crate::process::Server;
use careen::replay::table;
use std::collections::BTreeMap;

/// How often each command of our table was sent, and executed without an error.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally(BTreeMap<&'static str, (u64, u64)>);

impl Tally {
    fn note(&mut self, command: Option<&'static str>, reply: &Reply) {
        let Some(name) = command else { return };
        let (sent, done) = self.0.entry(name).or_default();
        *sent += 1;
        *done += u64::from(!matches!(reply, Reply::Error(_)));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, (sent, done)) in &other.0 {
            let (all_sent, all_done) = self.0.entry(name).or_default();
            *all_sent += sent;
            *all_done += done;
        }
    }

    pub(crate) fn sent(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |(sent, _)| *sent)
    }

    pub(crate) fn done(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |(_, done)| *done)
    }
}

/// The name of a command in our table.
fn name_of(words: &[Vec<u8>]) -> Option<&'static str> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    table::find(&words).map(|command| command.name)
}

/// What a request of a batch was for.
enum Sent {
    Dump,
    Functions,
    Multi,
    Queued(Option<&'static str>),
    Exec,
    Command(Option<&'static str>),
}

/// Requests that are sent at once.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    sent: Vec<Sent>,
}

impl Batch {
    fn push(&mut self, sent: Sent, words: &[Vec<u8>]) {
        self.bytes.extend(request(words));
        self.sent.push(sent);
    }

    fn text(&mut self, sent: Sent, line: &str) {
        self.push(sent, &crate::client::words(line));
    }

    /// Fetch the replies, for the count and for what later commands make of them.
    fn settle(self, client: &mut Client, generator: &mut Generator, tally: &mut Tally) {
        let mut queue = Vec::new();
        for sent in self.sent {
            let reply = client.reply();
            match sent {
                Sent::Dump => generator.hear_dump(&reply),
                Sent::Functions => generator.hear_functions(&reply),
                Sent::Multi => queue.clear(),
                Sent::Queued(name) => queue.push((name, reply)),
                Sent::Exec => {
                    let replies = reply.many().iter();
                    queue.drain(..).zip(replies).for_each(|((name, _), reply)| tally.note(name, reply));
                }
                Sent::Command(name) => {
                    if name == Some("XADD") {
                        generator.hear_id(&reply);
                    }
                    tally.note(name, &reply);
                }
            }
        }
    }
}

/// Run so many commands.
pub(crate) fn exercise(server: &mut Server, waiter: &mut Client, generator: &mut Generator, commands: u64) -> Tally {
    let mut tally = Tally::default();
    let mut left = commands;
    while left > 0 {
        let size = (1 + generator.dice.below(200)).min(left);
        left -= size;
        let (main, blocking) = batch(generator, size);
        waiter.send(&blocking.bytes);
        server.client.send(&main.bytes);
        main.settle(&mut server.client, generator, &mut tally);
        blocking.settle(waiter, generator, &mut tally);
    }
    tally
}

/// One batch for each of the two clients.
fn batch(generator: &mut Generator, size: u64) -> (Batch, Batch) {
    let (mut main, mut blocking) = (Batch::default(), Batch::default());
    for _ in 0..2 {
        let key = generator.key();
        main.push(Sent::Dump, &[b"DUMP".to_vec(), key]);
    }
    main.text(Sent::Functions, "FUNCTION DUMP");
    for _ in 0..size {
        match generator.dice.below(200) {
            0..4 => {
                main.text(Sent::Multi, "MULTI");
                for _ in 0..generator.dice.below(5) {
                    let words = generator.command();
                    main.push(Sent::Queued(name_of(&words)), &words);
                }
                main.text(Sent::Exec, "EXEC");
            }
            4..8 => main.push(Sent::Command(None), &generator.script()),
            8..16 => {
                let words = generator.blocking();
                blocking.push(Sent::Command(name_of(&words)), &words);
            }
            _ => {
                let words = generator.command();
                main.push(Sent::Command(name_of(&words)), &words);
            }
        }
    }
    (main, blocking)
}
