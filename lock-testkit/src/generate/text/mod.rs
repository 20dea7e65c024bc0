//! Programs as text: one line.

mod write;

use std::{fmt, str::FromStr, time::Duration};

use super::program::{Action, Ask, LeaseRef, Link, Program, Sharing, Step};

/// A text that is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no program: {message}, at `{at}`")]
pub struct ParseProgramError {
    message: &'static str,
    at: String,
}

fn bad(message: &'static str, at: impl fmt::Display) -> ParseProgramError {
    ParseProgramError { message, at: at.to_string() }
}

impl From<Program> for String {
    fn from(program: Program) -> Self {
        program.to_string()
    }
}

impl TryFrom<String> for Program {
    type Error = ParseProgramError;

    fn try_from(text: String) -> Result<Self, ParseProgramError> {
        text.parse()
    }
}

impl FromStr for Program {
    type Err = ParseProgramError;

    fn from_str(text: &str) -> Result<Self, ParseProgramError> {
        let mut program = Self::default();
        let mut parts: Vec<&str> = text.split('/').collect();
        let clients = parts.pop().unwrap_or_default();
        for part in parts {
            let mut words = Words::of(part);
            match words.next("`link` or `order`")? {
                "order" => program.order = words.number("a seed")?,
                "link" => {
                    let (seed, delay) = (words.number("a seed")?, words.time("a delay")?);
                    program.link = Some(Link { seed, delay, loss: words.number("a loss")? });
                }
                other => return Err(bad("`link` or `order` is expected", other)),
            }
            words.end()?;
        }
        for client in clients.split('|') {
            let steps = client.split(';').map(str::trim).filter(|step| !matches!(*step, "" | "-"));
            program.clients.push(steps.map(str::parse).collect::<Result<_, _>>()?);
        }
        Ok(program)
    }
}

impl FromStr for Step {
    type Err = ParseProgramError;

    fn from_str(text: &str) -> Result<Self, ParseProgramError> {
        let mut words = Words::of(text);
        let think = match words.after('+') {
            Some(time) => parse_time(time)?,
            None => Duration::ZERO,
        };
        let action = action(&mut words)?;
        let cut = if words.take("cut") { Some(words.time("a time")?) } else { None };
        words.end()?;
        Ok(Self { think, action, cut })
    }
}

fn action(words: &mut Words<'_>) -> Result<Action, ParseProgramError> {
    let action = match words.next("a step")? {
        "try" => Action::Try(ask(words)?),
        "wait" => {
            let mut ask = ask(words)?;
            let wait = words.time("how long to wait")?;
            hold(words, &mut ask)?;
            Action::Wait(ask, wait)
        }
        "again" => {
            let lease = words.lease()?;
            let wait = words.peek().and_then(|word| parse_time(word).ok());
            if wait.is_some() {
                words.next("a time")?;
            }
            Action::Again { lease, wait, other: words.take("other") }
        }
        "extend" => Action::Extend(words.lease()?, words.time("a ttl")?),
        "release" => Action::Release(words.lease()?),
        "look" => Action::Look(words.key()?),
        "revoke" => Action::Revoke(words.key()?),
        other => return Err(bad("a step is expected", other)),
    };
    Ok(action)
}

fn ask(words: &mut Words<'_>) -> Result<Ask, ParseProgramError> {
    let mut keys = 0;
    for letter in words.next("keys")?.chars() {
        keys |= 1 << parse_letter(letter)?;
    }
    let mode = words.next("a mode")?;
    let (sharing, permits) = mode.split_once('*').unwrap_or((mode, "1"));
    let sharing = match sharing {
        "x" => Sharing::Exclusive,
        "s" => Sharing::Shared,
        limited => {
            let limit = limited.strip_prefix('s').and_then(|limit| limit.parse().ok());
            Sharing::Limit(limit.ok_or_else(|| bad("a mode is expected", mode))?)
        }
    };
    let permits = permits.parse().map_err(|_| bad("permits are expected", mode))?;
    let ttl = words.time("a ttl")?;
    let mut ask = Ask { keys, sharing, permits, ttl, hold: Duration::ZERO };
    hold(words, &mut ask)?;
    Ok(ask)
}

fn hold(words: &mut Words<'_>, ask: &mut Ask) -> Result<(), ParseProgramError> {
    if words.take("hold") {
        ask.hold = words.time("a minimum hold")?;
    }
    Ok(())
}

fn parse_letter(letter: char) -> Result<u8, ParseProgramError> {
    match letter {
        'a'..='h' => Ok(u8::try_from(letter).unwrap_or(b'a') - b'a'),
        other => Err(bad("a key from a to h is expected", other)),
    }
}

fn parse_time(text: &str) -> Result<Duration, ParseProgramError> {
    let scaled = |digits: &str, scale| digits.parse::<u64>().ok()?.checked_mul(scale);
    let micros = match (text.strip_suffix("ms"), text.strip_suffix("us")) {
        (Some(millis), _) => scaled(millis, 1_000),
        (None, Some(micros)) => scaled(micros, 1),
        (None, None) => None,
    };
    micros.map(Duration::from_micros).ok_or_else(|| bad("a time in ms or us is expected", text))
}

/// The words of a step, one after the other.
struct Words<'a> {
    words: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
    text: &'a str,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        Self { words: text.split_whitespace().peekable(), text }
    }

    fn peek(&mut self) -> Option<&'a str> {
        self.words.peek().copied()
    }

    fn next(&mut self, what: &'static str) -> Result<&'a str, ParseProgramError> {
        self.words.next().ok_or_else(|| bad(what, format_args!("{} …", self.text)))
    }

    fn take(&mut self, word: &str) -> bool {
        self.words.next_if(|next| *next == word).is_some()
    }

    fn after(&mut self, prefix: char) -> Option<&'a str> {
        self.words.next_if(|next| next.starts_with(prefix)).and_then(|word| word.get(1..))
    }

    fn number<T: FromStr>(&mut self, what: &'static str) -> Result<T, ParseProgramError> {
        let word = self.next(what)?;
        word.parse().map_err(|_| bad(what, word))
    }

    fn time(&mut self, what: &'static str) -> Result<Duration, ParseProgramError> {
        parse_time(self.next(what)?)
    }

    fn lease(&mut self) -> Result<LeaseRef, ParseProgramError> {
        let word = self.next("a lease")?;
        let client = word.trim_end_matches('-');
        let number: usize = client.parse().map_err(|_| bad("a client's number", word))?;
        let client = number.checked_sub(1).ok_or_else(|| bad("clients count from 1", word))?;
        Ok(LeaseRef { client, back: word.len() - word.trim_end_matches('-').len() })
    }

    fn key(&mut self) -> Result<u8, ParseProgramError> {
        let word = self.next("a key")?;
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => parse_letter(letter),
            _ => Err(bad("one key is expected", word)),
        }
    }

    fn end(&mut self) -> Result<(), ParseProgramError> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(bad("nothing more is expected", word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_program_is_refused_with_the_place() {
        let cases = [
            ("tri a x 20ms", "a step is expected, at `tri`"),
            ("try a x", "a ttl, at `try a x …`"),
            ("try i x 20ms", "a key from a to h is expected, at `i`"),
            ("try a y 20ms", "a mode is expected, at `y`"),
            ("try a x 20s", "a time in ms or us is expected, at `20s`"),
            ("release 0", "clients count from 1, at `0`"),
            ("release 1 2", "nothing more is expected, at `2`"),
            ("speed 3 / try a x 20ms", "`link` or `order` is expected, at `speed`"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Program>().unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }
}
