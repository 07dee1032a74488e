//! Related models in `select`.

use mainstay_core::{Code, Error, Filter, ModelId, RefId, Relation, RowRef, Scope};

use crate::{
    Embed, Join, Link, Query, SelectEmbed, SelectItem, Via,
    gate::Operation,
    read::ReadBuilder,
    relate::{self, Candidate},
    request::Text,
    rewrite::shifted,
};

/// A related model, ready to be a column and to be filtered by.
pub(super) struct Child<'r> {
    /// The name after `select`, and the alias where there is one.
    pub(super) names: (&'r str, &'r str),
    /// Whether rows above without related ones are left out.
    pub(super) inner: bool,
    /// The related rows.
    pub(super) embed: Embed,
}

impl Child<'_> {
    /// Whether the caller means this embed by a name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.names.0 == name || self.names.1 == name
    }

    /// The condition, on the row above, that a related row passes its filter.
    pub(super) fn exists(&self) -> Filter {
        // A row that is embedded is one whose filter is true; that another's is unknown
        // does not make it doubtful whether there are any.
        let verdict = |filter: Filter| match filter {
            Filter::Const(_) => filter,
            filter => Filter::IsTrue(Box::new(filter)),
        };
        let filter = verdict(self.embed.query.filter.clone());
        let related = |scope: u8, relation: Relation, filter: Filter| Filter::Exists {
            from: RowRef::at(Scope::Row(scope)),
            relation,
            filter: Box::new(filter),
        };
        match &self.embed.link {
            Link::Through(via) => {
                let far = related(1, Relation::ToOne(via.far), shifted(filter, 2));
                related(
                    0,
                    Relation::ToMany(via.near),
                    verdict(shifted(via.filter.clone(), 1)).and(far),
                )
            }
            link => related(0, link.first(), shifted(filter, 1)),
        }
    }
}

impl<'r, 'a> ReadBuilder<'_, 'r, 'a, '_> {
    /// The related models of one `select`, in its order.
    pub(super) fn children(
        &mut self,
        model: ModelId,
        select: &'r [SelectItem<'a>],
    ) -> Result<Vec<Child<'r>>, Error> {
        let mut children = Vec::new();
        for item in select {
            if let SelectItem::Embed(embed) = item {
                children.push(self.child(model, embed)?);
            }
        }
        Ok(children)
    }

    fn child(&mut self, model: ModelId, item: &'r SelectEmbed<'a>) -> Result<Child<'r>, Error> {
        self.embeds += 1;
        if self.path.len() >= self.limits.embed_depth_max {
            return Err(over("embed_depth_max", self.limits.embed_depth_max));
        }
        if self.embeds > self.limits.embeds_max {
            return Err(over("embeds_max", self.limits.embeds_max));
        }
        let found = relate::find(self.catalog, model, &item.target, item.hint.as_deref())?;
        if item.spread && !matches!(found, Candidate::One(_) | Candidate::OneBack(_)) {
            return Err(not_to_one(&self.catalog.model(model).name, &item.target));
        }
        let link = self.link(found)?;
        let alias: &'r str = item.alias.as_deref().unwrap_or(&item.target);
        self.path.push((&item.target, alias));
        let query = self.query(found.target(self.catalog), &item.select);
        self.path.pop();
        let mut query: Query = query?;
        if matches!(link, Link::One(_) | Link::OneBack(_)) {
            query.limit = None;
        }
        Ok(Child {
            names: (&item.target, alias),
            inner: item.join == Join::Inner,
            embed: Embed { link, query },
        })
    }

    /// The link of a relation. Following it tells what its ref fields hold, so their
    /// rules must admit every row; and a junction is a model that is crossed.
    fn link(&mut self, found: Candidate) -> Result<Link, Error> {
        Ok(match found {
            Candidate::One(id) => {
                self.open_reference(id)?;
                Link::One(id)
            }
            Candidate::OneBack(id) => {
                self.open_reference(id)?;
                Link::OneBack(id)
            }
            Candidate::Many(id) => {
                self.open_reference(id)?;
                Link::Many(id)
            }
            Candidate::Through(near, far) => {
                self.open_reference(near)?;
                self.open_reference(far)?;
                let junction = self.catalog.reference(near).from;
                let name = &*self.catalog.model(junction).name;
                let filter = if mainstay_core::removal::removed("junction-rules") {
                    Filter::ALWAYS
                } else {
                    self.gate.required(junction, name, Operation::Read)?
                };
                Link::Through(Via { junction, near, far, filter })
            }
        })
    }

    fn open_reference(&mut self, id: RefId) -> Result<(), Error> {
        let reference = self.catalog.reference(id);
        for field in &reference.from_fields {
            if mainstay_core::removal::removed("field-rule-in-embeds") {
                continue;
            }
            self.open_field(reference.from, *field)?;
        }
        Ok(())
    }
}

/// The refusal of clauses for a model that is not embedded.
pub(super) fn not_selected(path: &[Text<'_>]) -> Error {
    let path = path.join(".");
    Error::new(
        Code::EmbedNotSelected,
        format!("\"{path}\" is not an embedded model of this request"),
    )
    .with_hint(format!("verify that \"{path}\" is included in the 'select' query parameter"))
}

/// The refusal of a spread or order through a relation with many rows.
pub(super) fn not_to_one(model: &str, target: &str) -> Error {
    Error::new(
        Code::NotToOne,
        format!("a to-one relation from \"{model}\" to \"{target}\" is needed"),
    )
    .with_details(format!(
        "\"{model}\" and \"{target}\" have no many-to-one or one-to-one relation"
    ))
}

fn over(limit: &str, max: usize) -> Error {
    Error::new(
        Code::LimitExceeded,
        format!("the request has more embeds than {limit} allows ({max})"),
    )
}
