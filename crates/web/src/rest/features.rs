//! What of the dialect is spoken, as data: the table of `docs/rest.md`.
//!
//! Each operator, feature, preference and error of PostgREST's reference pages
//! (v16) is either supported, with the test that shows it, or refused for one of a
//! closed list of reasons. A test keeps the page equal to this list.

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The chapter it belongs to.
    pub chapter: &'static str,
    /// What it is, as it is written in a request.
    pub name: &'static str,
    /// Whether it is spoken.
    pub support: Support,
}

/// Whether a feature is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is, and this test shows it.
    Supported {
        /// The test's name.
        test: &'static str,
    },
    /// It is not.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// Why a feature is refused. The list is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Only PostgreSQL has the type or the operator.
    PostgresType,
    /// There are no functions in a database to call.
    NoFunctions,
    /// There is one schema.
    OneSchema,
    /// A write names its rows by a filter.
    WritesHaveNoPage,
    /// A spread of many rows would turn values into arrays, which only PostgreSQL has.
    NoArrays,
    /// Plans are the operator's to look at.
    NoExplain,
    /// It repeats what the request said.
    Redundant,
    /// Moments are answered in UTC; where they are shown is the client's to say.
    UtcOnly,
}

impl Reason {
    /// The reason as it stands on the page.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::PostgresType => "bound to a type or operator that only PostgreSQL has",
            Self::NoFunctions => {
                "there are no database functions; custom routes stand beside the API"
            }
            Self::OneSchema => "there is one schema, `public`",
            Self::WritesHaveNoPage => "a write names its rows by a filter, never by a page",
            Self::NoArrays => "would answer arrays, which only PostgreSQL has",
            Self::NoExplain => "execution plans are the operator's to look at, not a caller's",
            Self::Redundant => "repeats what the request said",
            Self::UtcOnly => "moments are answered in UTC",
        }
    }
}

const fn yes(chapter: &'static str, name: &'static str, test: &'static str) -> Feature {
    Feature { chapter, name, support: Support::Supported { test } }
}

const fn no(chapter: &'static str, name: &'static str, reason: Reason) -> Feature {
    Feature { chapter, name, support: Support::Refused { reason } }
}

const OPERATOR: &str = "Operators";
const FILTER: &str = "Filters";
const SELECT: &str = "Select";
const EMBED: &str = "Embedding";
const ORDER: &str = "Order and pages";
const PREFER: &str = "Preferences";
const WRITE: &str = "Writes";
const MEDIA: &str = "Media types";
const OTHER: &str = "Other";

const EACH_OPERATOR: &str = "each_operator_takes_the_rest_as_its_value";
const ANY_ALL: &str = "any_and_all_take_an_array";
const TREES: &str = "trees_nest_and_negate";
const EMBEDS: &str = "embeds_nest_and_carry_hints";
const AGGREGATES: &str = "aggregates_stand_alone_or_after_a_field";
const FIELDS: &str = "fields_have_aliases_json_paths_and_casts";
const PATHS: &str = "a_path_leads_to_an_embedded_model";
const TERMS: &str = "terms_have_directions_and_places_for_nulls";
const PREFERENCES: &str = "preferences_come_in_one_header_or_several";
const PARAMETERS: &str = "each_parameter_is_told_by_its_name";
const FORMATS: &str = "the_form_is_the_one_the_caller_likes_best";

