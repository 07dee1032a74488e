//! Inserts, updates, deletes and PUT: their statuses and headers.

use expect_test::expect;
use mainstay_store::End;

use super::{NONE, ONE, TWO, check, harness::*};

#[tokio::test]
async fn an_insert_is_created_unless_all_of_it_was_there() {
    check(
        ONE,
        "POST /rest/v1/posts\n\n{\"title\":\"x\"}",
        expect![[r#"
            201
            content-length: 0
            content-range: */*"#]],
    )
    .await;
    check(ONE, "POST /rest/v1/posts?select=id\nprefer: return=representation,count=exact\n\n{\"title\":\"x\"}", expect![[r#"
        201
        content-length: 10
        content-range: */1
        preference-applied: return=representation, count=exact
        [{"id":1}]"#]]).await;
    check(
        ONE,
        "POST /rest/v1/posts\nprefer: return=headers-only\n\n{\"title\":\"x\"}",
        expect![[r#"
            201
            content-length: 0
            content-range: */*
            location: /rest/v1/posts?id=eq.1
            preference-applied: return=headers-only"#]],
    )
    .await;
    let merged = Told { inserted: 0, ..ONE };
    check(
        merged,
        "POST /rest/v1/posts\nprefer: resolution=merge-duplicates\n\n{\"id\":1,\"title\":\"x\"}",
        expect![[r#"
            200
            content-length: 0
            content-range: */*
            preference-applied: resolution=merge-duplicates"#]],
    )
    .await;
}

#[tokio::test]
async fn writes_of_nothing_are_not_errors() {
    check(
        NONE,
        "POST /rest/v1/posts\nprefer: return=representation\n\n[]",
        expect![[r#"
        201
        content-length: 2
        content-range: */*
        preference-applied: return=representation
        []"#]],
    )
    .await;
    check(
        NONE,
        "PATCH /rest/v1/posts?id=eq.1\nprefer: return=representation\n\n{}",
        expect![[r#"
        200
        content-length: 2
        content-range: */*
        preference-applied: return=representation
        []"#]],
    )
    .await;
    check(
        NONE,
        "PATCH /rest/v1/posts?id=eq.1\n\n[]",
        expect![[r#"
        204
        content-range: */*"#]],
    )
    .await;
    check(
        ONE,
        "POST /rest/v1/posts\n\n{}",
        expect![[r#"
        201
        content-length: 0
        content-range: */*"#]],
    )
    .await;
    check(
        ONE,
        "GET /rest/v1/posts?select=",
        expect![[r#"
        200
        content-length: 22
        content-range: 0-0/*
        [{"id":1,"title":"t"}]"#]],
    )
    .await;
    check(
        ONE,
        "GET /rest/v1/posts?",
        expect![[r#"
        200
        content-length: 22
        content-range: 0-0/*
        [{"id":1,"title":"t"}]"#]],
    )
    .await;
}

#[tokio::test]
async fn an_update_without_rows_is_no_content() {
    check(
        TWO,
        "PATCH /rest/v1/posts?id=gt.0\n\n{\"title\":\"x\"}",
        expect![[r#"
            204
            content-range: 0-1/*"#]],
    )
    .await;
    check(TWO, "PATCH /rest/v1/posts?id=gt.0&select=id\nprefer: return=representation\n\n{\"title\":\"x\"}", expect![[r#"
        200
        content-length: 19
        content-range: 0-1/*
        preference-applied: return=representation
        [{"id":1},{"id":2}]"#]]).await;
    check(
        TWO,
        "DELETE /rest/v1/posts?id=gt.0\nprefer: count=exact",
        expect![[r#"
            204
            content-range: */2
            preference-applied: count=exact"#]],
    )
    .await;
    check(
        TWO,
        "DELETE /rest/v1/posts?id=gt.0&select=id\nprefer: return=representation",
        expect![[r#"
            200
            content-length: 19
            content-range: */*
            preference-applied: return=representation
            [{"id":1},{"id":2}]"#]],
    )
    .await;
    check(TWO, "DELETE /rest/v1/posts", expect![[r#"
        400
        content-length: 150
        proxy-status: Mainstay; error=21000
        {"code":"21000","message":"DELETE requires a filter","details":null,"hint":"add a filter, or bound it with 'Prefer: handling=strict, max-affected=N'"}"#]]).await;
    check(TWO, "DELETE /rest/v1/posts?id=gt.0&limit=1", expect![[r#"
        400
        content-length: 212
        proxy-status: Mainstay; error=PGRST127
        {"code":"PGRST127","message":"limit/offset querystring parameters are not allowed for DELETE","details":null,"hint":"Name the rows by a filter; bound their number with 'Prefer: handling=strict, max-affected=N'."}"#]]).await;
    check(TWO, "PATCH /rest/v1/posts?id=gt.0\n\n[{},{}]", expect![[r#"
        400
        content-length: 95
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"the body of PATCH must be one object","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn put_addresses_the_row_in_its_body() {
    let put = |target: &str, body: &str| format!("PUT /rest/v1/posts{target}\n\n{body}");
    check(ONE, &put("?id=eq.1", "{\"id\":1,\"title\":\"x\"}"), expect!["204"]).await;
    check(ONE, "PUT /rest/v1/posts?id=eq.1&select=id\nprefer: return=representation\n\n{\"id\":\"01\",\"title\":\"x\"}", expect![[r#"
        201
        content-length: 10
        preference-applied: return=representation
        [{"id":1}]"#]]).await;
    check(ONE, &put("?id=eq.2", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        400
        content-length: 115
        proxy-status: Mainstay; error=PGRST115
        {"code":"PGRST115","message":"Payload values do not match URL in primary key column(s)","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=gt.1", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        405
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 132
        proxy-status: Mainstay; error=PGRST105
        {"code":"PGRST105","message":"Filters must include all and only primary key columns with 'eq' operators","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=eq.1&title=eq.x", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        405
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 132
        proxy-status: Mainstay; error=PGRST105
        {"code":"PGRST105","message":"Filters must include all and only primary key columns with 'eq' operators","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=eq.1&limit=1", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        400
        content-length: 209
        proxy-status: Mainstay; error=PGRST114
        {"code":"PGRST114","message":"limit/offset querystring parameters are not allowed for PUT","details":null,"hint":"Name the rows by a filter; bound their number with 'Prefer: handling=strict, max-affected=N'."}"#]]).await;
    check(ONE, &put("?id=eq.1", "[]"), expect![[r#"
        400
        content-length: 93
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"the body of PUT must be one object","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn a_rehearsal_is_rolled_back() {
    let (router, store) = serve(ONE);
    let text = ask(router, "POST /rest/v1/posts\nprefer: tx=rollback\n\n{\"title\":\"x\"}").await;
    expect![[r#"
        201
        content-length: 0
        content-range: */*
        preference-applied: tx=rollback"#]]
    .assert_eq(&text);
    assert_eq!(*store.0.ended.lock().unwrap(), [End::RollBack]);
}
