//! Migrations one after the other, written from models and applied to rows that are
//! there: every engine ends with the same tables and the same rows.

use expect_test::expect;
use mainstay_core::{Catalog, SourceFile};
use mainstay_store::{Choices, CompareError, Migration, Migrations, compare, differences, render};

use super::super::harness::*;

/// The migrations of an app, as they come to be.
#[derive(Default)]
pub(super) struct Chain {
    files: Vec<SourceFile>,
}

impl Chain {
    /// Writes the migration that leads to a catalog; `edit` is what a developer does to it.
    fn write(&mut self, catalog: &Catalog, said: &[&str], edit: impl FnOnce(String) -> String) {
        assert!(self.try_write(catalog, said), "nothing is different");
        if let Some(last) = self.files.last_mut() {
            last.text = edit(std::mem::take(&mut last.text));
        }
        let none = compare(self.read().snapshot(), catalog, &Choices::default());
        assert_eq!(none, Ok::<_, CompareError>(Vec::new()), "{}", self.last());
    }

    /// The same, untouched; whether there is anything to write.
    pub(super) fn try_write(&mut self, catalog: &Catalog, said: &[&str]) -> bool {
        let before = self.read();
        let mut choices = Choices::default();
        for said in said {
            match said.parse() {
                Ok(rename) => choices.rename(rename),
                Err(_) => choices.drop(said),
            }
        }
        let steps = compare(before.snapshot(), catalog, &choices).unwrap();
        if steps.is_empty() {
            return false;
        }
        let path = format!("migrations/{}", before.next_file("step").unwrap());
        self.files.push(SourceFile { path, text: render(&steps) });
        let none = compare(self.read().snapshot(), catalog, &Choices::default());
        assert_eq!(none, Ok::<_, CompareError>(Vec::new()), "{}", self.last());
        true
    }

    /// Forgets the migration that was written last.
    pub(super) fn forget_last(&mut self) {
        self.files.pop();
    }

    pub(super) fn read(&self) -> Migrations {
        Migrations::read(&self.files).map_err(|found| format!("{found}\n{}", self.last())).unwrap()
    }

    pub(super) fn last(&self) -> &str {
        self.files.last().map_or("", |file| &file.text)
    }

    /// Applies what the store has not seen, and returns each step in words.
    async fn apply(&self, app: &App) -> Vec<String> {
        let applied = app.store.migrations().await.unwrap();
        let mut steps = Vec::new();
        for migration in self.read().standing(&applied).unwrap().pending {
            let done = app.store.migrate(migration, cx()).await;
            let done = done.map_err(|error| told(&error) + "\n" + self.last());
            steps.extend(done.unwrap().steps);
        }
        steps
    }
}

