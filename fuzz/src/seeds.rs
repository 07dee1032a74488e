//! The inputs to begin with and the words to mutate with, as their files hold them.

/// What stands between inputs of several lines.
const BETWEEN: &str = "\n%%\n";

/// The inputs of a file: one on each line, or with a line `%%` between them where
/// there is one.
#[must_use]
pub fn inputs(file: &str) -> Vec<Vec<u8>> {
    let file = file.strip_suffix('\n').unwrap_or(file);
    let parts: Vec<&str> =
        if file.contains(BETWEEN) { file.split(BETWEEN).collect() } else { file.lines().collect() };
    parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.as_bytes().into()).collect()
}

/// The words of a dictionary as libFuzzer reads it: on each line one in quotes, with
/// `\\`, `\"` and `\xNN`. Lines that begin with `#` are comments.
#[must_use]
pub fn words(file: &str) -> Vec<Vec<u8>> {
    file.lines().filter_map(word).filter(|word| !word.is_empty()).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let open = line.find('"')?;
    let mut quoted = line.get(open + 1..line.len() - 1)?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = quoted.next() {
        word.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            (_, true) => match quoted.next()? {
                b'x' => {
                    let digits = [quoted.next()?, quoted.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                escaped => escaped,
            },
        });
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn inputs_stand_on_lines_or_between_lines_of_percent_signs() {
        assert_eq!(inputs("a\n\nb\n"), [b"a", b"b"]);
        assert_eq!(inputs("a\nb\n%%\nc\n\n"), [&b"a\nb"[..], b"c\n"]);
    }

    #[test]
    fn words_are_read_as_libfuzzer_reads_them() {
        assert_eq!(
            words("# \"no\"\n\"a\"\nname=\"\\\"\\\\\\x00é\"\n"),
            [&b"a"[..], b"\"\\\0\xc3\xa9"]
        );
        for target in TARGETS {
            let lines = target.dictionary.lines().filter(|line| line.starts_with('"'));
            assert_eq!(words(target.dictionary).len(), lines.count(), "{}", target.name);
        }
    }
}
