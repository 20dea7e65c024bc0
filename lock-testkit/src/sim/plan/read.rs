//! Plans from text.

use std::{fmt, str::FromStr, time::Duration};

use super::{Action, Change, Fault, FaultPlan, Leg, Operation, Span, Trigger, Who};

/// A text that is no fault plan, and where it stops being one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fault plan: line {line}, column {column}: {expected} is expected, not {found}")]
pub struct ParsePlanError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is expected there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl FromStr for FaultPlan {
    type Err = ParsePlanError;

    fn from_str(text: &str) -> Result<Self, ParsePlanError> {
        let mut faults = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let text = text.split('#').next().unwrap_or_default();
            let mut column = 1;
            for part in text.split(';') {
                let mut words = Words::of(part, line + 1, column);
                column += part.chars().count() + 1;
                if words.peek().is_some() && !words.take("nothing") {
                    faults.push(fault(&mut words)?);
                }
                words.end()?;
            }
        }
        Ok(Self { faults })
    }
}

const ACTIONS: &str = "`pause`, `crash`, `partition`, `lose`, `delay`, `reorder`, `duplicate`, `restart`, `failover`, `step` or `skew`";

fn fault(words: &mut Words<'_>) -> Result<Fault, ParsePlanError> {
    let action = match words.next(ACTIONS)?.text {
        "pause" => {
            let who = words.who(&[Part::Clients, Part::Server])?;
            words.word("for")?;
            Action::Pause { who, span: words.span()? }
        }
        "crash" => {
            let who = words.who(&[Part::Clients])?;
            Action::Crash { who, down: if words.take("for") { Some(words.span()?) } else { None } }
        }
        "partition" => {
            let who = words.who(&[Part::Clients, Part::Server])?;
            words.word("for")?;
            Action::Partition { who, span: words.span()? }
        }
        change @ ("lose" | "delay" | "reorder" | "duplicate") => return message(words, change),
        "restart" => {
            words.word("server")?;
            let data = match words.next("`with` or `without`")? {
                Word { text: "with", .. } => true,
                Word { text: "without", .. } => false,
                other => return Err(other.not("`with` or `without`")),
            };
            words.word("data")?;
            Action::Restart { data, down: words.down()? }
        }
        "failover" => {
            words.word("server")?;
            words.word("losing")?;
            let lost = words.number("how many operations", 0, 1_000)?;
            let _plural = words.take("operations") || words.take("operation");
            Action::Failover { lost, down: words.down()? }
        }
        "step" => {
            let who = words.clock_of()?;
            let back = words.sign();
            Action::Step { who, back, by: words.span()? }
        }
        "skew" => {
            let who = words.clock_of()?;
            let back = words.sign();
            let ppm = words.number("how many ppm", 0, 500_000)?;
            let ppm = i32::try_from(ppm).unwrap_or(0);
            words.word("ppm")?;
            Action::Skew { who, ppm: if back { -ppm } else { ppm } }
        }
        _ => return Err(words.back().not(ACTIONS)),
    };
    Ok(Fault { action, when: trigger(words)? })
}

/// `lose reply of renewal 2 of client 1`, `delay request of acquire by 2s`.
fn message(words: &mut Words<'_>, change: &str) -> Result<Fault, ParsePlanError> {
    let leg = match words.next("`request` or `reply`")? {
        Word { text: "request", .. } => Leg::Request,
        Word { text: "reply", .. } => Leg::Reply,
        other => return Err(other.not("`request` or `reply`")),
    };
    words.word("of")?;
    let operation = words.operation()?;
    let nth = words.nth()?;
    let when = Trigger::Message { operation, nth, client: words.client("of")? };
    let mut by = || {
        words.word("by")?;
        words.span()
    };
    let change = match change {
        "lose" => Change::Lose,
        "delay" => Change::Delay(by()?),
        "reorder" => Change::Reorder(by()?),
        _ => Change::Duplicate(by()?),
    };
    Ok(Fault { action: Action::Message { leg, change }, when })
}

