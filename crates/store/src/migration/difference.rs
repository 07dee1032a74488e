//! Where the tables of a store are not what a catalog wants.

use std::{collections::BTreeMap, fmt};

use crate::{ColumnSchema, IndexSchema, ReferenceSchema, Schema, TableSchema};

/// One difference, in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    table: String,
    kind: DifferenceKind,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// A model has no table.
    MissingTable,
    /// A table has no model.
    ExtraTable,
    /// A field has no column.
    MissingColumn {
        /// The column.
        column: String,
        /// Its type as wanted.
        expected: String,
    },
    /// A column has no field.
    ExtraColumn {
        /// The column.
        column: String,
        /// Whether a new row can leave it out.
        nullable: bool,
    },
    /// A column's type is another.
    ColumnType {
        /// The column.
        column: String,
        /// The type wanted.
        expected: String,
        /// The type found.
        found: String,
    },
    /// A column may be null where it must not, or the other way.
    ColumnNull {
        /// The column.
        column: String,
        /// Whether it should be allowed to be null.
        nullable: bool,
    },
    /// The primary key is another.
    Key {
        /// The columns wanted.
        expected: Vec<String>,
        /// The columns found.
        found: Vec<String>,
    },
    /// There is no such index.
    MissingIndex {
        /// Its name.
        name: String,
        /// What it should be.
        expected: IndexSchema,
    },
    /// No model names this index.
    ExtraIndex {
        /// Its name.
        name: String,
        /// What it is.
        found: IndexSchema,
    },
    /// An index is another one under the same name.
    Index {
        /// Its name.
        name: String,
        /// What it should be.
        expected: IndexSchema,
        /// What it is.
        found: IndexSchema,
    },
    /// There is no such reference.
    MissingReference {
        /// The columns that point.
        columns: Vec<String>,
        /// What they should point at.
        expected: ReferenceSchema,
    },
    /// No model names this reference.
    ExtraReference {
        /// The columns that point.
        columns: Vec<String>,
        /// What they point at.
        found: ReferenceSchema,
    },
    /// A reference is another one.
    Reference {
        /// The columns that point.
        columns: Vec<String>,
        /// What it should be.
        expected: ReferenceSchema,
        /// What it is.
        found: ReferenceSchema,
    },
}

impl Difference {
    fn new(table: &str, kind: DifferenceKind) -> Self {
        Self { table: table.to_owned(), kind }
    }

    /// The table it is about.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What differs.
    #[must_use]
    pub fn kind(&self) -> &DifferenceKind {
        &self.kind
    }

    /// Whether the app works as written all the same: what is there beyond the
    /// models, and neither keeps a row from being stored nor another from being found.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        match &self.kind {
            DifferenceKind::ExtraTable | DifferenceKind::ExtraColumn { nullable: true, .. } => true,
            DifferenceKind::ExtraIndex { found, .. } => !found.unique,
            _ => false,
        }
    }
}

/// Every place where `actual` is not `wanted`, table by table.
#[must_use]
pub fn differences(wanted: &Schema, actual: &Schema) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, table) in &wanted.tables {
        match actual.tables.get(name) {
            Some(actual) => compare_table(name, table, actual, &mut found),
            None => found.push(Difference::new(name, DifferenceKind::MissingTable)),
        }
    }
    found.extend(
        actual
            .tables
            .keys()
            .filter(|name| !wanted.tables.contains_key(*name))
            .map(|name| Difference::new(name, DifferenceKind::ExtraTable)),
    );
    found
}

fn compare_table(
    name: &str,
    wanted: &TableSchema,
    actual: &TableSchema,
    out: &mut Vec<Difference>,
) {
    let mut push = |kind| out.push(Difference::new(name, kind));
    let named = |columns: &[ColumnSchema], wanted: &str| {
        columns.iter().find(|column| column.name == wanted).cloned()
    };
    for column in &wanted.columns {
        match named(&actual.columns, &column.name) {
            Some(found) => compare_column(column, &found, &mut push),
            None => push(DifferenceKind::MissingColumn {
                column: column.name.clone(),
                expected: column.sql_type.clone(),
            }),
        }
    }
    for column in &actual.columns {
        if named(&wanted.columns, &column.name).is_none() {
            push(DifferenceKind::ExtraColumn {
                column: column.name.clone(),
                nullable: column.nullable,
            });
        }
    }
    if wanted.key != actual.key {
        push(DifferenceKind::Key { expected: wanted.key.clone(), found: actual.key.clone() });
    }
    compare_maps(&wanted.indexes, &actual.indexes, &mut |name: &String, pair| {
        let name = name.clone();
        push(match pair {
            Pair::Missing(expected) => DifferenceKind::MissingIndex { name, expected },
            Pair::Extra(found) => DifferenceKind::ExtraIndex { name, found },
            Pair::Other(expected, found) => DifferenceKind::Index { name, expected, found },
        });
    });
    compare_maps(&wanted.references, &actual.references, &mut |columns: &Vec<String>, pair| {
        let columns = columns.clone();
        push(match pair {
            Pair::Missing(expected) => DifferenceKind::MissingReference { columns, expected },
            Pair::Extra(found) => DifferenceKind::ExtraReference { columns, found },
            Pair::Other(expected, found) => DifferenceKind::Reference { columns, expected, found },
        });
    });
}

