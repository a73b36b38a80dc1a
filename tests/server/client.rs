//! A client that knows as much RESP as is needed here.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Text(Vec<u8>),
    Integer(i64),
    Error(String),
    Nothing,
    Many(Vec<Reply>),
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("{other:?}"),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if let Self::Text(bytes) = self { bytes } else { b"" }
    }

    pub(crate) fn number(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn many(&self) -> &[Reply] {
        if let Self::Many(all) = self { all } else { &[] }
    }

    pub(crate) fn texts(&self) -> Vec<Vec<u8>> {
        self.many().iter().filter(|one| matches!(one, Self::Text(_))).map(|one| one.bytes().to_vec()).collect()
    }

    /// The value that follows a name in a flat list of names and values.
    pub(crate) fn named(&self, name: &str) -> &Reply {
        let pair = self.many().chunks(2).find(|pair| pair[0].bytes() == name.as_bytes());
        pair.map_or(&Self::Nothing, |pair| &pair[1])
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) fn connect(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        // A server that dies may be stuck in its report of that.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn call(&mut self, words: &[impl AsRef<[u8]>]) -> Reply {
        self.send(&request(words));
        self.reply()
    }

    /// Send requests at once. Their replies are to be fetched with [`Client::reply`].
    pub(crate) fn send(&mut self, requests: &[u8]) {
        self.0.get_mut().write_all(requests).unwrap();
    }

    /// Send many requests at once and give their replies.
    pub(crate) fn call_all(&mut self, all: &[Vec<Vec<u8>>]) -> Vec<Reply> {
        self.send(&all.iter().map(|words| request(words)).collect::<Vec<_>>().concat());
        all.iter().map(|_| self.reply()).collect()
    }

    pub(crate) fn reply(&mut self) -> Reply {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).expect("the server answers");
        assert!(line.len() >= 3, "the server is gone");
        let text = String::from_utf8_lossy(&line[1..line.len() - 2]).into_owned();
        match line[0] {
            b'+' => Reply::Text(text.into_bytes()),
            b'-' => Reply::Error(text),
            b':' => Reply::Integer(text.parse().unwrap()),
            b'$' => {
                let Ok(len) = text.parse::<usize>() else { return Reply::Nothing };
                let mut bytes = vec![0; len + 2];
                self.0.read_exact(&mut bytes).unwrap();
                bytes.truncate(len);
                Reply::Text(bytes)
            }
            b'*' => match text.parse::<usize>() {
                Ok(len) => Reply::Many((0..len).map(|_| self.reply()).collect()),
                Err(_) => Reply::Nothing,
            },
            other => panic!("not a reply: {other}"),
        }
    }
}

/// A command as it is sent.
pub(crate) fn request(words: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        request.extend(format!("${}\r\n", word.len()).into_bytes());
        request.extend(word);
        request.extend(b"\r\n");
    }
    request
}

/// The words of a line.
pub(crate) fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}
