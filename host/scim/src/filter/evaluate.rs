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
}

impl Comparison {
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
