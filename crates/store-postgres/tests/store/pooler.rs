//! Behind PgBouncer in transaction mode, on the server that
//! `MAINSTAY_TEST_PGBOUNCER_URL` names: nothing may be prepared, and a session is another
//! with each transaction.

mod on_pgbouncer {
    use std::sync::Arc;

    use expect_test::expect;
    use mainstay_plan::{Count, Join, SelectEmbed, SelectItem};

    use crate::{conformance::harness::*, engine::Engine};

    const USERS: &str =
        "[model]\nid = \"text\"\n[fields]\nname = { type = \"text\" }\n[rules]\nread = \"true\"\n";
    const POSTS: &str = r#"
[model]
id = "int"
[fields]
title = { type = "text", unique = true }
author = { type = "ref", to = "users", default = "auth.id" }
price = { type = "decimal", precision = 8, scale = 2 }
[rules]
read = "true"
create = "author == auth.id"
update = "author == auth.id"
check = "author.name == 'Ada'"
delete = "author == auth.id"
"#;
    const LOGS: &str =
        "[fields]\ntext = { type = \"text\" }\n[rules]\nread = \"true\"\ncreate = \"true\"\n";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn reads_and_writes_find_what_they_need_in_every_transaction() {
        let models = [("users", USERS), ("posts", POSTS), ("logs", LOGS)];
        let app = Arc::new(App::on(Engine::behind_pooler().await, &models).await);
        let ada = user("ada");
        app.write(&insert("users", &[&[("id", "ada"), ("name", "Ada")]], ""), &service()).await;
        let row: &[(&str, &str)] = &[("title", "one"), ("price", "9.5")];
        let told = app.write(&insert("posts", &[row], "id,price"), &ada).await;
        expect!["[1] 1 new (1 9.50)"].assert_eq(&told);
        let taken = app.write(&insert("posts", &[row], ""), &ada).await;
        assert!(taken.starts_with("23505"), "{taken}");
        let change = update("posts", vec![equal("id", "1")], &[("title", "two")], "title");
        expect![[r#"[1] 0 new ("two")"#]].assert_eq(&app.write(&change, &ada).await);
        let denied = app.write(&insert("posts", &[row], ""), &user("bob")).await;
        assert!(denied.starts_with("23503") || denied.starts_with("42501"), "{denied}");

        let mut request = read("posts", "title");
        request.count = Count::Exact;
        request.select.push(SelectItem::Embed(SelectEmbed {
            target: "author".into(),
            select: fields("name"),
            alias: None,
            hint: None,
            join: Join::Left,
            spread: false,
        }));
        expect![[r#"("two" {"Ada"}) of 1"#]].assert_eq(&app.read(&request, &ada).await);

        // Many at once, over fewer connections of the server's than ours.
        let mut all = Vec::new();
        for number in 0..200 {
            let (app, ada) = (Arc::clone(&app), ada.clone());
            all.push(tokio::spawn(async move {
                if number % 2 == 0 {
                    app.write(&insert("logs", &[&[("text", "x")]], ""), &ada).await
                } else {
                    app.read(&read("posts", "title"), &ada).await
                }
            }));
        }
        for told in all {
            let told = told.await.unwrap();
            assert!(told.ends_with("1 new") || told == r#"("two")"#, "{told}");
        }
        assert_eq!(app.engine.number("SELECT count(*) FROM logs").await, 100);
    }
}