fn compare_column(
    wanted: &ColumnSchema,
    found: &ColumnSchema,
    push: &mut impl FnMut(DifferenceKind),
) {
    let column = &wanted.name;
    if wanted.sql_type != found.sql_type {
        push(DifferenceKind::ColumnType {
            column: column.clone(),
            expected: wanted.sql_type.clone(),
            found: found.sql_type.clone(),
        });
    }
    if wanted.nullable != found.nullable {
        push(DifferenceKind::ColumnNull { column: column.clone(), nullable: wanted.nullable });
    }
}

enum Pair<T> {
    Missing(T),
    Extra(T),
    Other(T, T),
}

fn compare_maps<K: Ord, T: Clone + PartialEq>(
    wanted: &BTreeMap<K, T>,
    actual: &BTreeMap<K, T>,
    report: &mut impl FnMut(&K, Pair<T>),
) {
    for (key, expected) in wanted {
        match actual.get(key) {
            None => report(key, Pair::Missing(expected.clone())),
            Some(found) if found != expected => {
                report(key, Pair::Other(expected.clone(), found.clone()));
            }
            Some(_) => {}
        }
    }
    for (key, found) in actual.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
        report(key, Pair::Extra(found.clone()));
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.kind {
            DifferenceKind::MissingTable => write!(f, "the table {table} is missing"),
            DifferenceKind::ExtraTable => write!(f, "the table {table} belongs to no model"),
            DifferenceKind::MissingColumn { column, expected } => {
                write!(f, "the column {table}.{column} ({expected}) is missing")
            }
            DifferenceKind::ExtraColumn { column, .. } => {
                write!(f, "the column {table}.{column} belongs to no field")
            }
            DifferenceKind::ColumnType { column, expected, found } => {
                write!(f, "the column {table}.{column} should be {expected} and is {found}")
            }
            DifferenceKind::ColumnNull { column, nullable: true } => {
                write!(f, "the column {table}.{column} should allow null and does not")
            }
            DifferenceKind::ColumnNull { column, nullable: false } => {
                write!(f, "the column {table}.{column} should not allow null and does")
            }
            DifferenceKind::Key { expected, found } => write!(
                f,
                "the primary key of {table} should be ({}) and is ({})",
                expected.join(", "),
                found.join(", ")
            ),
            DifferenceKind::MissingIndex { name, expected } => {
                write!(f, "the index {name} on {table} {} is missing", Shown(expected))
            }
            DifferenceKind::ExtraIndex { name, found } => {
                write!(f, "the index {name} on {table} {} belongs to no model", Shown(found))
            }
            DifferenceKind::Index { name, expected, found } => write!(
                f,
                "the index {name} on {table} should be {} and is {}",
                Shown(expected),
                Shown(found)
            ),
            DifferenceKind::MissingReference { columns, expected } => write!(
                f,
                "the reference from {table} ({}) to {} is missing",
                columns.join(", "),
                Shown(expected)
            ),
            DifferenceKind::ExtraReference { columns, found } => write!(
                f,
                "the reference from {table} ({}) to {} belongs to no model",
                columns.join(", "),
                Shown(found)
            ),
            DifferenceKind::Reference { columns, expected, found } => write!(
                f,
                "the reference from {table} ({}) should be to {} and is to {}",
                columns.join(", "),
                Shown(expected),
                Shown(found)
            ),
        }
    }
}

struct Shown<'a, T>(&'a T);

impl fmt::Display for Shown<'_, IndexSchema> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self
            .0
            .columns
            .iter()
            .map(|(name, descends)| format!("{name}{}", if *descends { " desc" } else { "" }))
            .collect();
        write!(f, "{}({})", if self.0.unique { "unique " } else { "" }, columns.join(", "))
    }
}

impl fmt::Display for Shown<'_, ReferenceSchema> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReferenceSchema { table, columns, on_delete } = self.0;
        write!(f, "{table} ({}) on delete {on_delete}", columns.join(", "))
    }
}
