//! What becomes of requests at the gate, for each kind of caller.

mod access;
mod reads;
mod show;
mod writes;
