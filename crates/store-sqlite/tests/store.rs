//! The SQLite store behind the real planner: what is planned is carried out, and
//! nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod store {
    mod cascades;
    mod commits;
    mod corpus;
    mod embeds;
    mod guards;
    mod harness;
    mod migration;
    mod reads;
    mod upsert;
    mod writes;
}
