//! The rules of an app, compiled once.

use mainstay_core::{Catalog, Model, ModelId, PartialCatalog, RuleText};

use crate::{
    compile::{check_rule, compile_rule},
    mistake::RuleMistake,
    rule::{Rule, RuleKind},
};

/// The rules of a field. A missing one adds nothing to the model's.
#[derive(Clone, Debug, Default)]
pub struct FieldRuleSet {
    /// Who sees the field.
    pub read: Option<Rule>,
    /// Who writes the field.
    pub write: Option<Rule>,
}

/// The rules of a model. A missing one denies.
#[derive(Clone, Debug, Default)]
pub struct ModelRuleSet {
    /// Which rows may be seen.
    pub read: Option<Rule>,
    /// Which rows may be created.
    pub create: Option<Rule>,
    /// Which stored rows may be changed.
    pub update: Option<Rule>,
    /// What a changed row must satisfy. Where it is missing, `update` is asked of the
    /// row as it would be stored.
    pub check: Option<Rule>,
    /// Which rows may be deleted.
    pub delete: Option<Rule>,
    /// The rules of each field, in the fields' order.
    pub fields: Vec<FieldRuleSet>,
}

/// The rules of all models.
#[derive(Clone, Debug)]
pub struct Rulebook {
    models: Vec<ModelRuleSet>,
}

impl Rulebook {
    /// The rules of a model.
    #[must_use]
    pub fn model(&self, model: ModelId) -> &ModelRuleSet {
        &self.models[model.index()]
    }

    /// Rules by which one model is read under a condition that no text was written
    /// for, and all others by everyone.
    #[cfg(feature = "corpus")]
    pub(crate) fn of_reads(
        catalog: &Catalog,
        model: ModelId,
        filter: mainstay_core::Filter,
    ) -> Self {
        let mut models: Vec<ModelRuleSet> = catalog
            .models()
            .iter()
            .map(|model| ModelRuleSet {
                read: Some(Rule::new(mainstay_core::Filter::ALWAYS)),
                fields: vec![FieldRuleSet::default(); model.fields.len()],
                ..ModelRuleSet::default()
            })
            .collect();
        models[model.index()].read = Some(Rule::new(filter));
        Self { models }
    }
}

/// Compiles every rule of an app.
///
/// # Errors
/// With every mistake in every rule, in the order of the models.
pub fn compile(catalog: &Catalog) -> Result<Rulebook, Vec<RuleMistake>> {
    let mut mistakes = Vec::new();
    let models = catalog
        .model_ids()
        .map(|id| {
            let mut rule = |text: &Option<RuleText>, kind| {
                compile_rule(catalog, id, text.as_ref()?, kind)
                    .map_err(|found| mistakes.extend(found))
                    .ok()
            };
            let model = catalog.model(id);
            ModelRuleSet {
                read: rule(&model.rules.read, RuleKind::Read),
                create: rule(&model.rules.create, RuleKind::Create),
                update: rule(&model.rules.update, RuleKind::Update),
                check: rule(&model.rules.check, RuleKind::Check),
                delete: rule(&model.rules.delete, RuleKind::Delete),
                fields: model
                    .fields
                    .iter()
                    .map(|field| FieldRuleSet {
                        read: rule(&field.rules.read, RuleKind::FieldRead),
                        write: rule(&field.rules.write, RuleKind::FieldWrite),
                    })
                    .collect(),
            }
        })
        .collect();
    if mistakes.is_empty() { Ok(Rulebook { models }) } else { Err(mistakes) }
}

/// The mistakes in the rules of a folder that has other mistakes. Nothing is said of a
/// name whose declaration is one of them. No rule comes of it.
#[must_use]
pub fn find_mistakes(partial: &PartialCatalog) -> Vec<RuleMistake> {
    let declared = partial.declarations();
    declared
        .model_ids()
        .flat_map(|id| texts(declared.model(id)).map(move |(text, kind)| (id, text, kind)))
        .flat_map(|(id, text, kind)| check_rule(declared, id, text, kind).mistakes)
        .collect()
}

/// Every rule of a model's, as it is written, with what it is asked for.
fn texts(model: &Model) -> impl Iterator<Item = (&RuleText, RuleKind)> {
    let rules = &model.rules;
    let own = [
        (&rules.read, RuleKind::Read),
        (&rules.create, RuleKind::Create),
        (&rules.update, RuleKind::Update),
        (&rules.check, RuleKind::Check),
        (&rules.delete, RuleKind::Delete),
    ];
    let of_fields = model.fields.iter().flat_map(|field| {
        [(&field.rules.read, RuleKind::FieldRead), (&field.rules.write, RuleKind::FieldWrite)]
    });
    own.into_iter().chain(of_fields).filter_map(|(text, kind)| Some((text.as_ref()?, kind)))
}
