//! A client that knows as much RESP as is needed here.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

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

    pub(crate) fn texts(&self) -> Vec<Vec<u8>> {
        let Self::Many(all) = self else { return Vec::new() };
        all.iter().filter_map(|one| if let Self::Text(bytes) = one { Some(bytes.clone()) } else { None }).collect()
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) fn connect(socket: &Path) -> std::io::Result<Self> {
        Ok(Self(BufReader::new(UnixStream::connect(socket)?)))
    }

    pub(crate) fn call(&mut self, words: &[impl AsRef<[u8]>]) -> Reply {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            let word = word.as_ref();
            request.extend(format!("${}\r\n", word.len()).into_bytes());
            request.extend(word);
            request.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&request).unwrap();
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).unwrap();
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
