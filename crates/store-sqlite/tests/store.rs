//! The SQLite store behind the real planner: what is planned is carried out, and
//! nothing else.

mod store {
    mod harness;
    mod reads;
}
