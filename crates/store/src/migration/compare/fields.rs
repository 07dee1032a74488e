//! Fields that are renamed, come, change and go.

use mainstay_core::{DefaultValue, Field};

use super::Work;
use crate::migration::{
    Change, FieldShape, Fill, ModelShape, Question, additive::literal_fill, can_convert, type_name,
};

impl Work<'_> {
    pub(super) fn rename_fields(&mut self) {
        for (model, wanted) in self.wanted.models.clone() {
            let Some(now) = self.now.models.get(&model).cloned() else { continue };
            if now.id != wanted.id {
                self.faults.push(format!(
                    "the key of `{model}` cannot become another: make another model and move \
                     its rows"
                ));
                continue;
            }
            for field in &now.fields {
                // One that is there still may be another that took its name.
                let is_said = self.choices.renamed(&self.spoken(&model, &field.name)).is_some();
                if !is_said && wanted.field(&field.name).is_some() {
                    continue;
                }
                self.rename_field(&model, &now, &wanted, field);
            }
        }
        // What is dropped though it is there still is added anew.
        for (model, wanted) in &self.wanted.models {
            let both = self.now.models.get(model).into_iter().flat_map(|now| &now.fields);
            let both = both.filter(|field| wanted.field(&field.name).is_some());
            let spoken: Vec<String> = both.map(|it| self.spoken(model, &it.name)).collect();
            self.used.extend(spoken.into_iter().filter(|name| self.choices.is_dropped(name)));
        }
    }

    fn rename_field(
        &mut self,
        model: &str,
        now: &ModelShape,
        wanted: &ModelShape,
        field: &FieldShape,
    ) {
        let gone = self.spoken(model, &field.name);
        let model_before = gone.split_once('.').map(|(model, _)| model.to_owned());
        let came = |it: &&FieldShape| now.field(&it.name).is_none();
        match self.choices.renamed(&gone).map(str::to_owned) {
            _ if self.choices.is_dropped(&gone) => {
                self.used.insert(gone);
            }
            Some(to) if wanted.field(&to).as_ref().is_some_and(came) => {
                self.used.insert(gone);
                let (model, field) = (model.to_owned(), field.name.clone());
                self.take(Change::RenameField { model, field, to });
            }
            Some(to) => {
                self.used.insert(gone);
                self.faults.push(format!("`{model}` has no new field `{to}`"));
            }
            None => {
                let alike = wanted.fields.iter().filter(|it| {
                    came(it)
                        && it.kind == field.kind
                        && !self.choices.is_new_name(model_before.as_deref(), &it.name)
                        && !self.choices.is_new_name(Some(model), &it.name)
                });
                let came: Vec<String> = alike.map(|it| it.name.clone()).collect();
                if !came.is_empty() {
                    self.questions.push(Question { gone, came });
                }
            }
        }
    }

    /// Whether a field that is there still is to be dropped and added anew.
    pub(super) fn is_replaced(&self, model: &str, field: &str) -> bool {
        self.choices.is_dropped(&self.spoken(model, field))
    }

    /// Columns that come and columns that change.
    pub(super) fn change_fields(&mut self) {
        for (model, wanted) in self.wanted.models.clone() {
            let Some(now) = self.now.models.get(&model).cloned() else { continue };
            for field in &wanted.fields {
                let found = now.field(&field.name);
                match found {
                    Some(found) if found == field && !self.is_replaced(&model, &field.name) => {}
                    Some(found) if !self.is_replaced(&model, &field.name) => {
                        self.change_field(&model, found, field);
                    }
                    Some(_) => {
                        let (model, field) = (model.clone(), field.name.clone());
                        self.take(Change::DropField { model, field });
                    }
                    None => {}
                }
                if found.is_none() || self.is_replaced(&model, &field.name) {
                    self.add_field(&model, &wanted, field);
                }
            }
        }
    }

    fn change_field(&mut self, model: &str, from: &FieldShape, to: &FieldShape) {
        if !can_convert(from.kind, to.kind) {
            let (name, from, to) = (&to.name, type_name(from.kind), type_name(to.kind));
            self.faults.push(format!(
                "{model}.{name} cannot become {to} from {from}: `--drop {model}.{name}` drops \
                 it and adds it anew, without its values"
            ));
            return;
        }
        let requires = to.required && !from.required;
        let fill = requires.then(|| self.fill(model, &to.name)).flatten();
        let (from, to) = (from.clone(), to.clone());
        self.take(Change::ChangeField { model: model.to_owned(), from, to, fill });
    }

    fn add_field(&mut self, model: &str, wanted: &ModelShape, field: &FieldShape) {
        let reference = wanted.references.iter().find(|(_, it)| it.fields == [field.name.as_str()]);
        // What a ref's default names may not exist.
        let fill = self.fill(model, &field.name).filter(|_| reference.is_none());
        self.take(Change::AddField {
            model: model.to_owned(),
            field: field.clone(),
            fill,
            reference: reference.map(|(name, it)| (name.clone(), it.clone())),
        });
    }

    /// What rows that have no value for a field take.
    fn fill(&self, model: &str, column: &str) -> Option<Fill> {
        let mut models = self.catalog.models().iter();
        let model = models.find(|it| *it.table.table == *model)?;
        let field: &Field = model.fields.iter().find(|it| *it.column == *column)?;
        match field.default {
            Some(DefaultValue::Now) if field.required => Some(Fill::Now),
            _ => literal_fill(field),
        }
    }

    pub(super) fn drop_fields_and_models(&mut self) {
        for (model, wanted) in self.wanted.models.clone() {
            let Some(now) = self.now.models.get(&model).cloned() else { continue };
            for field in now.fields.iter().filter(|field| wanted.field(&field.name).is_none()) {
                let (model, field) = (model.clone(), field.name.clone());
                self.take(Change::DropField { model, field });
            }
        }
        self.drop_models();
    }
}
