//! The corpus's models: every type, refs to one and to itself, two refs to one model,
//! related rows, a junction.

use mainstay_core::{
    Catalog, CatalogVersion, Constraints, Field, FieldId, FieldKind, FieldRules, IdKind, Model,
    ModelId, ModelRules, OnDelete, RefId, Reference, TableName, Type, Visibility,
};

use super::rule_text;

/// A decimal that goes to 999999.99.
pub(super) const PRICE: Type = Type::Decimal { precision: 8, scale: 2 };

/// A model before its refs are resolved.
struct Draft {
    name: &'static str,
    fields: Vec<(&'static str, Kind)>,
    key: usize,
}

enum Kind {
    Key(Type),
    Plain(Type),
    Enum(&'static [&'static str]),
    /// A ref to a model with a key of this type.
    Ref(&'static str, Type),
    /// The same, and every row has one.
    RequiredRef(&'static str, Type),
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn drafts() -> Vec<Draft> {
    use Kind::{Enum, Key, Plain, Ref, RequiredRef};
    let draft = |name, fields| Draft { name, fields, key: 1 };
    vec![
        draft(
            "bans",
            vec![
                ("id", Key(Type::Int)),
                ("post", RequiredRef("posts", Type::Int)),
                ("user", Ref("users", Type::Text)),
                ("until", Plain(Type::Timestamp)),
                ("active", Plain(Type::Bool)),
            ],
        ),
        draft(
            "members",
            vec![
                ("id", Key(Type::Int)),
                ("post", RequiredRef("posts", Type::Int)),
                ("user", Ref("users", Type::Text)),
                ("level", Plain(Type::Int)),
            ],
        ),
        Draft {
            name: "post_tags",
            fields: vec![
                ("post", RequiredRef("posts", Type::Int)),
                ("tag", RequiredRef("tags", Type::Text)),
            ],
            key: 2,
        },
        draft(
            "posts",
            vec![
                ("id", Key(Type::Int)),
                ("title", Plain(Type::Text)),
                ("views", Plain(Type::Int)),
                ("rating", Plain(Type::Float)),
                ("price", Plain(PRICE)),
                ("published", Plain(Type::Bool)),
                ("mood", Enum(&["happy", "sad", "o'hara"])),
                ("token", Plain(Type::Uuid)),
                ("born", Plain(Type::Timestamp)),
                ("day", Plain(Type::Date)),
                ("extra", Plain(Type::Json)),
                ("data", Plain(Type::Bytes)),
                ("author", Ref("users", Type::Text)),
                ("reviewer", Ref("users", Type::Text)),
                ("team", Ref("teams", Type::Int)),
                ("parent", Ref("posts", Type::Int)),
            ],
        ),
        draft(
            "tags",
            vec![
                ("id", Key(Type::Text)),
                ("label", Plain(Type::Text)),
                ("secret", Plain(Type::Bool)),
            ],
        ),
        draft(
            "teams",
            vec![
                ("id", Key(Type::Int)),
                ("name", Plain(Type::Text)),
                ("owner", Ref("users", Type::Text)),
            ],
        ),
        draft(
            "users",
            vec![
                ("id", Key(Type::Text)),
                ("name", Plain(Type::Text)),
                ("banned", Plain(Type::Bool)),
            ],
        ),
    ]
}

/// The catalog; where a read rule of posts is given, everything else is read by everyone.
pub(super) fn catalog(read: Option<&str>) -> Catalog {
    let drafts = drafts();
    let id_of = |name: &str| {
        let at = drafts.iter().position(|draft| draft.name == name);
        ModelId::at(at.expect("BUG: refs of the corpus lead to its models"))
    };
    let mut references: Vec<Reference> = Vec::new();
    let mut models = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let mut fields = Vec::new();
        for (place, (name, kind)) in draft.fields.iter().enumerate() {
            let reference = RefId::at(references.len());
            if let Kind::Ref(to, _) | Kind::RequiredRef(to, _) = kind {
                references.push(Reference {
                    name: format!("{}_{name}_fkey", draft.name).into(),
                    from: ModelId::at(at),
                    from_fields: vec![FieldId::at(place)],
                    to: id_of(to),
                    to_fields: vec![FieldId::at(0)],
                    on_delete: OnDelete::Restrict,
                    one_to_one: false,
                });
            }
            fields.push(field(name, kind, reference));
        }
        let own_rule = if draft.name == "posts" { read } else { read.map(|_| "true") };
        let rules = ModelRules { read: own_rule.map(rule_text), ..ModelRules::default() };
        models.push(model(draft, fields, rules));
    }
    Catalog::new(CatalogVersion(version(read.unwrap_or_default())), models, references)
}

fn model(draft: &Draft, fields: Vec<Field>, rules: ModelRules) -> Model {
    let id = match (draft.key, fields.first().map(|field| field.value_type)) {
        (1, Some(Type::Int)) => IdKind::Int,
        (1, _) => IdKind::Text,
        _ => IdKind::Given,
    };
    Model {
        name: draft.name.into(),
        table: TableName { schema: None, table: draft.name.into() },
        file: format!("models/{}.toml", draft.name).into(),
        description: None,
        fields,
        key: (0..draft.key).map(FieldId::at).collect(),
        id,
        timestamps: false,
        managed: true,
        junction: draft.key == 2,
        visibility: Visibility::Exposed,
        append_only: false,
        uniques: Vec::new(),
        indexes: Vec::new(),
        rules,
    }
}

fn field(name: &str, kind: &Kind, reference: RefId) -> Field {
    let (value_type, required) = match kind {
        Kind::Key(kind) | Kind::RequiredRef(_, kind) => (*kind, true),
        Kind::Plain(kind) | Kind::Ref(_, kind) => (*kind, false),
        Kind::Enum(_) => (Type::Text, false),
    };
    Field {
        name: name.into(),
        column: name.into(),
        kind: match kind {
            Kind::Key(_) | Kind::Plain(_) => FieldKind::Plain,
            Kind::Enum(values) => {
                FieldKind::Enum { values: values.iter().map(|value| (*value).into()).collect() }
            }
            Kind::Ref(..) | Kind::RequiredRef(..) => FieldKind::Ref { reference, blind: false },
        },
        value_type,
        required,
        default: None,
        constraints: Constraints::default(),
        rules: FieldRules::default(),
        server_set: false,
        description: None,
    }
}

/// Tells the catalogs of two rules apart (FNV-1a).
fn version(rule: &str) -> u64 {
    rule.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
