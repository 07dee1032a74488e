//! The tests of rules that use the corpus.

mod built_in;
mod callers;
mod compile;
mod corpus;
mod explain;
mod fold;
mod generated;
mod mistakes;
mod partial;
mod shown;
mod third_opinion;
mod together;
