//! Names: fields, refs, related rows, the caller, variables.

use cel::{
    IdedExpr,
    common::ast::{Expr, LiteralValue, SelectExpr},
};
use mainstay_core::{
    CallerTerm, Declarations, FieldKind, JsonStep, ModelId, Operand, Path, RefId, RowRef, Scope,
    Type,
};

use super::{
    Checker,
    typed::{Literal, Typed, Way},
};
use crate::rule::RuleKind;

/// What `auth` has.
const AUTH_MEMBERS: [&str; 5] = ["id", "email", "roles", "claims", "can"];

impl<'c> Checker<'c> {
    /// A word on its own.
    pub(super) fn name(&mut self, node: &IdedExpr, name: &str) -> Option<Typed<'c>> {
        if let Some(variable) = self.variables.iter().find(|variable| variable.name == name) {
            let row = RowRef::at(Scope::Row(variable.scope));
            return Some(Typed::Row { row, model: variable.model, key: None });
        }
        match name {
            "auth" => Some(Typed::Auth),
            "now" => {
                Some(Typed::Value { operand: Operand::Now, kind: Type::Timestamp, allowed: None })
            }
            "old" if self.kind == RuleKind::Check => {
                Some(Typed::Row { row: RowRef::at(Scope::Old), model: self.model, key: None })
            }
            "old" => self.hinted(
                self.source.anchor(node),
                "`old` is in sight in `check` alone",
                Some("a bare name is the row as it is".to_owned()),
            ),
            _ => self.member(node, RowRef::at(Scope::Row(0)), self.model, name),
        }
    }

    /// `a.b`.
    pub(super) fn select(&mut self, node: &IdedExpr, select: &SelectExpr) -> Option<Typed<'c>> {
        let of = self.typed(&select.operand)?;
        let name = select.field.as_str();
        match of {
            Typed::Row { row, model, key } => {
                self.member_of_row(node, row, model, key.as_ref(), name)
            }
            Typed::Json { path, mut steps } => {
                steps.push(JsonStep::Key(name.into()));
                Some(Typed::Json { path, steps })
            }
            Typed::Auth => match name {
                "id" => Some(Typed::Caller(CallerTerm::Id)),
                "email" => Some(Typed::Caller(CallerTerm::Email)),
                "roles" => Some(Typed::Roles),
                "claims" => Some(Typed::Claims),
                "can" => self.mistake(
                    self.source.name(node),
                    "`auth.can` is asked with a permission: `auth.can('posts.publish')`",
                ),
                _ => self.unknown(
                    self.source.name(node),
                    format!("`auth` has no `{name}`"),
                    name,
                    AUTH_MEMBERS,
                ),
            },
            Typed::Claims => Some(Typed::Caller(CallerTerm::Claim(vec![name.into()]))),
            Typed::Caller(CallerTerm::Claim(mut path)) => {
                path.push(name.into());
                Some(Typed::Caller(CallerTerm::Claim(path)))
            }
            Typed::Rows { name: rows, .. } => self.hinted(
                self.source.name(node),
                format!("`{rows}` are several rows, so they have no one `{name}`"),
                Some(format!("ask `{rows}.exists(row, row.{name} == …)`")),
            ),
            other => self.mistake(
                self.source.name(node),
                format!("{} has no member `{name}`", other.described()),
            ),
        }
    }

    /// `a['b']` and `a[0]`, inside JSON and claims.
    pub(super) fn index(
        &mut self,
        node: &IdedExpr,
        of: &IdedExpr,
        index: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let step = match &index.expr {
            Expr::Literal(LiteralValue::String(key)) => Some(JsonStep::Key(key.inner().into())),
            Expr::Literal(LiteralValue::Int(at)) => {
                i32::try_from(*at.inner()).ok().map(JsonStep::Index)
            }
            _ => None,
        };
        let of = self.typed(of)?;
        match (of, step) {
            (Typed::Json { path, mut steps }, Some(step)) => {
                steps.push(step);
                Some(Typed::Json { path, steps })
            }
            (Typed::Claims, Some(JsonStep::Key(key))) => {
                Some(Typed::Caller(CallerTerm::Claim(vec![key])))
            }
            (Typed::Caller(CallerTerm::Claim(mut path)), Some(JsonStep::Key(key))) => {
                path.push(key);
                Some(Typed::Caller(CallerTerm::Claim(path)))
            }
            (Typed::Json { .. } | Typed::Claims | Typed::Caller(CallerTerm::Claim(_)), _) => self
                .mistake(
                    self.source.whole(index),
                    "a place in a JSON value is a text or a whole number that is written here",
                ),
            (other, _) => self.mistake(
                self.source.whole(node),
                format!("{} has no places to look into with `[…]`", other.described()),
            ),
        }
    }

    /// A member of a row that a ref led to. The key it refers to lies in the row that
    /// refers, so asking for that crosses nothing.
    fn member_of_row(
        &mut self,
        node: &IdedExpr,
        row: RowRef,
        model: ModelId,
        key: Option<&(Path, Type)>,
        name: &str,
    ) -> Option<Typed<'c>> {
        if let (Some((path, kind)), Some(hop)) = (key, row.hops.last()) {
            let reference = self.declared.reference(*hop);
            let target = self.declared.model(model);
            let is_the_key =
                matches!(reference.to_fields[..], [to] if &*target.field(to).name == name);
            if is_the_key {
                let operand = Operand::Field(path.clone());
                return Some(Typed::Value { operand, kind: *kind, allowed: None });
            }
        }
        self.member(node, row, model, name)
    }

    /// A field of a row, or the rows related to it.
    fn member(
        &mut self,
        node: &IdedExpr,
        row: RowRef,
        model: ModelId,
        name: &str,
    ) -> Option<Typed<'c>> {
        let declared = self.declared;
        let Some(id) = declared.model(model).field_id(name) else {
            return self.relation(node, row, model, name);
        };
        if declared.is_field_in_doubt(model, id) {
            return None;
        }
        let field = declared.model(model).field(id);
        let path = Path { row: row.clone(), field: id };
        Some(match &field.kind {
            FieldKind::Ref { reference, .. } => {
                let mut row = row;
                row.hops.push(*reference);
                let target = declared.reference(*reference).to;
                Typed::Row { row, model: target, key: Some((path, field.value_type)) }
            }
            FieldKind::Enum { values } => Typed::Value {
                operand: Operand::Field(path),
                kind: field.value_type,
                allowed: Some(values),
            },
            FieldKind::Plain if field.value_type == Type::Json => {
                Typed::Json { path, steps: Vec::new() }
            }
            FieldKind::Plain => Typed::field(row, id, field.value_type),
        })
    }

    /// The rows related to a row by this name: the model that refers to it, where it
    /// does so once; `<model>_by_<field>` always; the far model of a junction, where
    /// one junction joins the two.
    fn relation(
        &mut self,
        node: &IdedExpr,
        from: RowRef,
        model: ModelId,
        name: &str,
    ) -> Option<Typed<'c>> {
        let ways: Vec<(String, ModelId, Way)> = ways_from(self.declared, model)
            .into_iter()
            .filter(|(known, ..)| known == name)
            .collect();
        match &ways[..] {
            [(_, target, way)] if from.scope != Scope::Old => {
                Some(Typed::Rows { from, way: *way, model: *target, name: name.into() })
            }
            [_] => self.hinted(
                self.source.name(node),
                format!("what was related to the old row is not known: `{name}`"),
                Some("`old` has the old row's fields and refs".to_owned()),
            ),
            [] if self.declared.may_have(model, name) => None,
            [] => self.no_member(node, model, name),
            ways if ways.iter().any(|(.., way)| self.is_in_doubt(*way)) => None,
            _ => {
                let mut names: Vec<String> = ways_from(self.declared, model)
                    .into_iter()
                    .filter(|(known, target, _)| {
                        known != name && self.declared.model(*target).name.as_ref() == name
                    })
                    .map(|(known, ..)| format!("`{known}`"))
                    .collect();
                names.dedup();
                let hint = (!names.is_empty()).then(|| format!("say {}", names.join(" or ")));
                self.hinted(
                    self.source.name(node),
                    format!("`{name}` is related in more than one way"),
                    hint.or_else(|| Some("follow the junction by its own name".to_owned())),
                )
            }
        }
    }

    fn no_member<T>(&mut self, node: &IdedExpr, model: ModelId, name: &str) -> Option<T> {
        let declared = self.declared;
        let relations: Vec<String> =
            ways_from(self.declared, model).into_iter().map(|(known, ..)| known).collect();
        let model = declared.model(model);
        let fields = model.fields.iter().map(|field| &*field.name);
        let is_bare = matches!(node.expr, Expr::Ident(_));
        let variables: Vec<String> =
            self.variables.iter().map(|variable| variable.name.clone()).collect();
        let words = variables.iter().map(String::as_str).chain(["auth", "now"]);
        let known: Vec<&str> = fields
            .chain(relations.iter().map(String::as_str))
            .chain(words.filter(|_| is_bare))
            .collect();
        self.unknown(
            self.source.name(node),
            format!("`{}` has no field or relation `{name}`", model.name),
            name,
            known,
        )
    }

    /// Whether it is not known if there is such a way.
    fn is_in_doubt(&self, way: Way) -> bool {
        match way {
            Way::Direct(_) => false,
            Way::Through { near, .. } => {
                self.declared.is_junction_in_doubt(self.declared.reference(near).from)
            }
        }
    }

    /// Whether every row of a junction leads to a row on its far side.
    pub(super) fn is_total(&self, far: RefId) -> bool {
        let reference = self.declared.reference(far);
        let junction = self.declared.model(reference.from);
        reference.from_fields.iter().all(|field| junction.field(*field).required)
    }

    /// Whether that is not known, for a ref of the junction's is declared wrongly.
    pub(super) fn is_total_in_doubt(&self, far: RefId) -> bool {
        let reference = self.declared.reference(far);
        let mut fields = reference.from_fields.iter();
        fields.any(|field| self.declared.is_field_in_doubt(reference.from, *field))
    }

    /// `[a, b, c]`.
    pub(super) fn list(
        &mut self,
        node: &IdedExpr,
        list: &cel::common::ast::ListExpr,
    ) -> Option<Typed<'c>> {
        if list.elements.is_empty() {
            return self.mistake(self.source.whole(node), "nothing is in an empty list");
        }
        let items: Vec<Option<(usize, Literal)>> = list
            .elements
            .iter()
            .enumerate()
            .map(|(at, item)| match self.typed(item)? {
                Typed::Literal(Literal::Null) => self.hinted(
                    self.source.whole(item),
                    "`null` is in no list, since what is absent equals nothing",
                    Some("ask for it apart: `… == null`".to_owned()),
                ),
                Typed::Literal(literal) => Some((at, literal)),
                other => self.mistake(
                    self.source.whole(item),
                    format!("a list holds values written in the rule, not {}", other.described()),
                ),
            })
            .collect();
        items.into_iter().collect::<Option<Vec<_>>>().map(Typed::List)
    }
}

/// Every way from a row of a model to related rows, by name. No rule can name an internal
/// model.
pub(crate) fn ways_from(declared: Declarations<'_>, model: ModelId) -> Vec<(String, ModelId, Way)> {
    let is_open = |it: &RefId| !declared.model(declared.reference(*it).from).is_internal();
    let arriving: Vec<RefId> = declared.references_to(model).filter(is_open).collect();
    let mut ways = Vec::new();
    for reference in &arriving {
        let from = declared.reference(*reference).from;
        let child = declared.model(from);
        let way = Way::Direct(*reference);
        ways.push((child.name.to_string(), from, way));
        for field in &declared.reference(*reference).from_fields {
            let name = format!("{}_by_{}", child.name, child.field(*field).name);
            ways.push((name, from, way));
        }
        if child.junction {
            for far in declared.references_from(from).filter(|far| far != reference) {
                let target = declared.reference(far).to;
                let name = declared.model(target).name.to_string();
                ways.push((name, target, Way::Through { near: *reference, far }));
            }
        }
    }
    ways
}
