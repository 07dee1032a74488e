//! What is part of every app: the models of the crates below, and the migrations that
//! make their tables.
//!
//! Each crate's migrations are a lineage of their own inside the binary. An app's are read
//! as what comes after all of them, in the order in which they stand here.

use mainstay_core::{BuiltIn, SourceFile};
use mainstay_store::{MigrationMistake, Migrations, Snapshot};

/// What a crate brings to every app.
struct Part {
    /// The lineage of its migrations.
    lineage: &'static str,
    models: &'static [BuiltIn],
    migrations: &'static [BuiltIn],
}

fn parts() -> [Part; 2] {
    [
        Part {
            lineage: "auth",
            models: mainstay_auth::models(),
            migrations: mainstay_auth::migrations(),
        },
        Part {
            lineage: "mail",
            models: mainstay_mail::models(),
            migrations: mainstay_mail::migrations(),
        },
    ]
}

/// The built-in models of all crates.
pub(crate) fn models() -> Vec<BuiltIn> {
    parts().iter().flat_map(|part| part.models).copied().collect()
}

/// The built-in migrations of all crates.
#[derive(Clone, Debug)]
pub(crate) struct BuiltInMigrations {
    lineages: Vec<Migrations>,
    after: Snapshot,
}

impl BuiltInMigrations {
    /// Reads them.
    ///
    /// # Errors
    /// Where one has a mistake, which a test would have found.
    pub(crate) fn read() -> Result<Self, MigrationMistake> {
        let (mut lineages, mut after) = (Vec::new(), Snapshot::default());
        for part in parts() {
            let files: Vec<SourceFile> = part.migrations.iter().map(SourceFile::from).collect();
            let migrations = Migrations::of(part.lineage, &after, &files)?;
            after = migrations.snapshot().clone();
            lineages.push(migrations);
        }
        Ok(Self { lineages, after })
    }

    /// The lineages, in the order in which they are applied.
    pub(crate) fn lineages(&self) -> &[Migrations] {
        &self.lineages
    }

    /// What all of them come to, which is what an app's migrations begin with.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.after
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::read_app;
    use mainstay_store::{Choices, compare, render};

    use super::*;

    #[test]
    fn the_built_in_migrations_come_to_what_the_built_in_models_want() {
        let catalog = read_app(&models(), &[], &[]).expect("built-in models without a mistake");
        let migrations = BuiltInMigrations::read().expect("built-in migrations without a mistake");
        let missing =
            compare(migrations.snapshot(), &catalog.catalog, &Choices::default()).expect("steps");
        assert!(
            missing.is_empty(),
            "the models of a crate were changed without a migration that leads there; this is \
             one:\n{}",
            render(&missing)
        );
    }
}
