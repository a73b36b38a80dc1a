//! The story as commands.

use super::story::{Event, Settings, name};
use crate::aof::writer::{encode, encode_timestamp};
use std::io::{self, Write};

/// Bytes are handed on in blocks of this size.
const BLOCK: usize = 1 << 18;

/// Writes events as a server logs them.
#[derive(Debug)]
pub struct Log<W> {
    out: W,
    block: Vec<u8>,
    message: Vec<u8>,
    key: Vec<u8>,
    second: i64,
    settings: Settings,
}

impl<W: Write> Log<W> {
    /// A log that begins.
    pub fn new(out: W, settings: Settings) -> Self {
        let mut log = Self {
            out,
            block: Vec::with_capacity(BLOCK * 2),
            message: Vec::new(),
            key: Vec::new(),
            second: i64::MIN,
            settings,
        };
        if settings.messages == 0 {
            return log;
        }
        encode(&[&b"SELECT"[..], b"0"], &mut log.block);
        log
    }

    /// Write what happens.
    ///
    /// # Errors
    /// What the stream refuses.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let second = event.time().0.div_euclid(1000);
        if second != self.second {
            self.second = second;
            encode_timestamp(second, &mut self.block);
        }
        match *event {
            Event::Login(user, _) => self.presence(b"SADD", user, b"1"),
            Event::Logout(user, _) => self.presence(b"SREM", user, b"0"),
            Event::Trim(user, _) => {
                self.history(user);
                encode(&[&b"LTRIM"[..], &self.key, b"-1000", b"-1"], &mut self.block);
            }
            Event::Message(sent) => {
                self.message.clear();
                sent.write(self.settings.seed, &mut self.message);
                for user in [sent.from, sent.to] {
                    self.history(user);
                    encode(&[&b"RPUSH"[..], &self.key, &self.message], &mut self.block);
                }
                if self.settings.pushes {
                    encode(&[&b"PUBLISH"[..], b"chat", &self.message], &mut self.block);
                }
            }
        }
        if self.block.len() >= BLOCK { self.hand_on() } else { Ok(()) }
    }

    /// Write the rest.
    ///
    /// # Errors
    /// What the stream refuses.
    pub fn finish(mut self) -> io::Result<W> {
        self.hand_on()?;
        Ok(self.out)
    }

    fn presence(&mut self, command: &[u8], user: u32, score: &[u8]) {
        let mut digits = itoa::Buffer::new();
        let user = digits.format(name(user)).as_bytes();
        encode(&[command, b"online_users", user], &mut self.block);
        encode(&[&b"ZADD"[..], b"user_status", score, user], &mut self.block);
    }

    fn history(&mut self, user: u32) {
        self.key.clear();
        self.key.extend_from_slice(b"chat_history:");
        self.key.extend_from_slice(itoa::Buffer::new().format(name(user)).as_bytes());
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

const _: () = assert!(super::story::KEPT == 1000);