fn trigger(words: &mut Words<'_>) -> Result<Trigger, ParsePlanError> {
    const WHEN: &str = "`at`, `after`, `before` or the end";
    let Some(word) = words.peek() else { return Ok(Trigger::At(Span::ZERO)) };
    match word.text {
        "at" => {
            words.word("at")?;
            let time = words.peek().is_some_and(|word| word.text.starts_with(char::is_numeric));
            if time {
                return Ok(Trigger::At(words.span()?));
            }
            let operation = words.operation()?;
            Ok(Trigger::Message { operation, nth: words.nth()?, client: words.client("of")? })
        }
        "after" => {
            words.word("after")?;
            words.word("grant")?;
            Ok(Trigger::Grant { nth: words.nth()?, client: words.client("to")? })
        }
        "before" => {
            words.word("before")?;
            let name = words.name()?;
            Ok(Trigger::Point { name, nth: words.nth()?, client: words.client("of")? })
        }
        _ => Err(word.not(WHEN)),
    }
}

/// Who can be struck by an action.
#[derive(PartialEq)]
enum Part {
    Clients,
    Server,
}

#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    line: usize,
    column: usize,
}

impl Word<'_> {
    fn not(self, expected: impl fmt::Display) -> ParsePlanError {
        let Self { text, line, column } = self;
        let found = if text.is_empty() { "the end".to_owned() } else { format!("`{text}`") };
        ParsePlanError { line, column, expected: expected.to_string(), found }
    }
}