/// The table, in the order of the page.
pub const FEATURES: &[Feature] = &[
    yes(OPERATOR, "eq", EACH_OPERATOR),
    yes(OPERATOR, "neq", EACH_OPERATOR),
    yes(OPERATOR, "gt", EACH_OPERATOR),
    yes(OPERATOR, "gte", EACH_OPERATOR),
    yes(OPERATOR, "lt", EACH_OPERATOR),
    yes(OPERATOR, "lte", EACH_OPERATOR),
    yes(OPERATOR, "like", EACH_OPERATOR),
    yes(OPERATOR, "ilike", EACH_OPERATOR),
    yes(OPERATOR, "match", EACH_OPERATOR),
    yes(OPERATOR, "imatch", EACH_OPERATOR),
    yes(OPERATOR, "in", "lists_are_quoted_where_they_hold_reserved_characters"),
    yes(OPERATOR, "is", "is_asks_one_of_five_questions"),
    yes(OPERATOR, "isdistinct", EACH_OPERATOR),
    yes(OPERATOR, "cs (JSON)", EACH_OPERATOR),
    yes(OPERATOR, "cd (JSON)", EACH_OPERATOR),
    no(OPERATOR, "cs, cd (arrays, ranges)", Reason::PostgresType),
    no(OPERATOR, "fts, plfts, phfts, wfts", Reason::PostgresType),
    no(OPERATOR, "ov", Reason::PostgresType),
    no(OPERATOR, "sl, sr, nxr, nxl, adj", Reason::PostgresType),
    yes(FILTER, "not.", EACH_OPERATOR),
    yes(FILTER, "(any), (all)", ANY_ALL),
    yes(FILTER, "and=(…), or=(…), not.and=(…), not.or=(…)", TREES),
    yes(FILTER, "model.field=…, model.or=(…)", PATHS),
    yes(FILTER, "data->a->>b=…", "json_paths_and_quoted_names_are_fields"),
    yes(FILTER, "\"quoted.name\"=…", "json_paths_and_quoted_names_are_fields"),
    yes(SELECT, "field, *", FIELDS),
    yes(SELECT, "alias:field", FIELDS),
    yes(SELECT, "field::type", FIELDS),
    yes(SELECT, "data->a->0->>b", FIELDS),
    yes(SELECT, "count(), field.count()", AGGREGATES),
    yes(SELECT, "field.sum(), .avg(), .min(), .max()", AGGREGATES),
    no(SELECT, "composite and array columns", Reason::PostgresType),
    no(SELECT, "computed fields", Reason::NoFunctions),
    yes(EMBED, "model(…), ref_field(…)", EMBEDS),
    yes(EMBED, "alias:model(…)", EMBEDS),
    yes(EMBED, "model!hint(…)", EMBEDS),
    yes(EMBED, "model!inner(…), model!left(…)", EMBEDS),
    yes(EMBED, "...model(…), to one", EMBEDS),
    no(EMBED, "...model(…), to many", Reason::NoArrays),
    yes(EMBED, "model=is.null, model=not.is.null", "is_asks_one_of_five_questions"),
    yes(EMBED, "model.order=…, model.limit=…, model.offset=…", PATHS),
    no(EMBED, "computed relationships", Reason::NoFunctions),
    yes(ORDER, "order=field.desc.nullslast", TERMS),
    yes(ORDER, "order=model(field)", TERMS),
    yes(ORDER, "limit=, offset=", PARAMETERS),
    yes(ORDER, "Range: 0-9", "a_range_is_a_page"),
    yes(ORDER, "Content-Range", "the_answer_says_which_rows_it_holds"),
    no(ORDER, "limit=, offset= on POST, PATCH, DELETE", Reason::WritesHaveNoPage),
    yes(PREFER, "return=minimal, headers-only, representation", PREFERENCES),
    yes(PREFER, "count=exact, planned, estimated", PREFERENCES),
    yes(PREFER, "resolution=merge-duplicates, ignore-duplicates", PREFERENCES),
    yes(PREFER, "missing=default, null", PREFERENCES),
    yes(PREFER, "handling=strict, lenient", "what_is_not_known_is_refused_when_strict_alone"),
    yes(PREFER, "max-affected=N", PREFERENCES),
    yes(PREFER, "tx=commit, rollback", "a_rehearsal_where_none_is_allowed_is_refused"),
    no(PREFER, "timezone=", Reason::UtcOnly),
    yes(WRITE, "POST one row or many", "json_values_keep_what_they_came_as"),
    yes(WRITE, "columns=", PARAMETERS),
    yes(WRITE, "on_conflict=", PARAMETERS),
    yes(WRITE, "PATCH, DELETE", "an_update_without_rows_is_no_content"),
    yes(WRITE, "PUT", "put_addresses_the_row_in_its_body"),
    yes(WRITE, "Location", "a_location_escapes_what_its_key_holds"),
    yes(WRITE, "text/csv bodies", "csv_and_forms_are_rows_of_texts"),
    yes(WRITE, "application/x-www-form-urlencoded bodies", "csv_and_forms_are_rows_of_texts"),
    yes(MEDIA, "application/json", FORMATS),
    yes(MEDIA, "text/csv", FORMATS),
    yes(MEDIA, "application/vnd.pgrst.object+json", FORMATS),
    yes(MEDIA, "application/vnd.pgrst.array+json", FORMATS),
    yes(MEDIA, "nulls=stripped", "rows_are_written_with_their_embeds_and_spreads"),
    no(MEDIA, "application/geo+json", Reason::PostgresType),
    no(MEDIA, "application/vnd.pgrst.plan+json", Reason::NoExplain),
    no(MEDIA, "custom media types", Reason::NoFunctions),
    yes(OTHER, "HEAD", "a_head_has_no_body"),
    yes(OTHER, "OPTIONS", "options_lists_the_methods_of_a_model"),
    yes(OTHER, "Accept-Profile, Content-Profile: public", "another_schema_is_refused"),
    no(OTHER, "Accept-Profile, Content-Profile of others", Reason::OneSchema),
    no(OTHER, "/rpc/function", Reason::NoFunctions),
    yes(OTHER, "Proxy-Status", "a_model_without_rules_asks_for_a_credential"),
    no(OTHER, "Content-Location", Reason::Redundant),
    yes(OTHER, "Vary", "an_answer_says_what_it_depends_on"),
    yes(OTHER, "OpenAPI at /", "the_root_describes_every_exposed_model"),
    yes(OTHER, "errors with PostgREST's codes", "the_page_of_errors_lists_every_code"),
];

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_page_of_the_dialect_lists_every_feature() {
        let mut page = String::from(
            "# The REST dialect\n\n\
            `/rest/v1/{model}` speaks PostgREST 16's dialect. Each operator, feature and preference of its \
            reference pages is supported, with the test that shows it, or refused for one of a closed list of \
            reasons. Errors are on [their own page](errors.md).\n",
        );
        let mut chapter = "";
        for feature in FEATURES {
            if feature.chapter != chapter {
                chapter = feature.chapter;
                page.push_str(&format!("\n## {chapter}\n\n| feature | | |\n|---|---|---|\n"));
            }
            let (word, why) = match feature.support {
                Support::Supported { test } => ("supported", format!("`{test}`")),
                Support::Refused { reason } => ("refused", reason.text().to_owned()),
            };
            page.push_str(&format!("| `{}` | {word} | {why} |\n", feature.name));
        }
        expect_file!["../../../../docs/rest.md"].assert_eq(&page);
    }
}
