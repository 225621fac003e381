use super::compare::{Literal, Operand, Operator};
use crate::path::AttributePath;
use serde_json::Value;
use std::fmt;

/// The tree of a filter. `and` and `or` hold all their terms side by side, so that a long filter
/// is not a deep one; neither holds its own kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Present(AttributePath),
    Compare(Box<Comparison>),
    /// One element of the attribute fulfils the whole inner filter.
    Element {
        path: AttributePath,
        inner: Box<Expression>,
    },
}

/// An attribute, an operator and a value of the attribute's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    path: AttributePath,
    full_name: String,
    operator: Operator,
    operand: Operand,
}

impl Expression {
    /// All of the terms.
    pub(crate) fn and(terms: Vec<Self>) -> Self {
        Self::join(terms, Self::And, |term| match term {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// Any of the terms.
    pub(crate) fn or(terms: Vec<Self>) -> Self {
        Self::join(terms, Self::Or, |term| match term {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn join(
        terms: Vec<Self>,
        make: fn(Vec<Self>) -> Self,
        open: fn(Self) -> Result<Vec<Self>, Self>,
    ) -> Self {
        let mut flat = Vec::with_capacity(terms.len());
        for term in terms {
            match open(term) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            make(flat)
        }
    }
}

impl Comparison {
    /// A comparison, or what is wrong with it. `full_name` is the path from the resource, also
    /// where `path` is relative to an element.
    pub(crate) fn new(
        path: AttributePath,
        full_name: String,
        operator: Operator,
        literal: Literal,
    ) -> Result<Self, String> {
        Ok(Self {
            operand: Operand::new(path.leaf(), operator, literal)?,
            path,
            full_name,
            operator,
        })
    }

    pub(crate) fn path(&self) -> &AttributePath {
        &self.path
    }

    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }

    pub(crate) fn operator(&self) -> Operator {
        self.operator
    }

    pub(crate) fn operand(&self) -> &Operand {
        &self.operand
    }

    pub(crate) fn value(&self) -> &Value {
        self.operand.value()
    }

    /// Whether it is `eq` with a value, not with `null`.
    pub(crate) fn is_equality(&self) -> bool {
        self.operator == Operator::Eq && !self.value().is_null()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => {
                separated(f, terms, " and ", |term| matches!(term, Expression::Or(_)))
            }
            Self::Or(terms) => separated(f, terms, " or ", |_| false),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(comparison) => write!(
                f,
                "{} {} {}",
                comparison.path,
                comparison.operator.as_str(),
                comparison.value()
            ),
            Self::Element { path, inner } => write!(f, "{path}[{inner}]"),
        }
    }
}

fn separated(
    f: &mut fmt::Formatter<'_>,
    terms: &[Expression],
    separator: &str,
    in_parentheses: fn(&Expression) -> bool,
) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        if in_parentheses(term) {
            write!(f, "({term})")?;
        } else {
            write!(f, "{term}")?;
        }
    }
    Ok(())
}
