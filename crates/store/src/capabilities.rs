//! What an engine can promise, said before anything is served.

/// What an engine can promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The engine's name, as `[database] url` begins with it.
    pub engine: &'static str,
    /// Several plans commit or fail together.
    pub transactions: bool,
    /// Two fields can be kept unique together.
    pub unique_constraints: bool,
    /// Guards that follow relations hold while others write.
    pub relation_guards: bool,
    /// Guards that count, or look for what is not there, hold while others write.
    pub counting_guards: bool,
    /// Rows can be embedded.
    pub embeds: bool,
    /// Rows can be grouped and summed.
    pub aggregates: bool,
}

/// Something of an app's that an engine cannot promise, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What of the app's: a model, a field or a rule.
    pub subject: String,
    /// What the engine cannot do with it.
    pub message: String,
    /// What can be done about it.
    pub way_out: String,
}
