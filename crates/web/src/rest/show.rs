//! Short forms of what was read, for the tables of the tests.

use mainstay_core::{Error, JsonStep};
use mainstay_plan::{
    Aggregate, Argument, Condition, FieldExpr, Group, Join, OrderTerm, SelectEmbed, SelectField,
    SelectItem,
};

pub(crate) fn error(error: &Error) -> String {
    let more = error.details().or(error.hint());
    let more = more.map(|more| format!(": {more}")).unwrap_or_default();
    format!("{} {}{more}", error.code(), error.message())
}

pub(crate) fn select(items: &[SelectItem<'_>]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            SelectItem::Star => "*".to_owned(),
            SelectItem::Field(field) => select_field(field),
            SelectItem::Embed(embed) => select_embed(embed),
        })
        .collect();
    items.join(" | ")
}

fn select_field(item: &SelectField<'_>) -> String {
    let suffix =
        |cast: &Option<_>| cast.as_ref().map(|cast| format!("::{cast}")).unwrap_or_default();
    let mut text = item.field.as_ref().map(field).unwrap_or_default() + &suffix(&item.cast);
    if let Some(aggregate) = item.aggregate {
        let name = match aggregate {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
        };
        text = format!("{name}({text}){}", suffix(&item.aggregate_cast));
    }
    text + &alias(item.alias.as_deref())
}

fn select_embed(embed: &SelectEmbed<'_>) -> String {
    format!(
        "{}{}{}{}({}){}",
        if embed.spread { "..." } else { "" },
        embed.target,
        embed.hint.as_ref().map(|hint| format!("!{hint}")).unwrap_or_default(),
        if embed.join == Join::Inner { " inner" } else { "" },
        select(&embed.select),
        alias(embed.alias.as_deref()),
    )
}

fn alias(alias: Option<&str>) -> String {
    alias.map(|alias| format!(" as {alias}")).unwrap_or_default()
}

pub(crate) fn field(field: &FieldExpr<'_>) -> String {
    let mut text = field.name.to_string();
    for (at, step) in field.json.iter().enumerate() {
        text.push_str(if field.as_text && at + 1 == field.json.len() { "->>" } else { "->" });
        match step {
            JsonStep::Key(key) => text.push_str(key),
            JsonStep::Index(index) => text.push_str(&format!("#{index}")),
        }
    }
    text
}

pub(crate) fn condition(item: &Condition<'_>) -> String {
    match item {
        Condition::Group { negated, group, items } => {
            let word = if *group == Group::And { "and" } else { "or" };
            let items: Vec<String> = items.iter().map(condition).collect();
            format!("{}{word}({})", if *negated { "not " } else { "" }, items.join(", "))
        }
        Condition::Compare { field: by, negated, operator, quantifier, argument } => {
            let quantifier = quantifier
                .map(|quantifier| format!(" {quantifier:?}").to_lowercase())
                .unwrap_or_default();
            let argument = match argument {
                Argument::Text(text) => format!("{text:?}"),
                Argument::List(items) => format!("{items:?}"),
                Argument::Is(value) => format!("{value:?}"),
            };
            let not = if *negated { "not " } else { "" };
            format!("{not}{} {operator:?}{quantifier} {argument}", field(by))
        }
    }
}

pub(crate) fn order(terms: &[OrderTerm<'_>]) -> String {
    let terms: Vec<String> = terms
        .iter()
        .map(|term| {
            let by = match &term.relation {
                Some(relation) => format!("{relation}({})", field(&term.field)),
                None => field(&term.field),
            };
            let direction = if term.descending { "desc" } else { "asc" };
            let nulls = match term.nulls_first {
                Some(true) => " nulls first",
                Some(false) => " nulls last",
                None => "",
            };
            format!("{by} {direction}{nulls}")
        })
        .collect();
    terms.join(", ")
}
