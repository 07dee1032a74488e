//! Steps become a migration's text, to be read by people and kept.

use std::fmt::Write;

use mainstay_core::{IdKind, OnDelete, Type, Value};

use super::{Change, FieldShape, Fill, MigrationStep, ModelShape, ReferenceShape};

const HEAD: &str = "\
# Steps from one schema to the next; docs/migrations.md explains each kind. Review it and
# change what should be otherwise. Once it is applied anywhere it stays as it is.
";

const EMPTY: &str = "
[[step]]
kind = \"sql\"
sql.sqlite = \"\"\"
\"\"\"
sql.postgres = \"\"\"
\"\"\"
";

/// A migration's text.
#[must_use]
pub fn render(steps: &[MigrationStep]) -> String {
    let mut out = HEAD.to_owned();
    if steps.iter().all(is_compatible) {
        out.push_str("\n# The app as it was before can go on beside it.\ncompatible = true\n");
    }
    for step in steps {
        // Writing to a String cannot fail.
        let _ = write_step(step, &mut out);
    }
    out
}

/// The text of a migration that is to be filled in with SQL.
#[must_use]
pub fn render_empty() -> String {
    format!("{HEAD}{EMPTY}")
}

/// Whether the app as it was before finds all it needs, and can write all it wrote.
fn is_compatible(step: &MigrationStep) -> bool {
    match &step.change {
        Change::CreateModel { .. } | Change::AddIndex { .. } => true,
        Change::AddField { field, .. } => !field.required,
        Change::DropIndex { unique, .. } => !unique,
        _ => false,
    }
}

fn write_step(step: &MigrationStep, out: &mut String) -> std::fmt::Result {
    let change = &step.change;
    writeln!(out, "\n[[step]]\nkind = \"{}\"", kind(change))?;
    if let Some(model) = change.model() {
        writeln!(out, "model = {}", quoted(model))?;
    }
    match change {
        Change::CreateModel { shape, .. } => write_model(shape, out)?,
        Change::DropModel { .. } => {}
        Change::RenameModel { to, .. } => writeln!(out, "to = {}", quoted(to))?,
        Change::AddField { field, fill, reference, .. } => {
            writeln!(out, "field = {}\n{}", quoted(&field.name), column(field, "\n"))?;
            write_fill(fill.as_ref(), out)?;
            if let Some((name, it)) = reference {
                writeln!(out, "reference = {{ name = {}, {} }}", quoted(name), target(it, ", "))?;
            }
        }
        Change::DropField { field, .. } => writeln!(out, "field = {}", quoted(field))?,
        Change::RenameField { field, to, .. } => {
            writeln!(out, "field = {}\nto = {}", quoted(field), quoted(to))?;
        }
        Change::ChangeField { from, to, fill, .. } => {
            writeln!(out, "field = {}", quoted(&to.name))?;
            if from.kind != to.kind {
                writeln!(out, "{}", type_of(to.kind, "\n"))?;
            }
            if from.required != to.required {
                writeln!(out, "required = {}", to.required)?;
            }
            write_fill(fill.as_ref(), out)?;
        }
        Change::AddUnique { name, fields, .. } => {
            writeln!(out, "name = {}\nfields = {}", quoted(name), list(fields))?;
        }
        Change::AddIndex { name, fields, .. } => {
            writeln!(out, "name = {}\nfields = {}", quoted(name), list(&directed(fields)))?;
        }
        Change::DropIndex { name, .. } | Change::DropReference { name, .. } => {
            writeln!(out, "name = {}", quoted(name))?;
        }
        Change::RenameIndex { name, to, .. } | Change::RenameReference { name, to, .. } => {
            writeln!(out, "name = {}\nto = {}", quoted(name), quoted(to))?;
        }
        Change::AddReference { name, reference, .. } => {
            writeln!(out, "name = {}\nfields = {}", quoted(name), list(&reference.fields))?;
            writeln!(out, "{}", target(reference, "\n"))?;
        }
        Change::Sql { sqlite, postgres } => {
            for (engine, sql) in [("sqlite", sqlite), ("postgres", postgres)] {
                if let Some(sql) = sql {
                    writeln!(out, "sql.{engine} = {}", quoted(sql))?;
                }
            }
        }
    }
    if let Some(loses) = &step.loses {
        writeln!(out, "loses = {}", quoted(loses))?;
    }
    Ok(())
}

