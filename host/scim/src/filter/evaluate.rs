use super::{
    compare::Operator,
    expression::{Comparison, Expression},
};
use serde_json::Value;

impl Expression {
    /// Whether a resource, or within a value filter an element, matches.
    pub(crate) fn matches(&self, root: &Value) -> bool {
        match self {
            Self::And(terms) => terms.iter().all(|term| term.matches(root)),
            Self::Or(terms) => terms.iter().any(|term| term.matches(root)),
            Self::Not(inner) => !inner.matches(root),
            Self::Present(path) => path.values(root).next().is_some(),
            Self::Compare(comparison) => comparison.matches(root),
            Self::Element { path, inner } => path
                .elements(root)
                .iter()
                .any(|element| inner.matches(element)),
        }
    }

    /// Collects the equalities that must hold wherever the expression does.
    pub(crate) fn equalities<'a>(&'a self, found: &mut Vec<&'a Comparison>) {
        match self {
            Self::And(terms) => {
                for term in terms {
                    term.equalities(found);
                }
            }
            Self::Compare(comparison) if comparison.is_equality() => found.push(comparison),
            Self::Element { inner, .. } => inner.equalities(found),
            Self::Or(_) | Self::Not(_) | Self::Present(_) | Self::Compare(_) => {}
        }
    }

    /// Collects the values of the elements of `attribute` that decide whether the expression holds:
    /// false where they are not all named. `value` is the full name of what tells them apart.
    pub(crate) fn elements_asked<'a>(
        &'a self,
        attribute: &str,
        value: &str,
        found: &mut Vec<&'a str>,
    ) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms
                .iter()
                .all(|term| term.elements_asked(attribute, value, found)),
            Self::Not(inner) => inner.elements_asked(attribute, value, found),
            Self::Present(path) => path.attribute.name != attribute,
            Self::Compare(one) if one.path().attribute.name != attribute => true,
            Self::Compare(one) => one.names(value, found),
            Self::Element { path, .. } if path.attribute.name != attribute => true,
            // An element that fulfils all of it is one that is named.
            Self::Element { inner, .. } => {
                let mut equalities = Vec::new();
                inner.equalities(&mut equalities);
                equalities.iter().any(|one| one.names(value, found))
            }
        }
    }
}

impl Comparison {
    /// Notes which element it is about, where it is equal to one.
    fn names<'a>(&'a self, value: &str, found: &mut Vec<&'a str>) -> bool {
        let named = self.is_equality() && self.full_name() == value;
        let Some(named) = self.value().as_str().filter(|_| named) else {
            return false;
        };
        found.push(named);
        true
    }

    fn matches(&self, root: &Value) -> bool {
        let operator = self.operator();
        let mut values = self.path().values(root).peekable();
        if values.peek().is_none() {
            // Nothing is equal to null and to nothing else.
            return match operator {
                Operator::Eq => self.value().is_null(),
                Operator::Ne => !self.value().is_null(),
                _ => false,
            };
        }
        values.any(|value| self.operand().accepts(operator, value))
    }
}
