//! What is too much is refused, and no text makes reading panic.

use super::*;

#[test]
fn what_is_too_much_is_refused() {
    let big = SourceFile { path: "models/big.toml".into(), text: "#".repeat(FILE_BYTES_MAX + 1) };
    let mut wide = String::from("[fields]\n");
    for at in 0..=FIELDS_MAX {
        writeln!(wide, "f{at} = 'text'").expect("written");
    }
    let wide = SourceFile { path: "models/wide.toml".into(), text: wide };
    let deep = format!(
        "[fields]\na = {{ type = 'json', default = {}{} }}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let deep = SourceFile { path: "models/deep.toml".into(), text: deep };
    let keys: String = (0..500).map(|at| format!("x{at} = 1\n")).collect();
    let many = SourceFile { path: "models/many.toml".into(), text: keys };
    let found = |file: SourceFile| read_app(&[], &[file], &[]).expect_err("too much").found;
    assert_eq!(found(big)[0].message, "the file is larger than 262144 bytes");
    assert_eq!(found(wide)[0].message, "a model has at most 500 fields");
    assert_eq!(found(many).len(), DIAGNOSTICS_MAX);
    expect!["not valid TOML: cannot recurse further; max recursion depth met"]
        .assert_eq(&found(deep)[0].message);
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(
        settings in "[\\[\\]{}=\"'a-z0-9_.,# \n-]{0,120}",
        model in "[\\[\\]{}=\"'a-z0-9_.,# \n\u{0}é-]{0,200}",
    ) {
        let files = [("mainstay.toml", settings), ("models/posts.toml", model)]
            .map(|(path, text)| SourceFile { path: path.into(), text });
        if let Err(refused) = read_app(&[], &files, &[]) {
            prop_assert!(!refused.found.is_empty());
            let _ = render_diagnostics(&refused.found, &files, Colour::Ansi);
        }
    }

    #[test]
    fn no_change_to_a_good_folder_makes_reading_panic(
        at in 0..BLOG.len(), length in 0_usize..40, with in "[\\[\\]{}=\"'a-z0-9.,\n-]{0,12}",
    ) {
        let end = (at + length).min(BLOG.len());
        let mut text = BLOG.to_owned();
        text.replace_range(at..end, &with);
        let files = files(&text);
        if let Err(refused) = read_app(&[], &files, &[]) {
            let _ = render_diagnostics(&refused.found, &files, Colour::Plain);
        }
    }
}

#[test]
fn patterns_are_bounded_together_however_small_each_of_them_is_written() {
    let faults = |pattern: &str, count: usize| {
        let fields: String = (0..count)
            .map(|at| format!("f{at} = {{ type = \"text\", pattern = '{pattern}' }}\n"))
            .collect();
        let files = files(&format!("-- models/things.toml\n[fields]\n{fields}"));
        let found =
            read_app(&[], &files, &[]).map_or_else(|refused| refused.found, |app| app.warnings);
        let mut labels: Vec<String> = found.into_iter().filter_map(|it| it.label).collect();
        labels.dedup();
        labels.join("; ")
    };
    let left = "larger than what the app's other patterns leave, when compiled";
    assert_eq!(faults("^[a-z0-9-]+$", 500), "");
    assert_eq!(faults(r"^[\w.-]+@[\w-]+$", 5), "");
    assert_eq!(faults(r"^\pL{15}$", 4), "");
    assert_eq!(faults(r"^\pL{15}$", 100), left);
    assert_eq!(faults(r"\pL{30}{30}", 1), "too large when compiled");
    assert_eq!(
        faults(&format!("[{}]", r"\pL".repeat(40)), 1),
        "more than 32 classes of characters"
    );
    // Small when compiled, and each letter of each class is looked at on the way.
    let folded = format!("(?i)[{}]", r"\pL".repeat(30));
    assert_eq!(faults(&folded, 1), "");
    assert_eq!(faults(&folded, 5), left);
}
