//! Filters (RFC 7644 section 3.4.2.2).

mod compare;
mod evaluate;
mod expression;
mod parser;
mod sort;
#[cfg(test)]
mod tests;

pub(crate) use compare::{Literal, Operator, boolean, instant, same};
pub(crate) use expression::{Comparison, Expression};
pub(crate) use parser::{Parser, Scope};
pub use sort::Sort;

use crate::{Error, Limits, Shape};
use serde_json::Value;
use std::fmt;

/// A filter that was read and whose every attribute exists. Printing gives text that reads back to
/// the same filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    expression: Expression,
}

impl Filter {
    /// Reads a filter.
    ///
    /// Beyond the RFC's grammar it takes what providers send: operators and names in any case,
    /// values without quotes (`externalId eq jyoung`), a sub-attribute after a value filter
    /// (`emails[type eq "work"].value eq "x"`, which means `emails[type eq "work" and value eq "x"]`),
    /// a complex attribute for its `value` (`emails eq "x"`), an extension's attribute without its
    /// URN (`manager`), and booleans as strings. In strict mode, of these only operators and names
    /// in any case, and a complex attribute for its `value`.
    ///
    /// # Errors
    ///
    /// 400 `invalidFilter` with the position (the first character is 1) and what was expected
    /// there, for text that is no filter, an attribute that the resource does not have, a value
    /// that is not of the attribute's type, an operator that the type does not have, and more
    /// than [`Limits::filter_depth`] nested parentheses, `not` and brackets or
    /// [`Limits::filter_terms`] comparisons. An unknown attribute is never an empty result: the
    /// provider would create a second user.
    pub fn parse(text: &str, shape: impl Into<Shape>, limits: &Limits) -> Result<Self, Error> {
        let shape = shape.into();
        let mut parser = Parser::new(text, shape, limits);
        let expression = parser.expression(Scope::Resource(shape))?;
        parser.end()?;
        Ok(Self { expression })
    }

    /// Whether a resource matches, given its full representation as it would be answered.
    ///
    /// An attribute with several values matches if one of them does. One without a value matches
    /// only `ne` (its value is not the one given) and `eq null`.
    #[must_use]
    pub fn matches(&self, resource: &Value) -> bool {
        self.expression.matches(resource)
    }

    /// The value of a filter that is `attribute eq value` and nothing else; none for any other
    /// filter. The attribute is given by its canonical path.
    #[must_use]
    pub fn only_equality(&self, attribute: &str) -> Option<&Value> {
        match &self.expression {
            Expression::Compare(one) if one.is_equality() && one.full_name() == attribute => {
                Some(one.value())
            }
            _ => None,
        }
    }

    /// The `attribute eq value` terms that every match must fulfil, so that an index may be used;
    /// the whole filter still has to be checked. Paths are canonical: `userName`, `id`,
    /// `emails.value`, `members.value`, or an extension's with its URN. Values are as the client
    /// wrote them: where the schema does not tell cases apart, the index must not either.
    #[must_use]
    pub fn equalities(&self) -> Vec<(&str, &Value)> {
        let mut found = Vec::new();
        self.expression.equalities(&mut found);
        found
            .into_iter()
            .map(|comparison| (comparison.full_name(), comparison.value()))
            .collect()
    }

    /// The values of those elements of an attribute that alone decide whether the filter holds, so
    /// that the others need not be there when it is asked; none where any element may decide. Thus
    /// `members.value eq "a"` can be asked of a group of 100,000 with a read of one.
    #[must_use]
    pub fn elements_asked(&self, attribute: &str) -> Option<Vec<&str>> {
        let mut found = Vec::new();
        let value = format!("{attribute}.value");
        let all = self
            .expression
            .elements_asked(attribute, &value, &mut found);
        all.then_some(found)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}
