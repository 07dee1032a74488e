//! Related models in `select`.

use mainstay_core::{Code, Error, Filter, ModelId, RefId, Relation, RowRef, Scope};

use crate::{
    Embed, Join, Link, Query, SelectEmbed, SelectItem, Via,
    gate::Operation,
    read::ReadBuilder,
    relate::{self, Candidate},
    request::Text,
    rewrite::{self, shifted},
};

/// A related model, ready to be a column and to be filtered by.
pub(super) struct Child<'r> {
    /// The alias, or where there is none the name after `select`.
    pub(super) name: &'r str,
    /// Whether rows above without related ones are left out.
    pub(super) inner: bool,
    /// The related rows.
    pub(super) embed: Embed,
    /// What it costs to ask for their existence, in nodes of a condition.
    weight: usize,
}

/// Nodes that the conditions on embeds of one request may come to. Each asks for all
/// that the embedded rows are filtered by, so that nested ones multiply.
const EXISTS_NODES_MAX: usize = 5_000;

impl Child<'_> {
    /// The condition, on the row above, that a related row passes its filter.
    fn exists(&self) -> Filter {
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
    /// The condition, on the row above, that a related row passes its filter.
    ///
    /// # Errors
    /// `LimitExceeded` where such conditions multiply beyond what a request may cost.
    pub(super) fn exists(&mut self, child: &Child<'_>) -> Result<Filter, Error> {
        self.spend(child.weight)?;
        Ok(child.exists())
    }

    /// Counts nodes of conditions that are copied for this request.
    ///
    /// # Errors
    /// `LimitExceeded` where they come to more than a request may cost.
    pub(super) fn spend(&mut self, nodes: usize) -> Result<(), Error> {
        self.exists_nodes = self.exists_nodes.saturating_add(nodes);
        if self.exists_nodes <= EXISTS_NODES_MAX {
            return Ok(());
        }
        Err(Error::new(
            Code::LimitExceeded,
            "the conditions on embedded models multiply beyond what a request may cost",
        )
        .with_hint("ask for fewer embeds to be null, not null or inner"))
    }

    /// The condition that every `!inner` embed of a row has rows.
    pub(super) fn inner(&mut self, children: &[Child<'_>]) -> Result<Filter, Error> {
        let mut filter = Filter::ALWAYS;
        for child in children.iter().filter(|child| child.inner) {
            filter = filter.and(self.exists(child)?);
        }
        Ok(filter)
    }

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
        let (target, hint) = (&item.target, item.hint.as_deref());
        let found = relate::find(self.catalog, model, target, hint, self.gate.actor())?;
        if item.spread && !matches!(found, Candidate::One(_) | Candidate::OneBack(_)) {
            return Err(not_to_one(&self.catalog.model(model).name, &item.target));
        }
        let link = self.link(found)?;
        // An alias hides the name it stands for, so that two embeds can trade names.
        let name: &'r str = item.alias.as_deref().unwrap_or(&item.target);
        self.path.push(name);
        let query = self.query(found.target(self.catalog), &item.select);
        self.path.pop();
        let mut query: Query = query?;
        if matches!(link, Link::One(_) | Link::OneBack(_)) {
            (query.limit, query.offset) = (None, None);
        }
        let mut weight = 2 + rewrite::nodes(&query.filter);
        if let Link::Through(via) = &link {
            weight += 2 + rewrite::nodes(&via.filter);
        }
        let inner = item.join == Join::Inner;
        Ok(Child { name, inner, embed: Embed { link, query }, weight })
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
