//! Steps taken on a snapshot, as a database would take them.
//!
//! It is stricter than any one engine: what one of them would refuse or do besides (drop
//! an index with its column) is refused here, so that every engine ends in the same place.

use mainstay_core::IdKind;

use super::{Change, ModelShape, ReferenceShape, Snapshot};

impl Snapshot {
    /// Takes a step, and returns the model as the step leaves it; as it was, where it is
    /// dropped.
    ///
    /// # Errors
    /// Why it cannot be taken, in words for whoever wrote it. The snapshot is of no more
    /// use then.
    pub fn take(&mut self, change: &Change) -> Result<Option<ModelShape>, String> {
        match change {
            Change::CreateModel { model, shape } => self.create(model, shape)?,
            Change::DropModel { model } => return self.drop_model(model).map(Some),
            Change::RenameModel { model, to } => return self.rename_model(model, to).map(Some),
            Change::RenameField { model, field, to } => self.rename_field(model, field, to)?,
            Change::AddField { model, field, reference, .. } => {
                let shape = self.model_mut(model)?;
                if shape.field(&field.name).is_some() {
                    return Err(format!("`{model}` has a field `{}` already", field.name));
                }
                shape.fields.push(field.clone());
                if let Some((name, reference)) = reference {
                    self.add_reference(model, name, reference)?;
                }
            }
            Change::DropField { model, field } => self.drop_field(model, field)?,
            Change::ChangeField { model, from, to, .. } => {
                self.may_change(model, from.kind != to.kind, &from.name)?;
                let shape = self.model_mut(model)?;
                let found = shape.fields.iter_mut().find(|field| field.name == from.name);
                *found.ok_or_else(|| no_field(model, &from.name))? = to.clone();
            }
            Change::AddUnique { model, name, fields } => {
                self.add_index(model, name, fields.iter().map(String::as_str))?;
                self.model_mut(model)?.uniques.insert(name.clone(), fields.clone());
            }
            Change::AddIndex { model, name, fields } => {
                self.add_index(model, name, fields.iter().map(|(field, _)| field.as_str()))?;
                self.model_mut(model)?.indexes.insert(name.clone(), fields.clone());
            }
            Change::DropIndex { model, name, unique } => {
                self.drop_index(model, name, *unique)?;
            }
            Change::RenameIndex { model, name, to } => self.rename_index(model, name, to)?,
            Change::AddReference { model, name, reference } => {
                self.add_reference(model, name, reference)?;
            }
            Change::DropReference { model, name, .. } => {
                let gone = self.model_mut(model)?.references.remove(name);
                gone.ok_or_else(|| format!("`{model}` has no reference `{name}`"))?;
            }
            Change::RenameReference { model, name, to } => {
                let shape = self.model_mut(model)?;
                let reference = shape.references.remove(name);
                let reference =
                    reference.ok_or_else(|| format!("`{model}` has no reference `{name}`"))?;
                self.add_reference(model, to, &reference)?;
            }
            Change::Sql { .. } => return Ok(None),
        }
        Ok(change.model().and_then(|model| self.models.get(model)).cloned())
    }

    fn model_mut(&mut self, name: &str) -> Result<&mut ModelShape, String> {
        self.models.get_mut(name).ok_or_else(|| no_model(name))
    }

