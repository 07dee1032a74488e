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

const FORMATS: &str = "the_form_is_the_one_the_caller_likes_best";

/// The table, in the order of the page.
pub const FEATURES: &[Feature] = &[
    yes(OPERATOR, "eq", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "neq", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "gt", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "gte", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "lt", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "lte", "comparisons_admit_what_they_say_and_never_absent_values"),
    yes(OPERATOR, "like", "texts_are_searched_by_pattern"),
    yes(OPERATOR, "ilike", "texts_are_searched_by_pattern"),
    yes(OPERATOR, "match", "texts_are_searched_by_pattern"),
    yes(OPERATOR, "imatch", "texts_are_searched_by_pattern"),
    yes(OPERATOR, "in", "lists_admit_any_or_all_of_their_items"),
    yes(OPERATOR, "is", "is_and_isdistinct_see_absent_values"),
    yes(OPERATOR, "isdistinct", "is_and_isdistinct_see_absent_values"),
    yes(OPERATOR, "cs (JSON)", "json_is_filtered_by_path_and_containment"),
    yes(OPERATOR, "cd (JSON)", "json_is_filtered_by_path_and_containment"),
    no(OPERATOR, "cs, cd (arrays, ranges)", Reason::PostgresType),
    no(OPERATOR, "fts, plfts, phfts, wfts", Reason::PostgresType),
    no(OPERATOR, "ov", Reason::PostgresType),
    no(OPERATOR, "sl, sr, nxr, nxl, adj", Reason::PostgresType),
    yes(FILTER, "not.", "conditions_are_joined_and_negated"),
    yes(FILTER, "(any), (all)", "lists_admit_any_or_all_of_their_items"),
    yes(FILTER, "and=(…), or=(…), not.and=(…), not.or=(…)", "conditions_are_joined_and_negated"),
    yes(
        FILTER,
        "model.field=…, model.or=(…)",
        "embedded_models_are_filtered_apart_from_the_rows_above",
    ),
    yes(FILTER, "data->a->>b=…", "json_is_filtered_by_path_and_containment"),
    yes(FILTER, "\"quoted.name\"=…", "json_paths_and_quoted_names_are_fields"),
    yes(SELECT, "field, *", "fields_are_chosen_renamed_and_cast"),
    yes(SELECT, "alias:field", "fields_are_chosen_renamed_and_cast"),
    yes(SELECT, "field::type", "fields_are_chosen_renamed_and_cast"),
    yes(SELECT, "data->a->0->>b", "json_is_taken_apart_by_path"),
    yes(SELECT, "count(), field.count()", "rows_are_counted_summed_and_compared"),
    yes(SELECT, "field.sum(), .avg(), .min(), .max()", "rows_are_counted_summed_and_compared"),
    no(SELECT, "composite and array columns", Reason::PostgresType),
    no(SELECT, "computed fields", Reason::NoFunctions),
    yes(EMBED, "model(…), ref_field(…)", "a_ref_is_embedded_by_field_and_by_model_name"),
    yes(EMBED, "alias:model(…)", "a_ref_is_embedded_by_field_and_by_model_name"),
    yes(EMBED, "model!hint(…)", "a_ref_is_embedded_by_field_and_by_model_name"),
    yes(
        EMBED,
        "model!inner(…), model!left(…)",
        "embedded_models_are_filtered_apart_from_the_rows_above",
    ),
    yes(EMBED, "...model(…), to one", "a_to_one_row_is_spread_into_the_row_above"),
    no(EMBED, "...model(…), to many", Reason::NoArrays),
    yes(
        EMBED,
        "model=is.null, model=not.is.null",
        "embedded_models_are_filtered_apart_from_the_rows_above",
    ),
    yes(
        EMBED,
        "model.order=…, model.limit=…, model.offset=…",
        "rows_that_point_here_are_embedded_as_a_list",
    ),
    no(EMBED, "computed relationships", Reason::NoFunctions),
    yes(
        ORDER,
        "order=field.desc.nullslast",
        "rows_come_in_the_order_asked_for_with_ties_broken_by_key",
    ),
    yes(ORDER, "order=model(field)", "rows_come_in_the_order_asked_for_with_ties_broken_by_key"),
    yes(ORDER, "limit=, offset=", "a_page_says_where_it_lies_and_of_how_many"),
    yes(ORDER, "Range: 0-9", "a_page_says_where_it_lies_and_of_how_many"),
    yes(ORDER, "Content-Range", "a_page_says_where_it_lies_and_of_how_many"),
    no(ORDER, "limit=, offset= on POST, PATCH, DELETE", Reason::WritesHaveNoPage),
    yes(
        PREFER,
        "return=minimal, headers-only, representation",
        "rows_are_created_one_or_many_at_a_time",
    ),
    yes(PREFER, "count=exact, planned, estimated", "a_page_says_where_it_lies_and_of_how_many"),
    yes(
        PREFER,
        "resolution=merge-duplicates, ignore-duplicates",
        "a_row_that_is_there_is_merged_or_left_as_asked",
    ),
    yes(PREFER, "missing=default, null", "columns_and_missing_decide_what_a_row_takes"),
    yes(PREFER, "handling=strict, lenient", "what_is_not_known_is_refused_when_strict_alone"),
    yes(PREFER, "max-affected=N", "a_write_without_a_filter_is_refused"),
    yes(PREFER, "tx=commit, rollback", "a_rehearsal_answers_and_leaves_nothing"),
    no(PREFER, "timezone=", Reason::UtcOnly),
    yes(WRITE, "POST one row or many", "rows_are_created_one_or_many_at_a_time"),
    yes(WRITE, "columns=", "columns_and_missing_decide_what_a_row_takes"),
    yes(WRITE, "on_conflict=", "a_row_that_is_there_is_merged_or_left_as_asked"),
    yes(WRITE, "PATCH, DELETE", "rows_are_changed_and_deleted_by_filter"),
    yes(WRITE, "PUT", "put_addresses_the_row_in_its_body"),
    yes(WRITE, "Location", "rows_are_created_one_or_many_at_a_time"),
    yes(WRITE, "text/csv bodies", "csv_and_forms_are_rows_of_texts"),
    yes(WRITE, "application/x-www-form-urlencoded bodies", "csv_and_forms_are_rows_of_texts"),
    yes(MEDIA, "application/json", "every_type_is_answered_in_its_own_form"),
    yes(MEDIA, "text/csv", "rows_are_answered_as_csv"),
    yes(
        MEDIA,
        "application/vnd.pgrst.object+json",
        "one_object_is_answered_where_one_is_asked_for",
    ),
    yes(MEDIA, "application/vnd.pgrst.array+json", FORMATS),
    yes(MEDIA, "nulls=stripped", "rows_are_written_with_their_embeds_and_spreads"),
    no(MEDIA, "application/geo+json", Reason::PostgresType),
    no(MEDIA, "application/vnd.pgrst.plan+json", Reason::NoExplain),
    no(MEDIA, "custom media types", Reason::NoFunctions),
    yes(OTHER, "HEAD", "head_answers_the_headers_of_get_alone"),
    yes(OTHER, "OPTIONS", "options_lists_the_methods_of_a_model"),
    yes(OTHER, "Accept-Profile, Content-Profile: public", "another_schema_is_refused"),
    no(OTHER, "Accept-Profile, Content-Profile of others", Reason::OneSchema),
    no(OTHER, "/rpc/function", Reason::NoFunctions),
    yes(OTHER, "Proxy-Status", "a_model_without_rules_asks_for_a_credential"),
    no(OTHER, "Content-Location", Reason::Redundant),
    yes(OTHER, "Vary", "an_answer_says_what_it_depends_on"),
    yes(OTHER, "OpenAPI at /", "the_root_describes_every_exposed_model"),
    yes(
        OTHER,
        "errors with PostgREST's codes",
        "what_a_field_may_not_hold_is_refused_before_it_is_stored",
    ),
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
