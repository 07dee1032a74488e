//! The statements of a write.

use mainstay_core::{Catalog, FieldId, Filter, ModelId, RefId, Type};
use mainstay_plan::Guard;
use mainstay_store::{
    VERSION_COLUMN,
    sql::{Dialect, Param, Renderer, Select, Sql, speaks_of_old},
};

use crate::{
    compile::{StatementText, key_links},
    dialect::SqliteDialect,
};

/// The alias of the row that is written, in every statement here.
const ROW: &str = "t";
/// The alias of the row before the write.
const OLD: &str = "old";

/// The statements of writes to one model.
pub(crate) struct Texts<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) model: ModelId,
}

impl Texts<'_> {
    fn renderer(&self) -> Renderer<'_> {
        Renderer::new(&SqliteDialect, self.catalog, ROW, self.model)
    }

    fn table(&self) -> String {
        SqliteDialect.table(&self.catalog.model(self.model).table)
    }

    fn column(&self, field: FieldId) -> String {
        SqliteDialect.identifier(&self.catalog.model(self.model).field(field).column)
    }

    /// The payload's value of a field.
    fn row_param(&self, field: FieldId) -> Sql {
        let kind = self.catalog.model(self.model).field(field).value_type;
        Sql::param(Param::Row(field, kind))
    }

    /// `INSERT INTO t (…) VALUES (…)`, each value from the payload's row.
    pub(crate) fn insert(&self) -> StatementText {
        let fields: Vec<FieldId> = self.catalog.model(self.model).field_ids().collect();
        let columns: Vec<String> = fields.iter().map(|field| self.column(*field)).collect();
        let values = fields.iter().map(|field| self.row_param(*field));
        StatementText::of(
            Sql::text(format!("INSERT INTO {} ({}) VALUES (", self.table(), columns.join(", ")))
                .then(Sql::join(values, ", "))
                .and_text(")"),
        )
    }

    /// `UPDATE t SET … WHERE key = ?`.
    pub(crate) fn update(
        &self,
        assign: impl IntoIterator<Item = (FieldId, Param)>,
    ) -> StatementText {
        let mut sets: Vec<Sql> = assign
            .into_iter()
            .map(|(field, param)| {
                Sql::text(format!("{} = ", self.column(field))).then(Sql::param(param))
            })
            .collect();
        if self.catalog.model(self.model).managed {
            sets.push(Sql::text(format!("{VERSION_COLUMN} = {VERSION_COLUMN} + 1")));
        }
        StatementText::of(
            Sql::text(format!("UPDATE {} AS {ROW} SET ", self.table()))
                .then(Sql::join(sets, ", "))
                .and_text(" WHERE ")
                .then(self.by_key()),
        )
    }

    /// `UPDATE t SET ref = NULL WHERE key = ?`.
    pub(crate) fn set_null(&self, fields: &[FieldId]) -> StatementText {
        self.update(fields.iter().map(|field| (*field, Param::Const(mainstay_core::Value::Null))))
    }

    /// `DELETE FROM t WHERE key = ?`.
    pub(crate) fn delete(&self) -> StatementText {
        StatementText::of(
            Sql::text(format!("DELETE FROM {} AS {ROW} WHERE ", self.table())).then(self.by_key()),
        )
    }

    fn by_key(&self) -> Sql {
        Sql::join(key_links(self.catalog, self.model, &self.renderer()), " AND ")
    }

    /// All fields of the row with a key.
    pub(crate) fn row(&self) -> StatementText {
        let renderer = self.renderer();
        let select = Select {
            columns: self
                .catalog
                .model(self.model)
                .field_ids()
                .map(|field| renderer.field(field))
                .collect(),
            from: renderer.table(),
            conditions: vec![self.by_key()],
            ..Select::default()
        };
        StatementText::of(select.into_sql())
    }

    /// The rows that pass a filter, in the order of their keys, at most as many as
    /// the first link says: `fields` of each, then what the guards say of it.
    pub(crate) fn target(
        &self,
        filter: &Filter,
        fields: &[FieldId],
        guards: &[Guard],
    ) -> StatementText {
        let mut renderer = self.renderer();
        let mut columns: Vec<Sql> = fields.iter().map(|field| renderer.field(*field)).collect();
        columns.extend(guards.iter().map(|guard| renderer.verdict(&guard.filter)));
        let conditions = renderer.conditions(filter);
        let key = &self.catalog.model(self.model).key;
        let order = key.iter().map(|field| renderer.field(*field)).collect();
        let page = SqliteDialect.page(Some(Sql::param(Param::Link(0, Type::Int))), None);
        let from = renderer.table();
        let select = Select { columns, from, conditions, group_by: None, order, page };
        StatementText::of(select.into_sql())
    }

    /// What the guards say of the stored row with a key; where one of them speaks of
    /// the row before, that is the row of the bindings.
    pub(crate) fn guards_of_stored(&self, guards: &[&Guard]) -> StatementText {
        let mut renderer = self.renderer().with_old(OLD);
        let columns =
            guards.iter().map(|guard| renderer.verdict(&guard.filter)).collect::<Vec<_>>();
        let mut from = renderer.table();
        if guards.iter().any(|guard| speaks_of_old(&guard.filter)) {
            from = from.and_text(" CROSS JOIN ").then(self.bound_row(OLD));
        }
        let conditions = vec![self.by_key()];
        let select = Select { columns, from, conditions, ..Select::default() };
        StatementText::of(select.into_sql())
    }

    /// What the guards say of the bindings' row, stored or not.
    pub(crate) fn guards_of_proposed(&self, guards: &[&Guard]) -> StatementText {
        let mut renderer = self.renderer().with_old(OLD);
        let columns =
            guards.iter().map(|guard| renderer.verdict(&guard.filter)).collect::<Vec<_>>();
        let from = self.bound_row(ROW);
        StatementText::of(Select { columns, from, ..Select::default() }.into_sql())
    }

    /// `(SELECT ? AS "id", …) AS alias`.
    fn bound_row(&self, alias: &str) -> Sql {
        let columns =
            self.catalog.model(self.model).field_ids().map(|field| {
                self.row_param(field).and_text(&format!(" AS {}", self.column(field)))
            });
        Sql::join(columns, ", ").within("(SELECT ", &format!(") AS {alias}"))
    }

    /// The key of the stored row that has the bindings' row's values in these fields.
    pub(crate) fn conflicting(&self, target: &[FieldId]) -> StatementText {
        let renderer = self.renderer();
        let key = &self.catalog.model(self.model).key;
        let select = Select {
            columns: key.iter().map(|field| renderer.field(*field)).collect(),
            from: renderer.table(),
            conditions: target
                .iter()
                .map(|field| renderer.field(*field).and_text(" = ").then(self.row_param(*field)))
                .collect(),
            ..Select::default()
        };
        StatementText::of(select.into_sql())
    }

    /// Whether the row exists that a ref of the bindings' row points to.
    pub(crate) fn referenced(&self, reference: RefId) -> StatementText {
        let reference = self.catalog.reference(reference);
        let renderer = Renderer::new(&SqliteDialect, self.catalog, ROW, reference.to);
        let select = Select {
            columns: vec![Sql::text("1")],
            from: renderer.table(),
            conditions: reference
                .to_fields
                .iter()
                .zip(&reference.from_fields)
                .map(|(to, from)| renderer.field(*to).and_text(" = ").then(self.row_param(*from)))
                .collect(),
            ..Select::default()
        };
        StatementText::of(select.into_sql())
    }

    /// The keys of the rows that point, along a ref to this model, at the row with
    /// a key.
    pub(crate) fn pointing(&self, reference: RefId) -> StatementText {
        let reference = self.catalog.reference(reference);
        let parent = self.renderer();
        let child = Renderer::new(&SqliteDialect, self.catalog, "c", reference.from);
        let mut conditions: Vec<Sql> = reference
            .from_fields
            .iter()
            .zip(&reference.to_fields)
            .map(|(from, to)| child.field(*from).and_text(" = ").then(parent.field(*to)))
            .collect();
        conditions.push(self.by_key());
        let key = &self.catalog.model(reference.from).key;
        let select = Select {
            columns: key.iter().map(|field| child.field(*field)).collect(),
            from: parent.table().and_text(" CROSS JOIN ").then(child.table()),
            conditions,
            ..Select::default()
        };
        StatementText::of(select.into_sql())
    }
}
