//! The statements of a write. Each is asked of any number of rows at once: keys and
//! rows come as lists, one for each field.

use std::sync::Arc;

use mainstay_core::{Catalog, FieldId, Filter, ModelId, RefId, Type, Way, removal::removed};
use mainstay_plan::Guard;
use mainstay_store::{
    VERSION_COLUMN,
    sql::{Dialect, Param, Renderer, Select, Sql, ends, speaks_of_old},
};

use crate::{
    compile::{ROW, same_column, unnested},
    dialect::PostgresDialect,
    migrate::sequence,
    statement::Statement,
};

/// The alias of the row before the write.
const OLD: &str = "old";
/// The alias of the keys or rows that are given.
const GIVEN: &str = "k";

/// The statements of writes to one model.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) model: ModelId,
}

/// Where an update's values come from.
pub(crate) enum Assigned<'a> {
    /// The plan's slots.
    Slots(&'a [(FieldId, mainstay_core::SlotId)]),
    /// Nowhere: the fields become null.
    Nulls(&'a [FieldId]),
}

impl<'a> Texts<'a> {
    fn renderer(&self) -> Renderer<'a> {
        Renderer::new(&PostgresDialect, self.catalog, ROW, self.model)
    }

    fn key(&self) -> &'a [FieldId] {
        &self.catalog.model(self.model).key
    }

    fn fields(&self) -> Vec<FieldId> {
        self.catalog.model(self.model).field_ids().collect()
    }

    fn table(&self) -> String {
        PostgresDialect.table(&self.catalog.model(self.model).table)
    }

    fn column(&self, field: FieldId) -> String {
        PostgresDialect.identifier(&self.catalog.model(self.model).field(field).column)
    }

    fn columns(&self, fields: &[FieldId]) -> String {
        let columns: Vec<String> = fields.iter().map(|field| self.column(*field)).collect();
        columns.join(", ")
    }

    /// Rows of every field, under an alias.
    fn given_rows(&self, alias: &str) -> Sql {
        unnested(self.catalog, self.model, &self.fields(), alias)
    }

    /// Keys.
    fn given_keys(&self) -> Sql {
        unnested(self.catalog, self.model, self.key(), GIVEN)
    }

    fn same(&self, fields: &[FieldId], alias: &str) -> Sql {
        let pairs = fields.iter().map(|field| same_column(self.catalog, self.model, *field, alias));
        Sql::join(pairs, " AND ")
    }

    /// `keys AS k JOIN table AS t ON …`.
    fn keyed(&self, renderer: &Renderer<'_>) -> Sql {
        self.given_keys()
            .and_text(" JOIN ")
            .then(renderer.table())
            .and_text(" ON ")
            .then(self.same(self.key(), GIVEN))
    }

    /// The rows given become rows. Gives their keys, in the same order. Where a
    /// conflict's fields are named, rows that are there already are passed over.
    pub(crate) fn insert(&self, conflict: Option<&[FieldId]>) -> Arc<Statement> {
        let model = self.catalog.model(self.model);
        let fields = self.fields();
        let values: Vec<String> = fields
            .iter()
            .map(|field| {
                let value = format!("{GIVEN}.{}", self.column(*field));
                match sequence(model) {
                    Some(keys) if model.key == [*field] => {
                        format!("coalesce({value}, mainstay_next_key({}))", quoted(&keys))
                    }
                    _ => value,
                }
            })
            .collect();
        let head = format!(
            "INSERT INTO {} ({}) SELECT {} FROM ",
            self.table(),
            self.columns(&fields),
            values.join(", ")
        );
        let conflict = match conflict {
            Some(target) => format!(" ON CONFLICT ({}) DO NOTHING", self.columns(target)),
            None => String::new(),
        };
        Statement::of(
            self.given_rows(GIVEN)
                .within(&head, &format!(" ORDER BY {GIVEN}.ordinality"))
                .and_text(&format!("{conflict} RETURNING {}", self.columns(self.key()))),
        )
    }

    /// One row becomes a row, and its event is written: a whole transaction in one
    /// statement. No row comes back where a guard does not hold.
    pub(crate) fn insert_alone(&self, guards: &[&Guard]) -> Arc<Statement> {
        let fields = self.fields();
        let model = self.catalog.model(self.model);
        let given = fields.iter().map(|field| {
            let kind = model.field(*field).value_type;
            Sql::param(Param::Row(*field, kind)).and_text(&format!(" AS {}", self.column(*field)))
        });
        let given = Sql::join(given, ", ").within(
            &format!("WITH {ROW} AS MATERIALIZED (SELECT "),
            &format!(
                "), new AS (INSERT INTO {} ({}) SELECT {} FROM {ROW}",
                self.table(),
                self.columns(&fields),
                self.columns(&fields)
            ),
        );
        let mut renderer = self.renderer();
        let verdicts = guards.iter().map(|guard| renderer.verdict(&guard.filter));
        let guarded = match guards {
            [] => given,
            _ => given.and_text(" WHERE ").then(Sql::join(verdicts, " AND ")),
        };
        Statement::of(
            guarded
                .and_text(" RETURNING 1) ")
                .and_text(crate::outbox::INSERT)
                .then(Sql::param(Param::Link(0, Type::Text)))
                .and_text(" FROM new"),
        )
    }

    /// Has the sequence of an int key go on above a key that was given.
    pub(crate) fn seen_key(&self) -> Option<Arc<Statement>> {
        let keys = sequence(self.catalog.model(self.model))?;
        Some(Statement::of(
            Sql::text(format!("SELECT mainstay_seen_key({}, ", quoted(&keys)))
                .then(Sql::param(Param::Link(0, Type::Int)))
                .and_text(")"),
        ))
    }

    /// The stored rows that have the given rows' values in these fields, locked: which of
    /// the given rows, then all fields, then what the guards say.
    pub(crate) fn conflicting(&self, target: &[FieldId], guards: &[Guard]) -> Arc<Statement> {
        let mut renderer = self.renderer();
        let mut columns = vec![Sql::text(format!("{GIVEN}.ordinality"))];
        columns.extend(self.fields().iter().map(|field| renderer.field(*field)));
        columns.extend(guards.iter().map(|guard| renderer.verdict(&guard.filter)));
        let from = self
            .given_rows(GIVEN)
            .and_text(" JOIN ")
            .then(renderer.table())
            .and_text(" ON ")
            .then(self.same(target, GIVEN));
        let order = vec![Sql::text(format!("{GIVEN}.ordinality"))];
        let page = Sql::text(format!(" FOR UPDATE OF {ROW}"));
        Statement::of(Select { columns, from, order, page, ..Select::default() }.into_sql())
    }

    /// The stored rows that have the given rows' values in `target` take their values in
    /// `assign`.
    pub(crate) fn merge(&self, target: &[FieldId], assign: &[FieldId]) -> Arc<Statement> {
        let sets: Vec<String> = assign
            .iter()
            .map(|field| format!("{0} = {GIVEN}.{0}", self.column(*field)))
            .chain(self.version())
            .collect();
        Statement::of(
            Sql::text(format!("UPDATE {} AS {ROW} SET {} FROM ", self.table(), sets.join(", ")))
                .then(self.given_rows(GIVEN))
                .and_text(" WHERE ")
                .then(self.same(target, GIVEN)),
        )
    }

    fn version(&self) -> Option<String> {
        let managed = self.catalog.model(self.model).managed;
        managed.then(|| format!("{VERSION_COLUMN} = {ROW}.{VERSION_COLUMN} + 1"))
    }

    /// The rows with the given keys take other values.
    pub(crate) fn update(&self, assigned: &Assigned<'_>) -> Arc<Statement> {
        let model = self.catalog.model(self.model);
        let set = |field: FieldId, value: Sql| {
            Sql::text(format!("{} = ", self.column(field))).then(value)
        };
        let mut sets: Vec<Sql> = match assigned {
            Assigned::Slots(slots) => slots
                .iter()
                .map(|(field, slot)| {
                    let kind = model.field(*field).value_type;
                    set(*field, Sql::param(Param::Slot(*slot, kind)))
                })
                .collect(),
            Assigned::Nulls(fields) => {
                fields.iter().map(|field| set(*field, Sql::text("NULL"))).collect()
            }
        };
        sets.extend(self.version().map(Sql::text));
        Statement::of(
            Sql::text(format!("UPDATE {} AS {ROW} SET ", self.table()))
                .then(Sql::join(sets, ", "))
                .and_text(" FROM ")
                .then(self.given_keys())
                .and_text(" WHERE ")
                .then(self.same(self.key(), GIVEN)),
        )
    }

    /// The rows with the given keys go.
    pub(crate) fn delete(&self) -> Arc<Statement> {
        Statement::of(
            Sql::text(format!("DELETE FROM {} AS {ROW} USING ", self.table()))
                .then(self.given_keys())
                .and_text(" WHERE ")
                .then(self.same(self.key(), GIVEN)),
        )
    }

    /// All fields of the rows with the given keys.
    pub(crate) fn rows(&self) -> Arc<Statement> {
        let renderer = self.renderer();
        let columns = self.fields().iter().map(|field| renderer.field(*field)).collect();
        let from = self.keyed(&renderer);
        Statement::of(Select { columns, from, ..Select::default() }.into_sql())
    }

    /// The rows that pass a filter, locked, in the order of their keys, at most as many
    /// as the link says: `fields` of each, then what the guards say of it.
    pub(crate) fn target(
        &self,
        filter: &Filter,
        fields: &[FieldId],
        guards: &[Guard],
    ) -> Arc<Statement> {
        let mut renderer = self.renderer();
        let lock = match removed("target-lock") {
            true => String::new(),
            false => format!(" FOR UPDATE OF {ROW}"),
        };
        let page = Sql::text(" LIMIT ").then(Sql::param(Param::Link(0, Type::Int))).and_text(&lock);
        let from = renderer.table();
        self.targeted(&mut renderer, from, filter, fields, guards, page)
    }

    /// The same of rows with given keys, which are locked already.
    pub(crate) fn target_again(
        &self,
        filter: &Filter,
        fields: &[FieldId],
        guards: &[Guard],
    ) -> Arc<Statement> {
        let mut renderer = self.renderer();
        let from = self.keyed(&renderer);
        self.targeted(&mut renderer, from, filter, fields, guards, Sql::default())
    }

    fn targeted(
        &self,
        renderer: &mut Renderer<'_>,
        from: Sql,
        filter: &Filter,
        fields: &[FieldId],
        guards: &[Guard],
        page: Sql,
    ) -> Arc<Statement> {
        let mut columns: Vec<Sql> = fields.iter().map(|field| renderer.field(*field)).collect();
        columns.extend(guards.iter().map(|guard| renderer.verdict(&guard.filter)));
        let conditions = renderer.conditions(filter);
        let order = self.key().iter().map(|field| renderer.field(*field)).collect();
        let select = Select { columns, from, conditions, group_by: None, order, page };
        Statement::of(select.into_sql())
    }

    /// What the guards say of all stored rows with given keys, then how many there are.
    /// Where one of them speaks of the row before, whole rows are given.
    pub(crate) fn guards_of_stored(&self, guards: &[&Guard]) -> Arc<Statement> {
        let mut renderer = self.renderer().with_old(OLD);
        let mut columns: Vec<Sql> =
            guards.iter().map(|guard| all(renderer.verdict(&guard.filter))).collect();
        columns.push(Sql::text("count(*)"));
        let from = if speak_of_old(guards) {
            self.given_rows(OLD)
                .and_text(" JOIN ")
                .then(renderer.table())
                .and_text(" ON ")
                .then(self.same(self.key(), OLD))
        } else {
            self.keyed(&renderer)
        };
        Statement::of(Select { columns, from, ..Select::default() }.into_sql())
    }

    /// What the guards say of all given rows, stored or not, then how many there are.
    pub(crate) fn guards_of_proposed(&self, guards: &[&Guard]) -> Arc<Statement> {
        let mut renderer = self.renderer().with_old(ROW);
        let mut columns: Vec<Sql> =
            guards.iter().map(|guard| all(renderer.verdict(&guard.filter))).collect();
        columns.push(Sql::text("count(*)"));
        let from = self.given_rows(ROW);
        Statement::of(Select { columns, from, ..Select::default() }.into_sql())
    }

    /// The keys of the rows that point, along a ref to this model, at the rows with
    /// given keys.
    pub(crate) fn pointing(&self, reference: RefId) -> Arc<Statement> {
        let reference = self.catalog.reference(reference);
        let parent = self.renderer();
        let child = Renderer::new(&PostgresDialect, self.catalog, "c", reference.from);
        let pairs = reference
            .from_fields
            .iter()
            .zip(&reference.to_fields)
            .map(|(from, to)| child.field(*from).and_text(" = ").then(parent.field(*to)));
        let from = self
            .keyed(&parent)
            .and_text(" JOIN ")
            .then(child.table())
            .and_text(" ON ")
            .then(Sql::join(pairs, " AND "));
        let key = &self.catalog.model(reference.from).key;
        let columns = key.iter().map(|field| child.field(*field)).collect();
        let order = key.iter().map(|field| child.field(*field)).collect();
        let page = Sql::text(" FOR UPDATE OF c");
        Statement::of(Select { columns, from, order, page, ..Select::default() }.into_sql())
    }

    /// Locks the rows at the end of a way from the rows with given keys, so that they
    /// stay as they are.
    pub(crate) fn lock(&self, way: &Way) -> Arc<Statement> {
        let mut from = self.keyed(&self.renderer());
        let (mut here, mut above) = (self.model, ROW.to_owned());
        for (at, relation) in way.iter().enumerate() {
            let there = self.catalog.target(*relation);
            let alias = format!("l{at}");
            let (ours, theirs) = ends(self.catalog, *relation);
            let pairs = ours.iter().zip(theirs).map(|(ours, theirs)| {
                let (here, there) = (self.catalog.model(here), self.catalog.model(there));
                let here = PostgresDialect.identifier(&here.field(*ours).column);
                let there = PostgresDialect.identifier(&there.field(*theirs).column);
                Sql::text(format!("{alias}.{there} = {above}.{here}"))
            });
            let table = PostgresDialect.table(&self.catalog.model(there).table);
            from = from
                .and_text(&format!(" JOIN {table} AS {alias} ON "))
                .then(Sql::join(pairs, " AND "));
            (here, above) = (there, alias);
        }
        let columns = vec![Sql::text("1")];
        let page = Sql::text(format!(" FOR SHARE OF {above}"));
        Statement::of(Select { columns, from, page, ..Select::default() }.into_sql())
    }
}

/// Whether any of them speaks of the row before the write.
pub(crate) fn speak_of_old(guards: &[&Guard]) -> bool {
    guards.iter().any(|guard| speaks_of_old(&guard.filter))
}

fn all(verdict: Sql) -> Sql {
    Sql::call("bool_and", [verdict])
}

/// A name as a text in SQL.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}
