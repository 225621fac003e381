use crate::{
    Error, Shape,
    filter::instant,
    path::{AttributePath, Named, resolve},
    schema::Kind,
};
use serde_json::Value;
use std::{cmp::Ordering, fmt};

/// An order of resources (RFC 7644 section 3.4.2.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    path: AttributePath,
    descending: bool,
}

impl Sort {
    /// The order that `sortBy` and `sortOrder` ask for. A multi-valued attribute counts by its
    /// primary value, else by its first; a complex one by its `value`.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` for an attribute that the resource does not have or that has no order,
    /// and for an order that is neither `ascending` nor `descending` (in any case).
    pub fn parse(by: &str, order: Option<&str>, shape: impl Into<Shape>) -> Result<Self, Error> {
        let shape = shape.into();
        let Some(Named::Attribute(mut path)) = resolve(by, shape) else {
            return Err(Error::invalid_value(format!(
                "`sortBy` names `{by}`, which a {} does not have",
                shape.resource().name()
            )));
        };
        if path.leaf().kind == Kind::Complex {
            path.sub = path.attribute.sub_attribute("value");
            if path.sub.is_none() {
                return Err(Error::invalid_value(format!(
                    "`sortBy` names `{path}`, which has no order; name a sub-attribute of it"
                )));
            }
        }
        if path.is_secret() {
            return Err(Error::invalid_value(format!(
                "`sortBy` names `{path}`, which is never returned"
            )));
        }
        let descending = match order {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => {
                return Err(Error::invalid_value(
                    "`sortOrder` must be `ascending` or `descending`",
                ));
            }
        };
        Ok(Self { path, descending })
    }

    /// Compares two full representations, as [`Sort::compare_keys`] does.
    #[must_use]
    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        self.compare_keys(self.key(a), self.key(b))
    }

    /// Compares what [`Sort::key`] found in two resources. Those without a value come last when
    /// ascending and first when descending.
    #[must_use]
    pub fn compare_keys(&self, a: Option<&Value>, b: Option<&Value>) -> Ordering {
        let order = match (a, b) {
            (Some(a), Some(b)) => self.compare_values(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }

    /// What a full representation is ordered by; none where it has no value.
    #[must_use]
    pub fn key<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        let elements = self.path.elements(root);
        let element = elements
            .iter()
            .find(|element| element.get("primary") == Some(&Value::Bool(true)))
            .or_else(|| elements.first())?;
        match self.path.sub {
            Some(sub) => element.get(sub.name),
            None => Some(element),
        }
    }

    fn compare_values(&self, a: &Value, b: &Value) -> Ordering {
        let leaf = self.path.leaf();
        match (a, b) {
            (Value::String(a), Value::String(b)) if leaf.kind == Kind::DateTime => {
                instant(a).cmp(&instant(b))
            }
            (Value::String(a), Value::String(b)) if leaf.case_exact => a.cmp(b),
            (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a
                .as_f64()
                .partial_cmp(&b.as_f64())
                .unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        }
    }
}

/// The canonical name of the attribute and the direction: equal where the orders are.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending {
            "descending"
        } else {
            "ascending"
        };
        write!(f, "{} {direction}", self.path)
    }
}
