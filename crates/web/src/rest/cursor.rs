//! A place in a text of the caller's, and the error that names it.
//!
//! Every small grammar of the dialect (`select`, filters, `order`) is read with
//! one of these. It never goes back further than its reader asks, so reading is
//! linear in the text, and it never panics: each step ends at a character's edge.

use std::borrow::Cow;

use mainstay_core::{Code, Error};

use mainstay_plan::FieldExpr;

use super::bounds::over;

/// A text from a query string.
pub(super) type Text<'a> = Cow<'a, str>;

/// Steps into one JSON field at most.
const JSON_STEPS_MAX: usize = 32;

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// What the text is, for the error: `select parameter`.
    subject: &'static str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, subject: &'static str) -> Self {
        Self { text, at: 0, subject }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn is_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// A mark to [`return_to`](Self::return_to).
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn return_to(&mut self, mark: usize) {
        self.at = mark;
    }

    /// Passes over a word if it comes next.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Passes over spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes over a mark of punctuation with the blanks around it.
    pub(super) fn eat_spaced(&mut self, mark: &str) -> bool {
        let before = self.mark();
        self.skip_blanks();
        let found = self.eat(mark);
        if found {
            self.skip_blanks();
        } else {
            self.return_to(before);
        }
        found
    }

    /// The characters that pass, as many as there are.
    pub(super) fn take_while(&mut self, passes: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|letter| !passes(letter)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// All that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// `"…"`, where a backslash takes the next character as it is. Goes nowhere
    /// and gives nothing where the text is not of that form.
    pub(super) fn quoted(&mut self) -> Option<Text<'a>> {
        let rest = self.rest();
        let inner = rest.strip_prefix('"')?;
        let mut plain = String::new();
        let mut from = 0;
        let mut letters = inner.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 2;
                    return Some(if from == 0 {
                        Text::Borrowed(&inner[..at])
                    } else {
                        plain.push_str(&inner[from..at]);
                        Text::Owned(plain)
                    });
                }
                '\\' => {
                    plain.push_str(&inner[from..at]);
                    let (_, taken) = letters.next()?;
                    plain.push(taken);
                    from = at + 1 + taken.len_utf8();
                }
                _ => {}
            }
        }
        None
    }

    /// A name: quoted, or letters, digits, `_`, `$`, spaces and inner hyphens.
    pub(super) fn name(&mut self, expected: &str) -> Result<Text<'a>, Error> {
        if self.peek() == Some(b'"') {
            return self.quoted().ok_or_else(|| self.expected("a closing quote"));
        }
        self.hyphenated(is_name_letter).map(Text::Borrowed).ok_or_else(|| self.expected(expected))
    }

    /// A field and the steps into it: `name->key->0->>last`.
    pub(super) fn field(&mut self) -> Result<FieldExpr<'a>, Error> {
        self.skip_blanks();
        let name = self.name("a field name")?;
        let field = self.json_path(name)?;
        self.skip_blanks();
        Ok(field)
    }

    /// The steps into a field whose name has been read.
    pub(super) fn json_path(&mut self, name: Text<'a>) -> Result<FieldExpr<'a>, Error> {
        let mut field = FieldExpr { name, json: Vec::new(), as_text: false };
        loop {
            let mark = self.mark();
            let as_text = self.eat("->>");
            if !as_text && !self.eat("->") {
                return Ok(field);
            }
            if field.as_text {
                self.return_to(mark);
                return Err(self.expected("no step after \"->>\", whose value is text"));
            }
            if field.json.len() == JSON_STEPS_MAX {
                return Err(over("JSON path steps", JSON_STEPS_MAX, None));
            }
            field.as_text = as_text;
            field.json.push(self.json_step()?);
        }
    }

    fn json_step(&mut self) -> Result<mainstay_core::JsonStep, Error> {
        use mainstay_core::JsonStep;
        let mark = self.mark();
        let sign = if self.eat("-") { "-" } else { "" };
        let digits = self.take_while(|letter| letter.is_ascii_digit());
        let ends = |rest: &str| {
            rest.is_empty()
                || rest.starts_with([',', '.', ')', ' ', '\t'])
                || rest.starts_with("->")
                || rest.starts_with("::")
        };
        if !digits.is_empty() && ends(self.rest()) {
            return format!("{sign}{digits}").parse().map(JsonStep::Index).map_err(|_| {
                self.return_to(mark);
                self.expected("an array index that fits 32 bits")
            });
        }
        self.return_to(mark);
        if self.peek() == Some(b'"') {
            let key = self.quoted().ok_or_else(|| self.expected("a closing quote"))?;
            return Ok(JsonStep::Key(key.into()));
        }
        let key = self
            .hyphenated(|letter| !"(-:.,>)".contains(letter))
            .ok_or_else(|| self.expected("a JSON key or index"))?;
        Ok(JsonStep::Key(key.into()))
    }

    /// Runs of such characters with single hyphens between them, none of which
    /// begins an arrow; the blanks around it are not part of it.
    fn hyphenated(&mut self, passes: impl Fn(char) -> bool) -> Option<&'a str> {
        let start = self.at;
        loop {
            if self.take_while(&passes).is_empty() {
                self.at = start;
                return None;
            }
            let rest = self.rest();
            if !rest.starts_with('-') || rest.starts_with("->") {
                let name = self.text[start..self.at].trim();
                if name.is_empty() {
                    self.at = start;
                    return None;
                }
                return Some(name);
            }
            self.at += 1;
        }
    }

    /// The name of a type: letters, digits, `_`, `$` and inner spaces.
    pub(super) fn type_name(&mut self) -> Result<Text<'a>, Error> {
        let start = self.mark();
        let name = self.take_while(is_name_letter).trim();
        if name.is_empty() {
            self.return_to(start);
            return Err(self.expected("the name of a type"));
        }
        Ok(Text::Borrowed(name))
    }

    /// The error of having met something else here.
    pub(super) fn expected(&self, expected: &str) -> Error {
        let met = match self.rest().chars().next() {
            Some(letter) => format!("\"{letter}\""),
            None => "end of input".to_owned(),
        };
        let column = self.text[..self.at].chars().count() + 1;
        Error::new(
            Code::QueryUnreadable,
            format!(
                "\"failed to parse {} ({})\" (line 1, column {column})",
                self.subject, self.text
            ),
        )
        .with_details(format!("unexpected {met} expecting {expected}"))
    }

    /// Succeeds at the end of the text.
    pub(super) fn end(&self, expected: &str) -> Result<(), Error> {
        if self.is_end() { Ok(()) } else { Err(self.expected(expected)) }
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | ' ' | '$')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let mut cursor = Cursor::new(text, "field");
        let read = cursor.field().and_then(|field| cursor.end("end of input").map(|()| field));
        expected.assert_eq(&match read {
            Ok(field) => format!("{} {:?} {}", field.name, field.json, field.as_text),
            Err(error) => format!("{} {}", error.message(), error.details().unwrap_or_default()),
        });
    }

    #[test]
    fn a_field_is_a_name_and_steps_into_json() {
        check("title", expect!["title [] false"]);
        check(" first name ", expect!["first name [] false"]);
        check("kebab-case-name", expect!["kebab-case-name [] false"]);
        check("straße", expect!["straße [] false"]);
        check(r#""a.b,\"c\\""#, expect![[r#"a.b,"c\ [] false"#]]);
        check("data->a->0->>b-c", expect![[r#"data [Key("a"), Index(0), Key("b-c")] true"#]]);
        check("data->-1", expect!["data [Index(-1)] false"]);
        check(r#"data->"x.y"->>"z""#, expect![[r#"data [Key("x.y"), Key("z")] true"#]]);
        check("data->!@#$%^&*_a", expect![[r#"data [Key("!@#$%^&*_a")] false"#]]);
    }

    #[test]
    fn what_is_no_field_is_refused_where_it_stops_making_sense() {
        check(
            "",
            expect![[
                r#""failed to parse field ()" (line 1, column 1) unexpected end of input expecting a field name"#
            ]],
        );
        check(
            "a-",
            expect![[
                r#""failed to parse field (a-)" (line 1, column 1) unexpected "a" expecting a field name"#
            ]],
        );
        check(
            "\"a",
            expect![[
                r#""failed to parse field ("a)" (line 1, column 1) unexpected """ expecting a closing quote"#
            ]],
        );
        check(
            "a->",
            expect![[
                r#""failed to parse field (a->)" (line 1, column 4) unexpected end of input expecting a JSON key or index"#
            ]],
        );
        check(
            "ä->>b->c",
            expect![[
                r#""failed to parse field (ä->>b->c)" (line 1, column 6) unexpected "-" expecting no step after "->>", whose value is text"#
            ]],
        );
        check(
            "a->99999999999",
            expect![[
                r#""failed to parse field (a->99999999999)" (line 1, column 4) unexpected "9" expecting an array index that fits 32 bits"#
            ]],
        );
    }
}
