//! A blocking client of a few lines: what a test says to its server behind the backend's back.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's helper fails by a panic"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Nil,
    Int(i64),
    Text(String),
    Error(String),
    Array(Vec<Self>),
}

impl Reply {
    /// The text, or what else it is, for people.
    pub fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    pub fn int(self) -> i64 {
        match self {
            Self::Int(number) => number,
            other => panic!("not a number: {other:?}"),
        }
    }

    pub fn list(self) -> Vec<Self> {
        match self {
            Self::Array(parts) => parts,
            other => panic!("not a list: {other:?}"),
        }
    }
}

/// One connection.
pub struct Client(BufReader<UnixStream>);

impl Client {
    pub fn connect(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub fn send(&mut self, words: &[&str]) -> std::io::Result<()> {
        let mut packed = format!("*{}\r\n", words.len());
        for word in words {
            packed.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(packed.as_bytes())
    }

    pub fn call(&mut self, words: &[&str]) -> std::io::Result<Reply> {
        self.send(words)?;
        self.read()
    }

    pub fn read(&mut self) -> std::io::Result<Reply> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        let (kind, rest) = line.split_at(1);
        Ok(match kind {
            "+" => Reply::Text(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Int(rest.parse().unwrap()),
            "$" if rest == "-1" => Reply::Nil,
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Reply::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            "*" => {
                let parts = rest.parse::<i64>().unwrap();
                if parts < 0 {
                    return Ok(Reply::Nil);
                }
                Reply::Array((0..parts).map(|_| self.read()).collect::<Result<_, _>>()?)
            }
            _ => panic!("not RESP2: {line}"),
        })
    }
}
