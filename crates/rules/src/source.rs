//! The text of a rule: how long and how deep it may be, and its tree.
//!
//! A scanner looks at every character before `cel` does. It refuses what rules do
//! not have (maps, raw strings, optional members), brackets that do not match and
//! nesting that a parser would recurse into, so that `cel` is only handed short and
//! shallow texts of known words. Mistakes of grammar found after that are placed at
//! the word where the parser stumbled. Nothing here knows a model.

use std::{ops::Range, thread};

use cel::{
    Env, IdedExpr,
    common::ast::{EntryExpr, Expr, SourceInfo},
};

/// Bytes of the longest rule.
pub const RULE_BYTES_MAX: usize = 4_096;
/// How deep brackets and `?:` nest.
pub const RULE_DEPTH_MAX: usize = 16;
/// Operators and dots in a row, without `&&`, `||` or a bracket between them.
const CHAIN_MAX: usize = 24;

/// Bytes of stack for reading a rule. In a debug build `cel`'s generated parser takes
/// some 150 KiB for each level that brackets nest, more than a test's thread has.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// A rule's tree and where its parts stand.
pub(crate) struct Source {
    pub(crate) tree: IdedExpr,
    positions: SourceInfo,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Word,
    Number,
    Text,
    Sign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    kind: TokenKind,
    span: Range<usize>,
}

/// Does something on a stack that is deep enough for the deepest rule. None where
/// there is no such stack or the work panicked.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let deep = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok()?;
        deep.join().ok()
    })
}

/// Reads a rule's text, on a deep stack.
///
/// # Errors
/// Where it is too long, too deep or not an expression of the rule language.
pub(crate) fn read(text: &str) -> Result<Source, Fault> {
    if text.len() > RULE_BYTES_MAX {
        return Err(Fault {
            span: text.floor_char_boundary(RULE_BYTES_MAX)..text.len(),
            message: format!(
                "the rule has {} bytes; {RULE_BYTES_MAX} are the most a rule may have",
                text.len()
            ),
        });
    }
    let tokens = scan(text)?;
    bound_depth(text, &tokens)?;
    if tokens.is_empty() {
        return Err(Fault {
            span: 0..text.len(),
            message: "the rule is empty; `true` allows everyone and `false` no one".to_owned(),
        });
    }
    match parse(text) {
        Ok((tree, positions)) => Ok(Source { tree, positions, tokens }),
        Err(stumbled) => Err(fault_at(text, &tokens, &stumbled)),
    }
}

/// Where `cel`'s parser stumbled (line and column, both from 1), and over what.
struct Stumbled {
    line: isize,
    column: isize,
    message: String,
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), Stumbled> {
    // Macros stay the calls they are written as: `exists` is ours to read.
    let parser = Env::default().with_optional_support(false).parser();
    parser.parse_with_source_info(text).map_err(|errors| {
        let first = errors.errors.into_iter().next();
        first.map_or(Stumbled { line: 1, column: 1, message: String::new() }, |error| Stumbled {
            line: error.pos.0,
            column: error.pos.1,
            message: error.msg,
        })
    })
}

impl Source {
    /// Where the word or sign stands that a node is made from: a name, a literal,
    /// an operator, a dot, the bracket of a call.
    pub(crate) fn anchor(&self, node: &IdedExpr) -> Range<usize> {
        match self.positions.offset_for(node.id) {
            Some((start, stop)) => start as usize..(stop as usize + 1).max(start as usize),
            None => self.everything(),
        }
    }

    /// Where the name stands after the dot of a member, or before the bracket of a call.
    pub(crate) fn name(&self, node: &IdedExpr) -> Range<usize> {
        let anchor = self.anchor(node);
        let at = self.tokens.partition_point(|token| token.span.start < anchor.start);
        let wanted = match &node.expr {
            Expr::Select(_) => at.checked_add(1),
            Expr::Call(_) => at.checked_sub(1),
            _ => Some(at),
        };
        wanted.and_then(|at| self.tokens.get(at)).map_or(anchor, |token| token.span.clone())
    }

