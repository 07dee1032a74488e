//! The files of the tree as text, and Rust source with its comments and its
//! strings told apart from its code, so that a check does not trip over a word in
//! a message.

use std::{fs, path::Path};

use anyhow::Context as _;

/// Directories nobody writes by hand.
const SKIPPED: [&str; 6] = [".git", ".mainstay", "artifacts", "corpus", "node_modules", "target"];

/// Endings of the files that are read.
const READ: [&str; 13] =
    ["css", "csv", "html", "js", "json", "lua", "md", "mjs", "rs", "sh", "sql", "toml", "ts"];

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// For Rust: the text with comments and strings blanked.
    pub(crate) code: String,
    /// For Rust: the text with everything but comments blanked.
    pub(crate) comments: String,
    /// Whether a `#[cfg(test)] mod name;` elsewhere makes it a test.
    declared_test: bool,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let (code, comments) =
            if path.ends_with(".rs") { parts(&text) } else { (String::new(), String::new()) };
        Self { path, text, code, comments, declared_test: false }
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is a test: it lies under a `tests` or `benches` directory, or
    /// is a module that exists in tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.declared_test
            || self.path.split('/').any(|part| matches!(part, "tests" | "conformance" | "benches"))
            || self.path.ends_with("/tests.rs")
    }

    /// How many lines come before the tests at the file's end.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let lines: Vec<&str> = self.code.lines().collect();
        let tests = test_modules(&lines).find(|(_, module)| module.contains('{'));
        tests.map_or(lines.len(), |(index, _)| index)
    }

    /// The files that this one declares as modules of its tests.
    fn declared_tests(&self) -> Vec<String> {
        let (directory, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let directory = match name {
            "lib.rs" | "main.rs" => directory,
            _ => self.path.trim_end_matches(".rs"),
        };
        let lines: Vec<&str> = self.code.lines().collect();
        test_modules(&lines)
            .filter_map(|(_, module)| module.strip_suffix(';')?.rsplit(' ').next())
            .map(|module| format!("{directory}/{module}.rs"))
            .collect()
    }

    /// The code before the tests, line by line, counted from 1. None in a test file.
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = if self.is_test() { 0 } else { self.lines_before_tests() };
        self.code.lines().take(lines).enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The crate it belongs to: the directory's name under `crates`.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
}

/// Each module that exists in tests only: the line of its `#[cfg(test)]`, and the
/// line that declares it.
fn test_modules<'code>(lines: &'code [&'code str]) -> impl Iterator<Item = (usize, &'code str)> {
    lines.iter().enumerate().filter(|(_, line)| line.trim() == "#[cfg(test)]").filter_map(
        |(index, _)| {
            let mut next = lines[index + 1..].iter().map(|line| line.trim());
            let declared = next.find(|line| !line.starts_with("#["))?;
            let is_module = declared.split(' ').any(|word| word == "mod");
            is_module.then_some((index, declared))
        },
    )
}

/// All files that are read.
#[derive(Debug)]
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the tree under this directory.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        walk(root, "", &mut found).with_context(|| format!("reading {}", root.display()))?;
        found.sort();
        Ok(Self::from_files(found.into_iter().map(|(path, text)| File::new(path, text)).collect()))
    }

    fn from_files(mut files: Vec<File>) -> Self {
        let tests: Vec<String> = files.iter().flat_map(File::declared_tests).collect();
        for file in &mut files {
            file.declared_test = tests.contains(&file.path);
        }
        Self { files }
    }

    /// A tree of these files.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File::new((*path).into(), (*text).into());
        Self::from_files(files.iter().map(file).collect())
    }

    /// Every file, sorted by path.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The file at this path.
    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether anything lies under this directory.
    pub(crate) fn has_directory(&self, directory: &str) -> bool {
        self.files
            .iter()
            .any(|file| file.path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn walk(directory: &Path, prefix: &str, found: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &path, found)?;
        } else if kind.is_file() {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if (READ.contains(&ending) || path == ".ci/run") && name != "package-lock.json" {
                let text = fs::read(entry.path())?;
                found.push((path, String::from_utf8_lossy(&text).into_owned()));
            }
        }
    }
    Ok(())
}

/// Which part of a source a character belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Text,
}

/// The source twice: with only its code, with only its comments. Lines stay lines.
fn parts(source: &str) -> (String, String) {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut comments = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let (part, end) = next_part(&chars, at);
        for &c in &chars[at..end] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if part == Part::Code { c } else { blank });
            comments.push(if part == Part::Comment { c } else { blank });
        }
        at = end;
    }
    (code, comments)
}

/// The part that begins here, and where it ends. Always goes forward.
fn next_part(chars: &[char], at: usize) -> (Part, usize) {
    let rest = &chars[at..];
    let end_of = |length: usize| (at + length).min(chars.len());
    match rest {
        ['/', '/', ..] => {
            let length = rest.iter().position(|&c| c == '\n').unwrap_or(rest.len());
            (Part::Comment, end_of(length))
        }
        ['/', '*', ..] => (Part::Comment, end_of(block_comment(rest))),
        ['r', '"' | '#', ..] if !ends_a_name(chars, at) => match raw_string(rest) {
            Some(length) => (Part::Text, end_of(length)),
            None => (Part::Code, end_of(1)),
        },
        ['"', ..] => (Part::Text, end_of(quoted(rest, '"'))),
        ['\'', '\\', ..] => (Part::Text, end_of(quoted(rest, '\''))),
        ['\'', _, '\'', ..] => (Part::Text, end_of(3)),
        _ => (Part::Code, end_of(1)),
    }
}

/// Whether the character before continues a name, so that an `r` here opens no string.
fn ends_a_name(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| chars[before]);
    before.is_some_and(|c| c != 'b' && c != 'c' && (c.is_alphanumeric() || c == '_'))
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut at = hashes + 2;
    while at < rest.len() {
        if rest[at] == '"'
            && rest[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
        {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(rest.len())
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_told_from_code() {
        let source = "let a = \"x // y\"; // why\n/* one /* two */ */ let b = r#\"q\"q\"#;\n";
        let (code, comments) = parts(source);
        assert_eq!(code.lines().next().unwrap().trim(), "let a =         ;");
        assert!(code.contains("let b =") && !code.contains('q'));
        assert!(comments.contains("// why") && comments.contains("two"));
        assert!(!comments.contains("x // y"));
        assert_eq!(code.lines().count(), source.lines().count());
    }

    #[test]
    fn a_lifetime_is_code_and_a_quoted_character_is_not() {
        let (code, _) = parts("fn f<'a>(x: &'a str) -> char { '\"' } fn g() { '\\'' }");
        assert!(code.contains("<'a>") && code.contains("fn g()"));
        assert!(!code.contains('"'));
    }

    #[test]
    fn production_ends_where_the_tests_begin() {
        let tree = Tree::of(&[("a.rs", "one\ntwo\n#[cfg(test)]\nmod tests {\n}\n")]);
        assert_eq!(tree.files()[0].production().map(|(line, _)| line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_module_declared_for_tests_is_a_test_and_ends_nothing() {
        let declares = "#[cfg(test)]\npub(crate) mod keys;\nmod b;\n";
        let tree = Tree::of(&[("a/lib.rs", declares), ("a/keys.rs", "one\n"), ("a/b.rs", "two\n")]);
        let counts: Vec<usize> =
            tree.files().iter().map(|file| file.production().count()).collect();
        assert_eq!(counts, [3, 0, 1]);
    }
}