    fn create(&mut self, name: &str, shape: &ModelShape) -> Result<(), String> {
        self.is_free(name)?;
        let bare = ModelShape {
            uniques: Default::default(),
            indexes: Default::default(),
            references: Default::default(),
            ..shape.clone()
        };
        let mut names: Vec<&str> = bare.fields.iter().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("`{name}` has the field `{}` twice", twice[0]));
        }
        for key in &bare.key {
            let field = bare.field(key).ok_or_else(|| no_field(name, key))?;
            if !field.required {
                return Err(format!("the key `{key}` of `{name}` must be required"));
            }
        }
        if bare.id == IdKind::Int && bare.key.len() != 1 {
            return Err(format!("`{name}` has numbers for its key, which must be one field"));
        }
        self.models.insert(name.to_owned(), bare);
        for (index, fields) in &shape.uniques {
            self.add_index(name, index, fields.iter().map(String::as_str))?;
            self.model_mut(name)?.uniques.insert(index.clone(), fields.clone());
        }
        for (index, fields) in &shape.indexes {
            self.add_index(name, index, fields.iter().map(|(field, _)| field.as_str()))?;
            self.model_mut(name)?.indexes.insert(index.clone(), fields.clone());
        }
        for (reference, shape) in &shape.references {
            self.add_reference(name, reference, shape)?;
        }
        Ok(())
    }

    fn drop_model(&mut self, name: &str) -> Result<ModelShape, String> {
        let others = self.models.iter().filter(|(other, _)| *other != name);
        for (other, shape) in others {
            if let Some((reference, _)) = shape.references.iter().find(|(_, it)| it.to == name) {
                return Err(format!(
                    "`{other}` points at `{name}`: drop its reference `{reference}` first"
                ));
            }
        }
        self.models.remove(name).ok_or_else(|| no_model(name))
    }

    fn rename_model(&mut self, name: &str, to: &str) -> Result<ModelShape, String> {
        let shape = self.models.remove(name).ok_or_else(|| no_model(name))?;
        self.is_free(to)?;
        self.models.insert(to.to_owned(), shape);
        for reference in self.models.values_mut().flat_map(|shape| shape.references.values_mut()) {
            if reference.to == name {
                reference.to = to.to_owned();
            }
        }
        self.models.get(to).cloned().ok_or_else(|| no_model(to))
    }

    fn rename_field(&mut self, model: &str, field: &str, to: &str) -> Result<(), String> {
        let shape = self.model_mut(model)?;
        if shape.field(to).is_some() {
            return Err(format!("`{model}` has a field `{to}` already"));
        }
        let found = shape.fields.iter_mut().find(|it| it.name == field);
        found.ok_or_else(|| no_field(model, field))?.name = to.to_owned();
        let rename = |name: &mut String| {
            if name == field {
                *name = to.to_owned();
            }
        };
        shape.key.iter_mut().for_each(rename);
        shape.uniques.values_mut().flatten().for_each(rename);
        shape.indexes.values_mut().flatten().for_each(|(name, _)| rename(name));
        shape.references.values_mut().flat_map(|it| &mut it.fields).for_each(rename);
        let pointing = self.models.values_mut().flat_map(|shape| shape.references.values_mut());
        pointing.filter(|it| it.to == model).flat_map(|it| &mut it.to_fields).for_each(rename);
        Ok(())
    }

    fn drop_field(&mut self, model: &str, field: &str) -> Result<(), String> {
        self.may_change(model, true, field)?;
        let shape = self.model_mut(model)?;
        let in_unique = shape.uniques.iter().find(|(_, it)| it.iter().any(|name| name == field));
        let in_index =
            shape.indexes.iter().find(|(_, it)| it.iter().any(|(name, _)| name == field));
        let holder = in_unique.map(|(name, _)| name).or(in_index.map(|(name, _)| name));
        if let Some(holder) = holder {
            return Err(format!(
                "`{model}.{field}` is part of the index `{holder}`: drop that first"
            ));
        }
        let before = shape.fields.len();
        shape.fields.retain(|it| it.name != field);
        if shape.fields.len() == before { Err(no_field(model, field)) } else { Ok(()) }
    }

    /// Whether a column may go or get another type: not while something points with it or
    /// at it, and never where it is the key.
    fn may_change(&mut self, model: &str, rewrites: bool, field: &str) -> Result<(), String> {
        let shape = self.model_mut(model)?;
        if shape.key.iter().any(|key| key == field) {
            return Err(format!("`{model}.{field}` is the model's key, which cannot change"));
        }
        let holds = |names: &[String]| names.iter().any(|name| name == field);
        for (other, shape) in &self.models {
            for (name, it) in &shape.references {
                let points = other == model && holds(&it.fields);
                if rewrites && (points || it.to == model && holds(&it.to_fields)) {
                    return Err(format!(
                        "`{model}.{field}` is part of the reference `{name}`: drop that first"
                    ));
                }
            }
        }
        Ok(())
    }

    fn add_index<'f>(
        &mut self,
        model: &str,
        name: &str,
        fields: impl Iterator<Item = &'f str>,
    ) -> Result<(), String> {
        let shape = self.model_mut(model)?;
        let mut count = 0;
        for field in fields {
            shape.field(field).ok_or_else(|| no_field(model, field))?;
            count += 1;
        }
        if count == 0 {
            return Err(format!("the index `{name}` has no fields"));
        }
        self.is_free(name)
    }

    fn drop_index(&mut self, model: &str, name: &str, unique: bool) -> Result<(), String> {
        let shape = self.model_mut(model)?;
        let (gone, kind) = match unique {
            true => (shape.uniques.remove(name).is_some(), "unique constraint"),
            false => (shape.indexes.remove(name).is_some(), "index"),
        };
        if gone { Ok(()) } else { Err(format!("`{model}` has no {kind} `{name}`")) }
    }

    fn rename_index(&mut self, model: &str, name: &str, to: &str) -> Result<(), String> {
        self.is_free(to)?;
        let shape = self.model_mut(model)?;
        if let Some(fields) = shape.uniques.remove(name) {
            shape.uniques.insert(to.to_owned(), fields);
        } else if let Some(fields) = shape.indexes.remove(name) {
            shape.indexes.insert(to.to_owned(), fields);
        } else {
            return Err(format!("`{model}` has no index `{name}`"));
        }
        Ok(())
    }

    fn add_reference(
        &mut self,
        model: &str,
        name: &str,
        reference: &ReferenceShape,
    ) -> Result<(), String> {
        let target = self.models.get(&reference.to).ok_or_else(|| no_model(&reference.to))?;
        let shape = self.models.get(model).ok_or_else(|| no_model(model))?;
        if reference.fields.is_empty() || reference.fields.len() != reference.to_fields.len() {
            return Err(format!(
                "the reference `{name}` does not point with as many fields as it points at"
            ));
        }
        for (from, to) in reference.fields.iter().zip(&reference.to_fields) {
            let from_field = shape.field(from).ok_or_else(|| no_field(model, from))?;
            let to_field = target.field(to).ok_or_else(|| no_field(&reference.to, to))?;
            if from_field.kind != to_field.kind {
                return Err(format!(
                    "`{model}.{from}` is of another type than `{}.{to}`, at which it points",
                    reference.to
                ));
            }
        }
        let is_unique = target.key == reference.to_fields
            || target.uniques.values().any(|fields| *fields == reference.to_fields);
        if !is_unique {
            let to = &reference.to;
            return Err(format!(
                "the reference `{name}` points at neither a key nor a unique of `{to}`"
            ));
        }
        let references = &mut self.model_mut(model)?.references;
        if references.insert(name.to_owned(), reference.clone()).is_some() {
            return Err(format!("`{model}` has a reference `{name}` already"));
        }
        Ok(())
    }

    /// Tables and indexes share their names, on SQLite and on PostgreSQL.
    fn is_free(&self, name: &str) -> Result<(), String> {
        let taken = self.models.iter().any(|(model, shape)| {
            model == name || shape.uniques.contains_key(name) || shape.indexes.contains_key(name)
        });
        if taken { Err(format!("the name `{name}` is taken already")) } else { Ok(()) }
    }
}

fn no_model(name: &str) -> String {
    format!("there is no model `{name}` at this point")
}

fn no_field(model: &str, field: &str) -> String {
    format!("`{model}` has no field `{field}` at this point")
}