    /// From the first to the last character of a node, brackets around it aside.
    pub(crate) fn whole(&self, node: &IdedExpr) -> Range<usize> {
        let mut span = self.anchor(node);
        let mut widen = |other: Range<usize>| {
            span.start = span.start.min(other.start);
            span.end = span.end.max(other.end);
        };
        match &node.expr {
            Expr::Call(call) => {
                widen(self.name_of_call(node));
                for part in call.target.as_deref().into_iter().chain(&call.args) {
                    widen(self.whole(part));
                }
            }
            Expr::Select(select) => {
                widen(self.name(node));
                widen(self.whole(&select.operand));
            }
            Expr::List(list) => list.elements.iter().for_each(|part| widen(self.whole(part))),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        widen(self.whole(&entry.value));
                    }
                }
            }
            _ => {}
        }
        // A call or a list ends at its bracket, which no node stands for.
        let opens = matches!(&node.expr, Expr::List(_)) || self.is_bracket(node);
        if opens && let Some(close) = self.closing(self.anchor(node).start) {
            span.end = span.end.max(close);
        }
        span
    }

    fn name_of_call(&self, node: &IdedExpr) -> Range<usize> {
        if self.is_bracket(node) { self.name(node) } else { self.anchor(node) }
    }

    fn is_bracket(&self, node: &IdedExpr) -> bool {
        let anchor = self.anchor(node);
        matches!(self.positions.source.get(anchor), Some("(" | "["))
    }

    /// The end of the bracket that closes the one at this place.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for token in self.tokens.iter().filter(|token| token.span.start >= open) {
            match self.positions.source.get(token.span.clone()) {
                Some("(" | "[") => depth += 1,
                Some(")" | "]") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(token.span.end);
            }
        }
        None
    }

    fn everything(&self) -> Range<usize> {
        0..self.positions.source.len()
    }
}

/// Says at which word the parser stumbled.
fn fault_at(text: &str, tokens: &[Token], stumbled: &Stumbled) -> Fault {
    let at = byte_at(text, stumbled.line, stumbled.column);
    let span = tokens
        .iter()
        .find(|token| token.span.end > at)
        .map_or(text.len()..text.len(), |token| token.span.clone());
    let word = text.get(span.clone()).unwrap_or_default();
    let is_about = |what: &str| stumbled.message.starts_with(what);
    let message = if word.is_empty() {
        "the rule ends where more was expected".to_owned()
    } else if is_about("reserved") {
        format!("`{word}` is a reserved word of the expression language")
    } else if is_about("invalid int") {
        format!("`{word}` does not fit into a whole number of 64 bits")
    } else if is_about("invalid double") {
        format!("`{word}` is not a number")
    } else if word.ends_with(['\'', '"']) && word.contains('\\') {
        "this text has an escape that cannot be read".to_owned()
    } else {
        format!("`{word}` was not expected here")
    };
    Fault { span, message }
}

/// The byte at a line and column, both from 1, the column in characters.
fn byte_at(text: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

/// Cuts a text into words, numbers, texts and signs, and refuses all else.
fn scan(text: &str) -> Result<Vec<Token>, Fault> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let (kind, length) = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'/' if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'\'' | b'"' => (TokenKind::Text, quoted(text, at)?),
            b'b' | b'B' if rest[1..].starts_with(['\'', '"']) => {
                (TokenKind::Text, 1 + quoted(text, at + 1)?)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (TokenKind::Word, word_length(rest)),
            b'0'..=b'9' => (TokenKind::Number, number_length(rest)),
            _ => (TokenKind::Sign, sign_length(text, at)?),
        };
        let span = at..at + length;
        let runs_on = bytes.get(span.end).is_some_and(|next| match kind {
            TokenKind::Number => {
                next.is_ascii_alphanumeric() || matches!(next, b'_' | b'\'' | b'"')
            }
            TokenKind::Word => matches!(next, b'\'' | b'"'),
            TokenKind::Text | TokenKind::Sign => false,
        });
        if runs_on {
            let word = &text[span.clone()];
            return Err(Fault {
                message: format!("`{word}` runs into what follows it"),
                span: at..span.end + 1,
            });
        }
        tokens.push(Token { kind, span: span.clone() });
        at = span.end;
    }
    Ok(tokens)
}