/// The words of one fault. A number and the unit behind it are two words, with or without a blank, and so is a sign.
struct Words<'a> {
    words: Vec<Word<'a>>,
    place: usize,
    end: Word<'a>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str, line: usize, first_column: usize) -> Self {
        let column = |at: usize| first_column + text[..at].chars().count();
        let mut words = Vec::new();
        let mut begin = 0;
        for chunk in text.split_inclusive(char::is_whitespace) {
            let mut rest = chunk.trim_end();
            let mut at = begin;
            while !rest.is_empty() {
                let (word, after) = rest.split_at(word_length(rest));
                words.push(Word { text: word, line, column: column(at) });
                at += word.len();
                rest = after;
            }
            begin += chunk.len();
        }
        let end = Word { text: "", line, column: column(text.trim_end().len()) };
        Self { words, place: 0, end }
    }

    fn peek(&self) -> Option<Word<'a>> {
        self.words.get(self.place).copied()
    }

    fn back(&mut self) -> Word<'a> {
        self.place = self.place.saturating_sub(1);
        self.peek().unwrap_or(self.end)
    }

    fn next(&mut self, expected: impl fmt::Display) -> Result<Word<'a>, ParsePlanError> {
        let word = self.peek().ok_or_else(|| self.end.not(expected))?;
        self.place += 1;
        Ok(word)
    }

    fn take(&mut self, text: &str) -> bool {
        let is = self.peek().is_some_and(|word| word.text == text);
        self.place += usize::from(is);
        is
    }

    fn word(&mut self, text: &str) -> Result<(), ParsePlanError> {
        let expected = format!("`{text}`");
        let word = self.next(&expected)?;
        if word.text == text { Ok(()) } else { Err(word.not(expected)) }
    }

    fn end(&mut self) -> Result<(), ParsePlanError> {
        self.peek().map_or(Ok(()), |word| Err(word.not("`;` or the end of the line")))
    }

    fn sign(&mut self) -> bool {
        let back = self.take("-");
        let _forward = !back && self.take("+");
        back
    }

    fn number(&mut self, what: &str, least: u32, most: u32) -> Result<u32, ParsePlanError> {
        let expected = format!("{what} ({least} to {most})");
        let word = self.next(&expected)?;
        let number = word.text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| word.not(expected))
    }

    /// How often, once unless said.
    fn nth(&mut self) -> Result<u32, ParsePlanError> {
        if self.peek().is_some_and(|word| word.text.starts_with(|c: char| c.is_ascii_digit())) {
            return self.number("a count", 1, 1_000_000);
        }
        Ok(1)
    }

    fn client(&mut self, of: &str) -> Result<Option<u32>, ParsePlanError> {
        if !self.take(of) {
            return Ok(None);
        }
        self.word("client")?;
        self.number("the number of a client", 1, 1_000).map(Some)
    }

    fn who(&mut self, parts: &[Part]) -> Result<Who, ParsePlanError> {
        let expected = match parts.contains(&Part::Server) {
            true => "`holder`, `client`, `all clients` or `server`",
            false => "`holder`, `client` or `all clients`",
        };
        let word = self.next(expected)?;
        match word.text {
            "holder" => Ok(Who::Holder),
            "client" => self.number("the number of a client", 1, 1_000).map(Who::Client),
            "all" => self.word("clients").map(|()| Who::Clients),
            "server" if parts.contains(&Part::Server) => Ok(Who::Server),
            _ => Err(word.not(expected)),
        }
    }

    fn clock_of(&mut self) -> Result<Who, ParsePlanError> {
        self.word("clock")?;
        self.word("of")?;
        let who = self.who(&[Part::Clients, Part::Server])?;
        self.word("by")?;
        Ok(who)
    }

    fn down(&mut self) -> Result<Span, ParsePlanError> {
        if self.take("for") { self.span() } else { Ok(Span::ZERO) }
    }

    fn operation(&mut self) -> Result<Operation, ParsePlanError> {
        let known = Operation::WORDS;
        let expected = known.map(|(_, word)| format!("`{word}`")).join(", ");
        let word = self.next(&expected)?;
        let found = known.iter().find(|(_, known)| *known == word.text);
        found.map(|(operation, _)| *operation).ok_or_else(|| word.not(expected))
    }

    fn name(&mut self) -> Result<String, ParsePlanError> {
        let expected = "the name of a point (small letters, digits, `_` and `-`, a letter first)";
        let word = self.next(expected)?;
        if is_name(word.text) { Ok(word.text.to_owned()) } else { Err(word.not(expected)) }
    }

    fn span(&mut self) -> Result<Span, ParsePlanError> {
        let word = self.next("a length of time")?;
        let unit = self.next("`ns`, `us`, `ms`, `s` or `ttl`")?;
        let size = match unit.text {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "ttl" | "ttls" => 0,
            _ => return Err(unit.not("`ns`, `us`, `ms`, `s` or `ttl`")),
        };
        if size == 0 {
            let millis = decimal(word.text, 1_000).filter(|it| *it <= u64::from(Span::MOST_MILLIS));
            let millis = millis.and_then(|millis| u32::try_from(millis).ok());
            return millis
                .map(Span::Ttls)
                .ok_or_else(|| word.not("a number of ttls up to 1000, with up to 3 decimals"));
        }
        let time = decimal(word.text, size).map(Duration::from_nanos);
        let time = time.filter(|time| *time <= Span::LONGEST);
        time.map(Span::Time).ok_or_else(|| word.not("a whole number of nanoseconds up to an hour"))
    }
}

/// How long the first word is: a sign, a number, or the rest.
fn word_length(text: &str) -> usize {
    if text.starts_with(['+', '-']) {
        return 1;
    }
    if !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return text.len();
    }
    text.find(|letter: char| letter != '.' && !letter.is_ascii_digit()).unwrap_or(text.len())
}

/// A decimal number times `size`, if that is whole.
fn decimal(text: &str, size: u64) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(part.len()).ok()?);
    let part = part.parse::<u64>().ok()?.checked_mul(size)?;
    let whole = whole.parse::<u64>().ok()?.checked_mul(size)?;
    if part % scale == 0 { whole.checked_add(part / scale) } else { None }
}

/// Whether this can name a point in a plan.
pub(in crate::sim) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(plain)
}
