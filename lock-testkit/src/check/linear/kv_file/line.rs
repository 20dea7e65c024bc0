//! One line of a key-value history.

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) process: u64,
    pub(super) kind: Kind,
    pub(super) function: Function,
    pub(super) key: String,
    pub(super) value: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Invoke,
    Ok,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Get,
    Put,
    Append,
}

/// Where in the line (bytes from 0), and what is wrong there.
type Wrong = (usize, String);

/// Reads one event.
pub(super) fn parse(line: &str) -> Result<Event, Wrong> {
    let mut cursor = Cursor { line, at: 0 };
    cursor.skip();
    let start = cursor.at;
    cursor.expect('{')?;
    let mut fields = Fields::default();
    while !cursor.eat('}') {
        let at = cursor.at;
        let name = cursor.keyword()?;
        cursor.skip();
        if !fields.fill(name, &mut cursor)? {
            return Err((at, format!(":{name} is no field, or was there already")));
        }
        cursor.skip();
    }
    cursor.skip();
    if cursor.at < line.len() {
        return Err((cursor.at, "the event ended before this".into()));
    }
    let missing = |name: &str| (start, format!(":{name} is missing"));
    Ok(Event {
        process: fields.process.ok_or_else(|| missing("process"))?,
        kind: fields.kind.ok_or_else(|| missing("type"))?,
        function: fields.function.ok_or_else(|| missing("f"))?,
        key: fields.key.ok_or_else(|| missing("key"))?,
        value: fields.value.flatten(),
    })
}

#[derive(Default)]
struct Fields {
    process: Option<u64>,
    kind: Option<Kind>,
    function: Option<Function>,
    key: Option<String>,
    value: Option<Option<String>>,
}

impl Fields {
    /// Reads the value of a field; false if there is no such field, or it has a value.
    fn fill(&mut self, name: &str, cursor: &mut Cursor<'_>) -> Result<bool, Wrong> {
        match name {
            "process" if self.process.is_none() => self.process = Some(cursor.number()?),
            "type" if self.kind.is_none() => {
                self.kind = Some(cursor.one_of(&[("invoke", Kind::Invoke), ("ok", Kind::Ok)])?);
            }
            "f" if self.function.is_none() => {
                let functions =
                    [("get", Function::Get), ("put", Function::Put), ("append", Function::Append)];
                self.function = Some(cursor.one_of(&functions)?);
            }
            "key" if self.key.is_none() => self.key = Some(cursor.string()?),
            "value" if self.value.is_none() => {
                let none = cursor.eat_word("nil");
                self.value = Some(if none { None } else { Some(cursor.string()?) });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// Commas are space here.
    fn skip(&mut self) {
        let rest = self.rest();
        let kept = rest.trim_start_matches(|next: char| next.is_whitespace() || next == ',');
        self.at += rest.len() - kept.len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip();
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), Wrong> {
        if self.eat(wanted) { Ok(()) } else { Err((self.at, format!("`{wanted}` expected"))) }
    }

    fn word(&self) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|next: char| !next.is_ascii_alphanumeric()).unwrap_or(rest.len());
        &rest[..length]
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.word() == wanted;
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn keyword(&mut self) -> Result<&'a str, Wrong> {
        self.expect(':')?;
        let word = self.word();
        self.at += word.len();
        Ok(word)
    }

    fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Result<T, Wrong> {
        let at = self.at;
        let found = self.keyword()?;
        let known = words.iter().find(|(word, _)| *word == found);
        known.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|(word, _)| format!(":{word}")).collect();
            (at, format!("one of {} expected", known.join(", ")))
        })
    }

    fn number(&mut self) -> Result<u64, Wrong> {
        let word = self.word();
        let number = word.parse().map_err(|_| (self.at, "a number expected".to_owned()))?;
        self.at += word.len();
        Ok(number)
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        self.expect('"')?;
        let mut text = String::new();
        let mut escaped = None;
        let body = self.at;
        let mut characters = self.rest().char_indices();
        while let Some((offset, next)) = characters.next() {
            let at = body + offset;
            match (escaped.take(), next) {
                (None, '"') => {
                    self.at = at + 1;
                    return Ok(text);
                }
                (None, '\\') => escaped = Some(at),
                (None, other) => text.push(other),
                (Some(from), 'u') => {
                    let digits = self.line.get(at + 1..at + 5);
                    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                    let Some(decoded) = code.and_then(char::from_u32) else {
                        return Err((from, "`\\u` wants four hexadecimal digits".into()));
                    };
                    text.push(decoded);
                    characters.nth(3);
                }
                (Some(from), letter) => text.push(
                    unescaped(letter)
                        .ok_or_else(|| (from, format!("`\\{letter}` stands for nothing")))?,
                ),
            }
        }
        Err((start, "a string that does not end".into()))
    }
}

fn unescaped(letter: char) -> Option<char> {
    match letter {
        '"' | '\\' | '/' => Some(letter),
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        _ => None,
    }
}
