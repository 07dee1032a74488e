//! What becomes of requests at the gate, for each kind of caller.

mod reads;
mod show;
mod writes;