fn word_length(rest: &str) -> usize {
    rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// `12`, `1.5`, `2e-3`, `0x1f`.
fn number_length(rest: &str) -> usize {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    if let Some(hex) = rest.strip_prefix("0x") {
        return 2 + hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    }
    let mut length = digits(0);
    if rest[length..].starts_with('.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// The length of a text in quotes that begins here.
fn quoted(text: &str, at: usize) -> Result<usize, Fault> {
    let rest = &text[at..];
    let fault = |length: usize, message: &str| {
        Err(Fault { span: at..at + length, message: message.to_owned() })
    };
    let quote = rest.as_bytes()[0];
    if rest.starts_with("'''") || rest.starts_with("\"\"\"") {
        return fault(
            3,
            "a text in a rule stands between single or double quotes, one on each side",
        );
    }
    let mut escaped = false;
    for (offset, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return fault(offset, "this text does not end on its line"),
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Ok(offset + 1),
            _ => {}
        }
    }
    fault(rest.len(), "this text has no closing quote")
}

fn sign_length(text: &str, at: usize) -> Result<usize, Fault> {
    let rest = &text[at..];
    let fault = |message: String| {
        let length = rest.chars().next().map_or(0, char::len_utf8);
        Err(Fault { span: at..at + length, message })
    };
    for sign in ["==", "!=", "<=", ">=", "&&", "||"] {
        if rest.starts_with(sign) {
            return Ok(2);
        }
    }
    match rest.as_bytes()[0] {
        b'?' if text[..at].trim_end().ends_with(['.', '[']) => fault(
            "optional members are not part of rules; an absent value is unknown by itself"
                .to_owned(),
        ),
        b'(' | b')' | b'[' | b']' | b'.' | b',' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<'
        | b'>' | b'!' | b'?' | b':' => Ok(1),
        b'=' => fault("`=` is not an operator; equality is `==`".to_owned()),
        b'&' => fault("`&` is not an operator; both is `&&`".to_owned()),
        b'|' => fault("`|` is not an operator; either is `||`".to_owned()),
        b'{' | b'}' => fault("maps are not part of rules".to_owned()),
        _ => {
            let letter = rest.chars().next().unwrap_or(' ');
            fault(format!("`{}` means nothing in a rule", letter.escape_debug()))
        }
    }
}

/// Refuses brackets that do not match and nesting or chains beyond the bounds.
fn bound_depth(text: &str, tokens: &[Token]) -> Result<(), Fault> {
    let too_deep = |token: &Token| Fault {
        span: token.span.clone(),
        message: format!("the rule nests deeper than {RULE_DEPTH_MAX} brackets and conditions"),
    };
    let unchosen = |token: &Token| Fault {
        span: token.span.clone(),
        message: "this `?` has no `:`".to_owned(),
    };
    let unmatched = |span: &Range<usize>| Fault {
        message: format!("`{}` has no counterpart", &text[span.clone()]),
        span: span.clone(),
    };
    // Of each open bracket: itself, and the chain and conditions before it.
    let mut open: Vec<(&Token, usize, usize)> = Vec::new();
    let (mut chain, mut conditions, mut below) = (0_usize, 0_usize, 0_usize);
    // Each `?` that waits for its `:`, with how many brackets were open at it.
    let mut questions: Vec<(&Token, usize)> = Vec::new();
    for token in tokens {
        match &text[token.span.clone()] {
            "(" | "[" => {
                open.push((token, chain + 1, conditions));
                below += conditions + 1;
                (chain, conditions) = (0, 0);
            }
            closing @ (")" | "]") => {
                let Some((opening, chain_before, conditions_before)) = open.pop() else {
                    return Err(unmatched(&token.span));
                };
                if (&text[opening.span.clone()] == "(") != (closing == ")") {
                    return Err(unmatched(&token.span));
                }
                if let Some((question, at)) = questions.last()
                    && *at > open.len()
                {
                    return Err(unchosen(question));
                }
                below -= conditions_before + 1;
                (chain, conditions) = (chain_before, conditions_before);
            }
            "?" => {
                questions.push((token, open.len()));
                (chain, conditions) = (0, conditions + 1);
            }
            ":" => match questions.pop() {
                Some((_, at)) if at == open.len() => chain = 0,
                _ => return Err(unmatched(&token.span)),
            },
            "&&" | "||" | "," => chain = 0,
            "in" => chain += 1,
            _ if token.kind == TokenKind::Sign => chain += 1,
            _ => {}
        }
        if below + conditions > RULE_DEPTH_MAX {
            return Err(too_deep(token));
        }
        if chain > CHAIN_MAX {
            return Err(Fault {
                span: token.span.clone(),
                message: format!("more than {CHAIN_MAX} operators follow each other"),
            });
        }
    }
    match (open.pop(), questions.pop()) {
        (Some((opening, ..)), _) => Err(unmatched(&opening.span)),
        (None, Some((question, _))) => Err(unchosen(question)),
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let whole = on_deep_stack(|| read(text).map(|source| source.whole(&source.tree)));
        let shown = match whole.expect("no panic") {
            Ok(whole) => format!("{}\n", &text[whole]),
            Err(fault) => format!(
                "{text}\n{}{} {}\n",
                " ".repeat(text[..fault.span.start].chars().count()),
                "^".repeat(text[fault.span.clone()].chars().count().max(1)),
                fault.message
            ),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_text_that_is_no_expression_is_refused_at_the_word_that_broke_it() {
        check(
            "a == 1 && b",
            expect![[r#"
            a == 1 && b
        "#]],
        );
        check(
            " a.b('é', c) ",
            expect![[r#"
            a.b('é', c)
        "#]],
        );
        check(
            "x in ['a', 'b']",
            expect![[r#"
            x in ['a', 'b']
        "#]],
        );
        check(
            "",
            expect![[r#"

            ^ the rule is empty; `true` allows everyone and `false` no one
        "#]],
        );
        check(
            "a = 1",
            expect![[r#"
            a = 1
              ^ `=` is not an operator; equality is `==`
        "#]],
        );
        check(
            "a & b",
            expect![[r#"
            a & b
              ^ `&` is not an operator; both is `&&`
        "#]],
        );
        check(
            "a | b",
            expect![[r#"
            a | b
              ^ `|` is not an operator; either is `||`
        "#]],
        );
        check(
            "a == 'é",
            expect![[r#"
            a == 'é
                 ^^ this text has no closing quote
        "#]],
        );
        check(
            "a == 'é' b",
            expect![[r#"
            a == 'é' b
                     ^ `b` was not expected here
        "#]],
        );
        check(
            "a == 'x\n'",
            expect![[r#"
            a == 'x
            '
                 ^^ this text does not end on its line
        "#]],
        );
        check(
            "(a == 1",
            expect![[r#"
            (a == 1
            ^ `(` has no counterpart
        "#]],
        );
        check(
            "a == 1)",
            expect![[r#"
            a == 1)
                  ^ `)` has no counterpart
        "#]],
        );
        check(
            "(a == 1]",
            expect![[r#"
            (a == 1]
                   ^ `]` has no counterpart
        "#]],
        );
        check(
            "a ==",
            expect![[r#"
            a ==
                ^ the rule ends where more was expected
        "#]],
        );
        check(
            "a == \"\"\"x\"\"\"",
            expect![[r#"
            a == """x"""
                 ^^^ a text in a rule stands between single or double quotes, one on each side
        "#]],
        );
        check(
            "a == r'x'",
            expect![[r#"
            a == r'x'
                 ^^ `r` runs into what follows it
        "#]],
        );
        check(
            "a == 5u",
            expect![[r#"
            a == 5u
                 ^^ `5` runs into what follows it
        "#]],
        );
        check(
            "a == 99999999999999999999",
            expect![[r#"
            a == 99999999999999999999
                 ^^^^^^^^^^^^^^^^^^^^ `99999999999999999999` does not fit into a whole number of 64 bits
        "#]],
        );
        check(
            "a == '\\q'",
            expect![[r#"
            a == '\q'
                 ^^^^ this text has an escape that cannot be read
        "#]],
        );
        check(
            "a == '\\ud800'",
            expect![[r#"
            a == '\ud800'
                 ^^^^^^^^ this text has an escape that cannot be read
        "#]],
        );
        check(
            "a.?b",
            expect![[r#"
            a.?b
              ^ optional members are not part of rules; an absent value is unknown by itself
        "#]],
        );
        check(
            "{'a': 1}",
            expect![[r#"
            {'a': 1}
            ^ maps are not part of rules
        "#]],
        );
        check(
            "a == `b`",
            expect![[r#"
            a == `b`
                 ^ ``` means nothing in a rule
        "#]],
        );
        check(
            "prix < 3 €",
            expect![[r#"
            prix < 3 €
                     ^ `€` means nothing in a rule
        "#]],
        );
        check(
            "for == 1",
            expect![[r#"
            for == 1
            ^^^ `for` is a reserved word of the expression language
        "#]],
        );
        check(
            "a ? (b : c)",
            expect![[r#"
            a ? (b : c)
                   ^ `:` has no counterpart
        "#]],
        );
        check(
            "(a ? b)",
            expect![[r#"
            (a ? b)
               ^ this `?` has no `:`
        "#]],
        );
        check(
            "a ? b",
            expect![[r#"
            a ? b
              ^ this `?` has no `:`
        "#]],
        );
        check(
            "a # b",
            expect![[r#"
            a # b
              ^ `#` means nothing in a rule
        "#]],
        );
        check(
            "a == 1 // and a comment",
            expect![[r#"
            a == 1
        "#]],
        );
    }

    #[test]
    fn the_longest_and_deepest_texts_are_read_or_refused_without_a_crash() {
        let nested = |open: &str, close: &str, times: usize| {
            format!("{}a{}", open.repeat(times), close.repeat(times))
        };
        let longest = nested("a && ", "", RULE_BYTES_MAX / 5);
        let wide = format!("a == '{}'", "€".repeat(RULE_BYTES_MAX / 3));
        for (text, readable) in [
            (wide, false),
            (nested("(", ")", RULE_DEPTH_MAX), true),
            (nested("(", ")", RULE_DEPTH_MAX + 1), false),
            (nested("(", ")", 2_000), false),
            (nested("[", "]", RULE_DEPTH_MAX), true),
            (nested("f(", ")", 1_000), false),
            (nested("a.b(", ")", RULE_DEPTH_MAX), true),
            (nested("a ? b : ", "", RULE_DEPTH_MAX), true),
            (nested("a ? b : ", "", RULE_DEPTH_MAX + 1), false),
            (nested("!", "", CHAIN_MAX), true),
            (nested("!", "", 4_000), false),
            (nested("a.", "", CHAIN_MAX), true),
            (nested("a.", "", 2_000), false),
            (nested("a + ", "", CHAIN_MAX), true),
            (nested("a + ", "", 1_000), false),
            (nested("a == b == ", "", 400), false),
            (nested("a || b && ", "", 400), true),
            (longest.clone(), true),
            (longest + "    ", false),
            ("[".repeat(4_000), false),
            ("a ".repeat(2_000), false),
            ("'".repeat(4_001), false),
        ] {
            let read = on_deep_stack(|| read(&text).map(drop)).expect("no panic");
            assert_eq!(read.is_ok(), readable, "{text:.60}");
            if let Err(fault) = read {
                assert!(text.get(fault.span.clone()).is_some(), "{text:.60}: {fault:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            on_deep_stack(|| read(&text).is_ok()).expect("no panic");
        }

        #[test]
        fn no_row_of_words_makes_the_reader_panic(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", "in", "true", "null", "1", "1.5", "'x'", "(", ")", "[", "]", ".", ",",
                    "==", "<", "&&", "||", "!", "-", "+", "?", ":", "exists", "for", "b'x'",
                ]),
                0..24,
            )
        ) {
            let text = words.join(" ");
            let whole = on_deep_stack(|| read(&text).map(|source| source.whole(&source.tree)));
            if let Ok(whole) = whole.expect("no panic") {
                proptest::prop_assert!(text.get(whole).is_some());
            }
        }
    }
}
