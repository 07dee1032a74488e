//! Migrations as they are written from models and read again.

use expect_test::{Expect, expect};
use mainstay_core::{Catalog, SourceFile, read_app};

use crate::migration::{
    AppliedMigration, Choices, CompareError, MigrationRecord, Migrations, Snapshot, compare,
    render, render_empty,
};

fn catalog(models: &[(&str, &str)]) -> Catalog {
    let file = |(name, fields): &(&str, &str)| SourceFile {
        path: format!("models/{name}.toml"),
        text: format!("[model]\ntimestamps = false\n[fields]\n{fields}\n"),
    };
    let files: Vec<SourceFile> = models.iter().map(file).collect();
    read_app(&[], &files, &[]).map_err(|refused| format!("{:?}", refused.found)).unwrap().catalog
}

fn choices(said: &[&str]) -> Choices {
    let mut choices = Choices::default();
    for said in said {
        match said.parse() {
            Ok(rename) => choices.rename(rename),
            Err(_) => choices.drop(said),
        }
    }
    choices
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// What is written from some models to others: without its head, or what is asked.
fn check(before: &[(&str, &str)], after: &[(&str, &str)], said: &[&str], expected: Expect) {
    let (before, wanted) = (Snapshot::of(&catalog(before)), catalog(after));
    let told = match compare(&before, &wanted, &choices(said)) {
        Ok(steps) => {
            let text = render(&steps);
            let (_, steps) = text.split_once("\n\n").unwrap_or((&text, ""));
            steps.trim_end().to_owned()
        }
        Err(CompareError::Undecided(questions)) => {
            questions.iter().map(|it| format!("? {it}")).collect::<Vec<_>>().join("\n")
        }
        Err(CompareError::Impossible(faults)) => format!("! {}", faults.join("\n! ")),
    };
    expected.assert_eq(&told);
}

const POSTS: (&str, &str) = ("posts", "title = { type = \"text\" }");
const USERS: (&str, &str) = ("users", "name = { type = \"text\", required = true }");

#[test]
fn what_only_adds_is_compatible_and_asks_nothing() {
    check(
        &[POSTS],
        &[
            (
                "posts",
                "title = { type = \"text\" }\nauthor = { type = \"ref\", to = \"users\", on_delete = \"cascade\" }\nprice = { type = \"decimal\", precision = 8, scale = 2, default = 1.5 }",
            ),
            USERS,
        ],
        &[],
        expect![[r#"
            # The app as it was before can go on beside it.
            compatible = true

            [[step]]
            kind = "create_model"
            model = "users"
            id = "uuid"
            fields = [
                { name = "id", type = "uuid", required = true },
                { name = "name", type = "text", required = true },
            ]

            [[step]]
            kind = "add_field"
            model = "posts"
            field = "author"
            type = "uuid"
            reference = { name = "posts_author_fkey", to = "users", on_delete = "cascade" }

            [[step]]
            kind = "add_field"
            model = "posts"
            field = "price"
            type = "decimal"
            precision = 8
            scale = 2
            default = "1.50"

            [[step]]
            kind = "add_index"
            model = "posts"
            name = "posts_author_idx"
            fields = ["author"]"#]],
    );
}

#[test]
fn what_may_be_a_new_name_is_asked_and_never_guessed() {
    let after = ("posts", "headline = { type = \"text\" }\nviews = { type = \"int\" }");
    check(
        &[POSTS],
        &[after],
        &[],
        expect![
            "? posts.title is gone and headline came: say `--rename posts.title=headline`, or `--drop posts.title`"
        ],
    );
    check(
        &[POSTS],
        &[after],
        &["posts.title=headline"],
        expect![[r#"
            [[step]]
            kind = "rename_field"
            model = "posts"
            field = "title"
            to = "headline"

            [[step]]
            kind = "add_field"
            model = "posts"
            field = "views"
            type = "int""#]],
    );
    check(
        &[POSTS],
        &[("posts", "headline = { type = \"text\" }")],
        &["posts.title"],
        expect![[r#"
            [[step]]
            kind = "add_field"
            model = "posts"
            field = "headline"
            type = "text"

            [[step]]
            kind = "drop_field"
            model = "posts"
            field = "title"
            loses = "every value of posts.title""#]],
    );
    check(
        &[POSTS],
        &[("articles", POSTS.1)],
        &[],
        expect![
            "? posts is gone and articles came: say `--rename posts=articles`, or `--drop posts`"
        ],
    );
    check(
        &[POSTS],
        &[("articles", "headline = { type = \"text\" }\ntitle = { type = \"int\" }")],
        &["posts=articles", "posts.title=headline"],
        expect![[r#"
            [[step]]
            kind = "rename_model"
            model = "posts"
            to = "articles"

            [[step]]
            kind = "rename_field"
            model = "articles"
            field = "title"
            to = "headline"

            [[step]]
            kind = "add_field"
            model = "articles"
            field = "title"
            type = "int""#]],
    );
}

#[test]
fn two_fields_cannot_become_one_and_what_is_said_of_nothing_is_refused() {
    let before = ("posts", "a = { type = \"text\" }\nb = { type = \"text\" }");
    let after = ("posts", "c = { type = \"text\" }\nd = { type = \"text\" }");
    check(
        &[before],
        &[after],
        &["posts.a=c"],
        expect!["? posts.b is gone and d came: say `--rename posts.b=d`, or `--drop posts.b`"],
    );
    check(
        &[before],
        &[after],
        &["posts.a=c", "posts.b=e", "posts.x=d", "comments"],
        expect![[r#"
            ! `posts` has no new field `e`
            ! `posts.x` did not go: it was not there, or is there still
            ! `comments` did not go: it was not there, or is there still"#]],
    );
}

#[test]
fn what_loses_says_what() {
    check(
        &[("posts", "title = { type = \"text\" }\nviews = { type = \"float\" }"), USERS],
        &[(
            "posts",
            "title = { type = \"text\", required = true, default = \"\" }\nviews = { type = \"int\", required = true }\nslug = { type = \"text\", required = true }",
        )],
        &[],
        expect![[r#"
            [[step]]
            kind = "change_field"
            model = "posts"
            field = "title"
            required = true
            default = ""

            [[step]]
            kind = "change_field"
            model = "posts"
            field = "views"
            type = "int"
            required = true
            loses = "what posts.views holds beyond int; a value that is no int at all stops the migration (it was float)"

            [[step]]
            kind = "add_field"
            model = "posts"
            field = "slug"
            type = "text"
            required = true
            loses = "nothing, but a row of posts that is there, for it has no slug, stops the migration"

            [[step]]
            kind = "drop_model"
            model = "users"
            loses = "every row of users""#]],
    );
    check(
        &[("posts", "raw = { type = \"bytes\" }")],
        &[("posts", "raw = { type = \"int\" }")],
        &[],
        expect![
            "! posts.raw cannot become int from bytes: `--drop posts.raw` drops it and adds it anew, without its values"
        ],
    );
    check(
        &[("posts", "raw = { type = \"bytes\", unique = true }")],
        &[("posts", "raw = { type = \"int\", unique = true }")],
        &["posts.raw"],
        expect![[r#"
            [[step]]
            kind = "drop_unique"
            model = "posts"
            name = "posts_raw_key"

            [[step]]
            kind = "drop_field"
            model = "posts"
            field = "raw"
            loses = "every value of posts.raw"

            [[step]]
            kind = "add_field"
            model = "posts"
            field = "raw"
            type = "int"

            [[step]]
            kind = "add_unique"
            model = "posts"
            name = "posts_raw_key"
            fields = ["raw"]"#]],
    );
}

#[test]
fn a_key_stays_of_its_type() {
    let before = Snapshot::of(&catalog(&[POSTS]));
    let text = "[model]\nid = \"int\"\ntimestamps = false\n[fields]\ntitle = { type = \"text\" }\n";
    let wanted = read_app(&[], &[file("models/posts.toml", text)], &[]).unwrap().catalog;
    let told = compare(&before, &wanted, &Choices::default()).unwrap_err().to_string();
    expect!["the key of `posts` cannot become another: make another model and move its rows"]
        .assert_eq(&told);
}

/// What is wrong with the second migration, the first having made `posts`.
fn refused(text: &str, expected: Expect) {
    let start = "[[step]]\nkind = \"create_model\"\nmodel = \"posts\"\nid = \"uuid\"\nfields = [\n{ name = \"id\", type = \"uuid\", required = true },\n{ name = \"title\", type = \"text\" },\n]\n";
    let files = [file("migrations/0001_a.toml", start), file("migrations/0002_b.toml", text)];
    let told = match Migrations::read(&files) {
        Ok(_) => "read".to_owned(),
        Err(mistake) => mistake.to_string(),
    };
    expected.assert_eq(&told);
}

#[test]
fn a_mistake_in_a_file_has_its_line() {
    refused(
        "compatible = 1",
        expect!["migrations/0002_b.toml:1: invalid type: integer `1`, expected a boolean"],
    );
    refused(
        "\n\n[[step]]\nkind = \"add_feild\"\n",
        expect![[
            r#"migrations/0002_b.toml:4: unknown variant `add_feild`, expected one of `create_model`, `drop_model`, `rename_model`, `add_field`, `drop_field`, `rename_field`, `change_field`, `add_unique`, `drop_unique`, `add_index`, `drop_index`, `rename_index`, `add_reference`, `drop_reference`, `rename_reference`, `sql`"#
        ]],
    );
    refused(
        "[[step]]\nkind = \"add_field\"\nmodel = \"posts\"\nfield = \"x\"\ntype = \"int\"\nrequierd = true\n",
        expect![
            "migrations/0002_b.toml:1: unknown field `requierd`, expected one of `model`, `field`, `type`, `precision`, `scale`, `required`, `default`, `reference`, `loses`"
        ],
    );
    refused(
        "[[step]]\nkind = \"sql\"\nsql.sqlite = \"\"\n\n[[step]]\nkind = \"drop_field\"\nmodel = \"posts\"\nfield = \"title\"\n",
        expect![[
            r#"migrations/0002_b.toml:5: this step loses data, or may: say so in it, as `loses = "every value of posts.title"`"#
        ]],
    );
    refused(
        "[[step]]\nkind = \"rename_field\"\nmodel = \"posts\"\nfield = \"titel\"\nto = \"x\"\n",
        expect!["migrations/0002_b.toml:1: `posts` has no field `titel` at this point"],
    );
    refused(
        "[[step]]\nkind = \"add_field\"\nmodel = \"posts\"\nfield = \"n\"\ntype = \"int\"\ndefault = \"x\"\n",
        expect!["migrations/0002_b.toml:1: `default` is no int"],
    );
    refused(
        "[[step]]\nkind = \"add_reference\"\nmodel = \"posts\"\nname = \"r\"\nfields = [\"title\"]\nto = \"posts\"\non_delete = \"cascade\"\n",
        expect![
            "migrations/0002_b.toml:1: `posts.title` is of another type than `posts.id`, at which it points"
        ],
    );
    refused(&render_empty(), expect!["read"]);
}

#[test]
fn files_are_numbered_without_a_gap() {
    let told = |names: &[&str]| {
        let files: Vec<SourceFile> = names.iter().map(|name| file(name, "")).collect();
        Migrations::read(&files).map_or_else(|it| it.to_string(), |_| "read".to_owned())
    };
    assert_eq!(told(&["0002_b.toml", "0001_a.toml"]), "read");
    assert_eq!(
        told(&["0001_a.toml", "0003_b.toml"]),
        "0003_b.toml: there is no migration 2 before it"
    );
    assert_eq!(
        told(&["0001_a.toml", "0001_b.toml"]),
        "0001_b.toml: the number 1 is another migration's already"
    );
    for name in ["1_a.toml", "0001-a.toml", "0001_A.toml", "0000_a.toml", "0001_.toml", "a.toml"] {
        assert!(told(&[name]).contains("is named as"), "{name}");
    }
}

#[test]
fn a_database_stands_where_its_notes_say() {
    let files = |texts: &[&str]| {
        let paths = ["0001_a.toml", "0002_b.toml", "0003_c.toml"];
        let files: Vec<SourceFile> =
            paths.iter().zip(texts).map(|(path, text)| file(path, text)).collect();
        Migrations::read(&files).unwrap()
    };
    let noted = |migrations: &Migrations, numbers: &[u32]| -> Vec<AppliedMigration> {
        let records = migrations.all().iter().filter_map(|it| it.record());
        records
            .filter(|record| numbers.contains(&record.number))
            .map(|record| AppliedMigration {
                record: record.clone(),
                applied_at: "then".to_owned(),
            })
            .collect()
    };
    let told = |migrations: &Migrations, applied: &[AppliedMigration]| match migrations
        .standing(applied)
    {
        Ok(standing) => {
            let pending = standing.pending.iter().filter_map(|it| it.record());
            let pending: Vec<String> = pending.map(MigrationRecord::file).collect();
            let ahead: Vec<String> = standing.ahead.iter().map(|it| it.record.file()).collect();
            format!("pending {} ahead {}", pending.join(" "), ahead.join(" "))
        }
        Err(error) => error.to_string(),
    };
    let three = files(&["", "# b\n", ""]);
    expect!["pending 0002_b.toml 0003_c.toml ahead "]
        .assert_eq(&told(&three, &noted(&three, &[1])));
    let one = files(&[""]);
    expect!["pending  ahead 0002_b.toml 0003_c.toml"]
        .assert_eq(&told(&one, &noted(&three, &[1, 2, 3])));
    // Lines that end otherwise are no change; another text is.
    expect!["pending 0003_c.toml ahead "]
        .assert_eq(&told(&files(&["", "# b\r\n", ""]), &noted(&three, &[1, 2])));
    let branch = Migrations::read(&[file("0001_a.toml", ""), file("0002_x.toml", "")]).unwrap();
    expect!["the database has seen 0002_b.toml, and this folder has 0002_x.toml in its place: it is another app's database, or another branch's; give 0002_x.toml the next number, or use a database of its own"]
        .assert_eq(&told(&branch, &noted(&three, &[1, 2])));
    expect!["0002_b.toml was changed after it was applied on then: put it back as it was, and write what is to be otherwise as a new migration"]
        .assert_eq(&told(&files(&["", "# B\n", ""]), &noted(&three, &[1, 2])));
    expect!["0002_b.toml was not applied, and 0003_c.toml, which comes after it, was: give it the next number, as though it had been written today"]
        .assert_eq(&told(&three, &noted(&three, &[1, 3])));
}