/// An error with its causes.
pub(super) fn told(error: &mainstay_core::Error) -> String {
    let mut text = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Goes over to other models by a migration, and finds the tables as they want them.
async fn evolve(
    app: &mut App,
    chain: &mut Chain,
    models: &[(&str, &str)],
    said: &[&str],
    edit: impl FnOnce(String) -> String,
) {
    app.remodel(models);
    chain.write(app.planner.catalog(), said, edit);
    chain.apply(app).await;
    let wanted = app.store.wanted_schema(app.planner.catalog());
    let found = differences(&wanted, &app.store.introspect().await.unwrap());
    assert!(found.is_empty(), "{found:?}\n{}", chain.last());
    app.store.adopt(std::sync::Arc::clone(app.planner.catalog()));
}

const RULES: &str = "[rules]\nread = \"true\"\n";
const PEOPLE: &str = "[model]\nid = \"int\"\ntimestamps = false\n[fields]\n";

fn people(fields: &str) -> String {
    format!("{PEOPLE}{fields}\n{RULES}")
}

fn notes(fields: &str) -> String {
    format!("[model]\nid = \"text\"\ntimestamps = false\n[fields]\n{fields}\n{RULES}")
}

/// Two models with rows, made by the first migration.
async fn begun(chain: &mut Chain, people_fields: &str, notes_fields: &str) -> App {
    let mut app = App::of(&[]).await;
    let models = [("people", people(people_fields)), ("notes", notes(notes_fields))];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    evolve(&mut app, chain, &models, &[], |text| text).await;
    app
}

#[tokio::test]
async fn a_field_that_is_renamed_keeps_its_values_its_indexes_and_what_points_at_it() {
    let mut chain = Chain::default();
    let author = "author = { type = \"ref\", to = \"people\", required = true }\n";
    let mut app = begun(&mut chain, "name = { type = \"text\", unique = true }", author).await;
    app.write(&insert("people", &[&[("id", "7"), ("name", "Ada")]], ""), &service()).await;
    app.write(&insert("notes", &[&[("id", "a"), ("author", "7")]], ""), &service()).await;
    let models = [
        ("people", people("full_name = { type = \"text\", unique = true }")),
        ("notes", notes(&author.replace("author", "writer"))),
    ];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    let said = ["people.name=full_name", "notes.author=writer"];
    evolve(&mut app, &mut chain, &models, &said, |text| text).await;
    assert!(!chain.last().contains("drop"), "{}", chain.last());
    let rows = app.read(&read("people", "id,full_name"), &service()).await;
    expect![[r#"(7 "Ada")"#]].assert_eq(&rows);
    let twice = insert("people", &[&[("full_name", "Ada")]], "");
    expect![[r#"23505: duplicate key value violates unique constraint "people_full_name_key" / Key (full_name) already exists."#]]
        .assert_eq(&app.write(&twice, &service()).await);
    let gone = delete("people", vec![equal("id", "7")], "");
    expect![[r#"23503: update or delete on table "people" violates foreign key constraint "notes_writer_fkey" on table "notes" / Key (id) is still referenced from table "notes"."#]]
        .assert_eq(&app.write(&gone, &service()).await);
}

#[tokio::test]
async fn a_model_that_is_renamed_keeps_its_rows_its_refs_and_its_numbers() {
    let mut chain = Chain::default();
    let author = "author = { type = \"ref\", to = \"people\", on_delete = \"cascade\" }\n";
    let mut app = begun(&mut chain, "name = { type = \"text\" }", author).await;
    let rows: [Object<'_>; 2] = [&[("name", "Ada")], &[("name", "Bob")]];
    app.write(&insert("people", &rows, ""), &service()).await;
    app.write(&insert("notes", &[&[("id", "a"), ("author", "1")]], ""), &service()).await;
    app.write(&delete("people", vec![equal("id", "2")], ""), &service()).await;
    let models = [
        ("users", people("name = { type = \"text\" }")),
        ("notes", notes(&author.replace("people", "users"))),
    ];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    evolve(&mut app, &mut chain, &models, &["people=users"], |text| text).await;
    assert!(!chain.last().contains("drop"), "{}", chain.last());
    let next = insert("users", &[&[("name", "Cy")]], "id");
    expect!["[3] 1 new (3)"].assert_eq(&app.write(&next, &service()).await);
    app.write(&delete("users", vec![equal("id", "1")], ""), &service()).await;
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
}

#[tokio::test]
async fn a_type_that_becomes_another_takes_the_values_along_as_the_same_on_every_engine() {
    let mut chain = Chain::default();
    let before = "a = { type = \"text\" }\nb = { type = \"int\" }\nc = { type = \"int\" }\n\
                  d = { type = \"decimal\", precision = 8, scale = 3 }\ne = { type = \"float\" }\n\
                  f = { type = \"timestamp\" }\ng = { type = \"json\" }\nh = { type = \"bool\" }\n\
                  i = { type = \"float\" }\nj = { type = \"text\", unique = true }\n";
    let after = "a = { type = \"int\" }\nb = { type = \"text\" }\n\
                 c = { type = \"decimal\", precision = 8, scale = 2 }\n\
                 d = { type = \"decimal\", precision = 8, scale = 1 }\n\
                 e = { type = \"decimal\", precision = 8, scale = 2 }\nf = { type = \"date\" }\n\
                 g = { type = \"text\" }\nh = { type = \"int\" }\ni = { type = \"text\" }\n\
                 j = { type = \"uuid\", unique = true }\n";
    let pointing = "at = { type = \"ref\", to = \"people\", on_delete = \"set_null\" }\n";
    let mut app = begun(&mut chain, before, pointing).await;
    let row: Object<'_> = &[
        ("id", "5"),
        ("a", "12"),
        ("b", "-7"),
        ("c", "3"),
        ("d", "1.250"),
        ("e", "2.005"),
        ("f", "2026-11-23T23:30:00Z"),
        ("g", r#"{"a":[1,"x"]}"#),
        ("h", "true"),
        ("i", "0.1"),
        ("j", "00000000-0000-0000-0000-00000000000a"),
    ];
    app.write(&insert("people", &[row, &[("id", "9")]], ""), &service()).await;
    app.write(&delete("people", vec![equal("id", "9")], ""), &service()).await;
    app.write(&insert("people", &[&[("id", "8")]], ""), &service()).await;
    app.write(&insert("notes", &[&[("id", "n"), ("at", "5")]], ""), &service()).await;
    let models = [("people", people(after)), ("notes", notes(pointing))];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    evolve(&mut app, &mut chain, &models, &[], |text| text).await;
    let told = app.read(&read("people", "id,a,b,c,d,e,f,g,h,i,j"), &service()).await;
    expect![[r#"(5 12 "-7" 3.00 1.3 2.01 2026-11-23 "{\"a\":[1,\"x\"]}" 1 "0.1" #a) (8 null null null null null null null null null null)"#]]
        .assert_eq(&told);
    // The numbers go on above those that there ever were, and what points goes on pointing.
    let next = insert("people", &[&[("b", "x")]], "id");
    expect!["[10] 1 new (10)"].assert_eq(&app.write(&next, &service()).await);
    app.write(&delete("people", vec![equal("id", "5")], ""), &service()).await;
    expect![[r#"("n" null)"#]].assert_eq(&app.read(&read("notes", "id,at"), &service()).await);
}

#[tokio::test]
async fn a_field_is_split_by_sql_before_the_old_one_goes() {
    let mut chain = Chain::default();
    let mut app =
        begun(&mut chain, "name = { type = \"text\" }", "body = { type = \"text\" }").await;
    let rows: [Object<'_>; 2] = [&[("name", "Ada Lovelace")], &[("name", "Bob")]];
    app.write(&insert("people", &rows, ""), &service()).await;
    let after = "first = { type = \"text\", required = true, default = \"\" }\n\
                 last = { type = \"text\" }\nsince = { type = \"timestamp\", required = true, default = \"now\" }\n";
    let models = [("people", people(after)), ("notes", notes("body = { type = \"text\" }"))];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    let split = r#"
[[step]]
kind = "sql"
sql.sqlite = """
UPDATE people SET first = substr(name, 1, instr(name || ' ', ' ') - 1),
    last = nullif(substr(name, instr(name || ' ', ' ') + 1), '');
"""
sql.postgres = """
UPDATE people SET first = split_part(name, ' ', 1), last = nullif(split_part(name, ' ', 2), '');
"""

[[step]]
kind = "drop_field""#;
    let edit = |text: String| text.replacen("\n[[step]]\nkind = \"drop_field\"", split, 1);
    evolve(&mut app, &mut chain, &models, &["people.name"], edit).await;
    let told = app.read(&read("people", "id,first,last"), &service()).await;
    expect![[r#"(1 "Ada" "Lovelace") (2 "Bob" null)"#]].assert_eq(&told);
    let asked = "SELECT count(*) FROM people WHERE since IS NOT NULL";
    assert_eq!(app.engine.number(asked).await, 2);
}

#[tokio::test]
async fn refs_that_come_change_and_go_hold_for_the_rows_that_are_there() {
    let mut chain = Chain::default();
    let plain = "owner = { type = \"int\" }\nrank = { type = \"int\" }\n";
    let mut app = begun(&mut chain, "name = { type = \"text\" }", plain).await;
    let owner = |on_delete: &str, required: &str| {
        let field = format!(
            "owner = {{ type = \"ref\", to = \"people\", on_delete = \"{on_delete}\"{required} }}"
        );
        notes(&format!("{field}\nrank = {{ type = \"int\" }}\n"))
    };
    let people = people("name = { type = \"text\" }");
    app.write(&insert("people", &[&[("id", "1")], &[("id", "2")]], ""), &service()).await;
    app.write(&insert("notes", &[&[("id", "a"), ("owner", "1")]], ""), &service()).await;
    for (on_delete, required) in
        [("restrict", ""), ("cascade", ""), ("cascade", ", required = true")]
    {
        let notes = owner(on_delete, required);
        let models = [("people", people.as_str()), ("notes", notes.as_str())];
        evolve(&mut app, &mut chain, &models, &[], |text| text).await;
        let wrong = insert("notes", &[&[("id", "b"), ("owner", "99")]], "");
        let told = app.write(&wrong, &service()).await;
        assert!(told.starts_with("23503: "), "{told}");
    }
    app.write(&delete("people", vec![equal("id", "1")], ""), &service()).await;
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
    let notes = notes(plain);
    let models = [("people", people.as_str()), ("notes", notes.as_str())];
    evolve(&mut app, &mut chain, &models, &[], |text| text).await;
    let told =
        app.write(&insert("notes", &[&[("id", "b"), ("owner", "99")]], ""), &service()).await;
    assert!(told.starts_with("[\"b\"]"), "{told}");
}

#[tokio::test]
async fn models_that_point_at_each_other_come_and_go() {
    let mut chain = Chain::default();
    let one =
        "friend = { type = \"ref\", to = \"people\" }\nbest = { type = \"ref\", to = \"notes\" }\n";
    let other =
        "author = { type = \"ref\", to = \"people\", required = true, on_delete = \"cascade\" }\n";
    let mut app = begun(&mut chain, one, other).await;
    app.write(&insert("people", &[&[("id", "1"), ("friend", "1")]], ""), &service()).await;
    app.write(&insert("notes", &[&[("id", "a"), ("author", "1")]], ""), &service()).await;
    let best = update("people", vec![equal("id", "1")], &[("best", "a")], "");
    app.write(&best, &service()).await;
    let rest = format!("[fields]\nlabel = {{ type = \"text\" }}\n{RULES}");
    evolve(&mut app, &mut chain, &[("tags", &rest)], &[], |text| text).await;
    expect![""].assert_eq(&app.read(&read("tags", "label"), &service()).await);
}

#[tokio::test]
async fn a_migration_that_fails_at_its_last_step_leaves_the_database_as_it_was() {
    let mut chain = Chain::default();
    let mut app =
        begun(&mut chain, "name = { type = \"text\" }", "body = { type = \"text\" }").await;
    let rows: [Object<'_>; 2] = [&[("name", "x")], &[("name", "x")]];
    app.write(&insert("people", &rows, ""), &service()).await;
    let before = app.store.introspect().await.unwrap();
    let applied = app.store.migrations().await.unwrap();
    let refused: [(&str, &[&str]); 4] = [
        ("name = { type = \"text\", unique = true }\nage = { type = \"int\" }", &[]),
        ("name = { type = \"int\" }\nage = { type = \"int\" }", &[]),
        ("age = { type = \"int\", required = true }", &["people.name"]),
        ("name = { type = \"text\" }\nage = { type = \"int\" }", &[]),
    ];
    let mut all = Vec::new();
    for (at, (fields, said)) in refused.into_iter().enumerate() {
        let models = [("people", people(fields)), ("notes", notes("body = { type = \"text\" }"))];
        let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
        app.remodel(&models);
        let files = chain.files.len();
        let ends =
            "\n[[step]]\nkind = \"sql\"\nsql = { sqlite = \"COMMIT\", postgres = \"COMMIT\" }\n";
        chain.write(app.planner.catalog(), said, |text| text + if at == 3 { ends } else { "" });
        let migration = chain.read().all().last().unwrap().clone();
        let error = app.store.migrate(migration, cx()).await.unwrap_err();
        all.push(error.message().to_owned());
        chain.files.truncate(files);
        assert_eq!(app.store.introspect().await.unwrap(), before);
        assert_eq!(app.store.migrations().await.unwrap(), applied);
    }
    let last = all.pop().unwrap();
    assert!(last.starts_with("cannot run the migration's own SQL: "), "{last}");
    expect![[r#"
        cannot create index people_name_key on people: rows that are there share the same values
        cannot change column people.name to int: invalid input syntax for type int: "x"
        cannot add column people.age: rows that are there have no value for it"#]]
    .assert_eq(&all.join("\n"));
}

#[tokio::test]
async fn what_is_there_already_is_left_and_what_is_there_otherwise_is_refused() {
    let mut app = App::of(&[("people", &people("name = { type = \"text\" }"))]).await;
    app.write(&insert("people", &[&[("name", "Ada")]], ""), &service()).await;
    let mut chain = Chain::default();
    chain.write(app.planner.catalog(), &[], |text| text);
    let steps = chain.apply(&app).await;
    expect!["create table people (it is there already)"].assert_eq(&steps.join("\n"));
    assert!(chain.apply(&app).await.is_empty());
    expect![[r#"("Ada")"#]].assert_eq(&app.read(&read("people", "name"), &service()).await);
    // The models say otherwise than what somebody has added by hand.
    app.remodel(&[("people", &people("name = { type = \"text\" }\nage = { type = \"text\" }"))]);
    app.migrate().await;
    app.remodel(&[("people", &people("name = { type = \"text\" }\nage = { type = \"int\" }"))]);
    chain.write(app.planner.catalog(), &[], |text| text);
    let migration = chain.read().all()[1].clone();
    let error = app.store.migrate(migration, cx()).await.unwrap_err();
    assert!(
        error.message().starts_with("cannot add column people.age: it is there already, but"),
        "{error}"
    );
}

#[tokio::test]
async fn an_empty_column_that_dev_added_makes_way_for_the_one_that_is_renamed() {
    let mut chain = Chain::default();
    let mut app =
        begun(&mut chain, "name = { type = \"text\" }", "body = { type = \"text\" }").await;
    app.write(&insert("people", &[&[("name", "Ada")]], ""), &service()).await;
    let models = [
        ("people", people("nick = { type = \"text\", unique = true }")),
        ("notes", notes("body = { type = \"text\" }")),
    ];
    let models = models.each_ref().map(|(name, text)| (*name, text.as_str()));
    app.remodel(&models);
    assert_eq!(app.migrate().await.len(), 2);
    evolve(&mut app, &mut chain, &models, &["people.name=nick"], |text| text).await;
    expect![[r#"("Ada")"#]].assert_eq(&app.read(&read("people", "nick"), &service()).await);
}

#[tokio::test]
async fn nodes_that_migrate_at_once_apply_each_migration_once() {
    let mut chain = Chain::default();
    let app = begun(&mut chain, "name = { type = \"text\" }", "body = { type = \"text\" }").await;
    let path = "migrations/0002_count.toml".to_owned();
    let text = "[[step]]\nkind = \"sql\"\n[step.sql]\n\
                sqlite = \"INSERT INTO people (name) VALUES ('x')\"\n\
                postgres = \"INSERT INTO people (name) VALUES ('x')\"\n";
    chain.files.push(SourceFile { path, text: text.to_owned() });
    let migration: Migration = chain.read().all()[1].clone();
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let (store, migration) = (app.store.clone(), migration.clone());
            tokio::spawn(async move { store.migrate(migration, cx()).await.unwrap().steps.len() })
        })
        .collect();
    let mut applied = 0;
    for node in nodes {
        applied += node.await.unwrap();
    }
    assert_eq!((applied, app.engine.number("SELECT count(*) FROM people").await), (1, 1));
}
