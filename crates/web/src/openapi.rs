//! The description of the API as OpenAPI 3.1, made from the catalog.
//!
//! It says which models there are, their fields and what those hold; who may do
//! what is not in it, as that depends on rows. Names are no secret here: an error
//! that suggests the nearest one tells them too.

use mainstay_core::{Catalog, Constraints, DefaultValue, Field, FieldKind, Model, Type, Value};
use serde_json::{Map, Value as Json, json};

use crate::router::REST;

/// The document as JSON.
pub(crate) fn document(name: &str, catalog: &Catalog) -> Vec<u8> {
    let models = || catalog.exposed_models();
    let paths: Map<String, Json> =
        models().map(|model| (format!("{REST}{}", model.name), path(model))).collect();
    let schemas: Map<String, Json> =
        models().map(|model| (model.name.to_string(), schema(model, catalog))).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": name, "version": format!("{:016x}", catalog.version().0) },
        "externalDocs": { "url": "https://docs.postgrest.org/en/v16/references/api.html", "description": "The dialect of the query strings" },
        "security": [{}, { "bearer": [] }, { "apikey": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters(),
            "responses": { "error": error_response() },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "apikey": { "type": "apiKey", "in": "header", "name": "apikey" },
            },
        },
    });
    serde_json::to_vec(&document).expect("BUG: a JSON value serialises")
}

/// The parameters every model's path takes.
fn parameters() -> Json {
    let parameter = |place: &str, name: &str, kind: &str, description: &str| json!({ "in": place, "name": name, "description": description, "schema": { "type": kind } });
    json!({
        "select": parameter("query", "select", "string", "Fields, aliases, casts, JSON paths, aggregates and embedded models."),
        "order": parameter("query", "order", "string", "Fields with directions: title.desc.nullslast,id.asc"),
        "limit": parameter("query", "limit", "integer", "Rows at most."),
        "offset": parameter("query", "offset", "integer", "Rows to pass over first."),
        "or": parameter("query", "or", "string", "Conditions of which one must hold: (a.eq.1,b.gt.2)"),
        "and": parameter("query", "and", "string", "Conditions that must all hold: (a.eq.1,b.gt.2)"),
        "columns": parameter("query", "columns", "string", "The only fields of the body that count."),
        "on_conflict": parameter("query", "on_conflict", "string", "The fields of the unique constraint that decides whether a row is there already."),
        "prefer": parameter("header", "Prefer", "string", "return, count, resolution, missing, handling, max-affected, tx"),
        "range": parameter("header", "Range", "string", "The first and last row: 0-9"),
    })
}

fn error_response() -> Json {
    let text = || json!({ "type": "string" });
    let maybe = || json!({ "type": ["string", "null"] });
    let schema = json!({
        "type": "object",
        "required": ["code", "message", "details", "hint"],
        "properties": { "code": text(), "message": text(), "details": maybe(), "hint": maybe() },
    });
    json!({ "description": "What went wrong.", "content": { "application/json": { "schema": schema } } })
}