fn kind(change: &Change) -> &'static str {
    match change {
        Change::CreateModel { .. } => "create_model",
        Change::DropModel { .. } => "drop_model",
        Change::RenameModel { .. } => "rename_model",
        Change::AddField { .. } => "add_field",
        Change::DropField { .. } => "drop_field",
        Change::RenameField { .. } => "rename_field",
        Change::ChangeField { .. } => "change_field",
        Change::AddUnique { .. } => "add_unique",
        Change::AddIndex { .. } => "add_index",
        Change::DropIndex { unique: true, .. } => "drop_unique",
        Change::DropIndex { unique: false, .. } => "drop_index",
        Change::RenameIndex { .. } => "rename_index",
        Change::AddReference { .. } => "add_reference",
        Change::DropReference { .. } => "drop_reference",
        Change::RenameReference { .. } => "rename_reference",
        Change::Sql { .. } => "sql",
    }
}

fn write_model(shape: &ModelShape, out: &mut String) -> std::fmt::Result {
    let id = match shape.id {
        IdKind::Uuid => "uuid",
        IdKind::Int => "int",
        IdKind::Text => "text",
        IdKind::Given => "given",
    };
    writeln!(out, "id = \"{id}\"")?;
    if shape.key != ["id"] {
        writeln!(out, "key = {}", list(&shape.key))?;
    }
    let fields = shape.fields.iter();
    let fields = fields.map(|it| format!("name = {}, {}", quoted(&it.name), column(it, ", ")));
    write_list("fields", fields, out)?;
    let index = |name: &String, fields: &[String]| {
        format!("name = {}, fields = {}", quoted(name), list(fields))
    };
    write_list("uniques", shape.uniques.iter().map(|(name, it)| index(name, it)), out)?;
    let indexes = shape.indexes.iter().map(|(name, it)| index(name, &directed(it)));
    write_list("indexes", indexes, out)?;
    let references = shape.references.iter().map(|(name, it)| {
        format!("name = {}, fields = {}, {}", quoted(name), list(&it.fields), target(it, ", "))
    });
    write_list("references", references, out)
}

fn write_list(
    name: &str,
    items: impl Iterator<Item = String>,
    out: &mut String,
) -> std::fmt::Result {
    let lines: Vec<String> = items.map(|item| format!("    {{ {item} }},\n")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{name} = [\n{}]", lines.concat())
}

/// `type = "text", required = true`
fn column(field: &FieldShape, between: &str) -> String {
    let required = if field.required { format!("{between}required = true") } else { String::new() };
    format!("{}{required}", type_of(field.kind, between))
}

fn type_of(kind: Type, between: &str) -> String {
    let name = kind.name();
    match kind {
        Type::Decimal { precision, scale } => {
            format!("type = \"{name}\"{between}precision = {precision}{between}scale = {scale}")
        }
        _ => format!("type = \"{name}\""),
    }
}

/// `to = "users", on_delete = "cascade"`
fn target(reference: &ReferenceShape, between: &str) -> String {
    let on_delete = match reference.on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set_null",
    };
    let to_fields = match &reference.to_fields[..] {
        [field] if field == "id" => String::new(),
        fields => format!("{between}to_fields = {}", list(fields)),
    };
    format!("to = {}{to_fields}{between}on_delete = \"{on_delete}\"", quoted(&reference.to))
}

fn write_fill(fill: Option<&Fill>, out: &mut String) -> std::fmt::Result {
    let value = match fill {
        None => return Ok(()),
        Some(Fill::Now) => "\"now\"".to_owned(),
        Some(Fill::Value(value)) => {
            let text = value.as_ref().to_text();
            match value {
                Value::Bool(_) | Value::Int(_) => text,
                _ => quoted(&text),
            }
        }
    };
    writeln!(out, "default = {value}")
}

fn directed(fields: &[(String, bool)]) -> Vec<String> {
    let sign = |descends: bool| if descends { "-" } else { "" };
    fields.iter().map(|(name, descends)| format!("{}{name}", sign(*descends))).collect()
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