fn path(model: &Model) -> Json {
    let shared = |names: &[&str]| -> Vec<Json> {
        names
            .iter()
            .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
            .collect()
    };
    let filters = model.fields.iter().map(|field| {
        json!({
            "in": "query", "name": field.name, "schema": { "type": "string" },
            "description": "An operator and a value: eq.1, not.in.(1,2), is.null",
        })
    });
    let choosing: Vec<Json> = filters.chain(shared(&["or", "and"])).collect();
    let with =
        |names: &[&str]| -> Vec<Json> { choosing.iter().cloned().chain(shared(names)).collect() };
    let row = json!({ "$ref": format!("#/components/schemas/{}", model.name) });
    let content = |schema: Json| json!({ "application/json": { "schema": schema } });
    let rows = content(json!({ "type": "array", "items": row }));
    let body = |schema: Json| json!({ "required": true, "content": content(schema) });
    let answers = |status: &str, description: &str| {
        json!({
            status: { "description": description, "content": rows },
            "default": { "$ref": "#/components/responses/error" },
        })
    };
    let tag = json!([model.name]);
    json!({
        "get": {
            "tags": tag, "summary": format!("Read {}", model.name),
            "description": model.description,
            "parameters": with(&["select", "order", "limit", "offset", "range", "prefer"]),
            "responses": answers("200", "The rows."),
        },
        "post": {
            "tags": tag, "summary": format!("Create {}", model.name),
            "parameters": shared(&["select", "columns", "on_conflict", "prefer"]),
            "requestBody": body(json!({ "oneOf": [row, { "type": "array", "items": row }] })),
            "responses": answers("201", "The rows, where they are asked for."),
        },
        "patch": {
            "tags": tag, "summary": format!("Change {}", model.name),
            "parameters": with(&["select", "columns", "prefer"]),
            "requestBody": body(row.clone()),
            "responses": answers("200", "The rows, where they are asked for; 204 otherwise."),
        },
        "delete": {
            "tags": tag, "summary": format!("Delete {}", model.name),
            "parameters": with(&["select", "prefer"]),
            "responses": answers("200", "The rows, where they are asked for; 204 otherwise."),
        },
    })
}

fn schema(model: &Model, catalog: &Catalog) -> Json {
    let required: Vec<&str> = model
        .fields
        .iter()
        .filter(|field| field.required && field.default.is_none() && !field.server_set)
        .map(|field| &*field.name)
        .collect();
    let properties: Map<String, Json> = model
        .fields
        .iter()
        .map(|field| (field.name.to_string(), property(field, catalog)))
        .collect();
    json!({
        "type": "object",
        "description": model.description,
        "required": required,
        "properties": properties,
    })
}

fn property(field: &Field, catalog: &Catalog) -> Json {
    let (kind, format) = match field.value_type {
        Type::Text => ("string", None),
        Type::Int => ("integer", Some("int64")),
        Type::Float => ("number", Some("double")),
        Type::Decimal { .. } => ("number", Some("decimal")),
        Type::Bool => ("boolean", None),
        Type::Uuid => ("string", Some("uuid")),
        Type::Timestamp => ("string", Some("date-time")),
        Type::Date => ("string", Some("date")),
        Type::Bytes => ("string", Some("hex")),
        Type::Json => ("", None),
    };
    let mut property = Map::new();
    if !kind.is_empty() {
        let nullable = json!([kind, "null"]);
        property.insert("type".into(), if field.required { json!(kind) } else { nullable });
    }
    if let Some(format) = format {
        property.insert("format".into(), json!(format));
    }
    if let FieldKind::Enum { values } = &field.kind {
        property.insert("enum".into(), json!(values));
    }
    if field.server_set {
        property.insert("readOnly".into(), json!(true));
    }
    if let Some(DefaultValue::Literal(value)) = &field.default {
        property.insert("default".into(), literal(value));
    }
    bounds(&field.constraints, field.value_type, &mut property);
    let target = field.reference().map(|id| &catalog.model(catalog.reference(id).to).name);
    let described = match (&field.description, target) {
        (Some(text), _) => Some(text.to_string()),
        (None, Some(model)) => Some(format!("The key of a row of {model}.")),
        (None, None) => None,
    };
    if let Some(text) = described {
        property.insert("description".into(), json!(text));
    }
    Json::Object(property)
}

fn bounds(constraints: &Constraints, kind: Type, property: &mut Map<String, Json>) {
    let (min, max) =
        if kind == Type::Text { ("minLength", "maxLength") } else { ("minimum", "maximum") };
    if let Some(value) = &constraints.min {
        property.insert(min.into(), literal(value));
    }
    if let Some(value) = &constraints.max {
        property.insert(max.into(), literal(value));
    }
    if let Some(pattern) = &constraints.pattern {
        property.insert("pattern".into(), json!(pattern));
    }
}

fn literal(value: &Value) -> Json {
    match value {
        Value::Null | Value::List(_) => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Decimal(_) | Value::Json(_) => {
            serde_json::from_str(&value.as_ref().to_text()).unwrap_or(Json::Null)
        }
        _ => json!(value.as_ref().to_text()),
    }
}
