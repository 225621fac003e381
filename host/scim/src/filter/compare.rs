use crate::schema::{Attribute, Kind};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;
use std::cmp::Ordering;

/// The operators that take a value (RFC 7644 table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A value as it stands in a filter.
pub(crate) enum Literal {
    /// In quotes, unescaped.
    Quoted(String),
    /// A number, `true`, `false`, `null`, or text whose quotes were forgotten.
    Bare(String),
}

impl Literal {
    /// Whether it is written as the grammar has it (RFC 7644 figure 1), for an attribute of that
    /// type.
    pub(crate) fn is_grammatical(&self, attribute: &Attribute) -> bool {
        let is_text = matches!(
            attribute.kind,
            Kind::String | Kind::Reference | Kind::DateTime | Kind::Binary
        );
        match self {
            Self::Quoted(_) => is_text,
            Self::Bare(text) => {
                // `True`, `01` and `+1` are no JSON.
                let is_json = serde_json::from_str::<Value>(text).is_ok();
                text == "null" || (is_json && !is_text)
            }
        }
    }
}

/// A value that others are compared with, made ready once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operand {
    value: Value,
    /// The text in lower case, where the attribute does not tell cases apart.
    folded: Option<String>,
    instant: Option<Timestamp>,
}

impl Operator {
    pub(crate) const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    const fn is_equality(self) -> bool {
        matches!(self, Self::Eq | Self::Ne)
    }

    const fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    /// Which operators a type has: RFC 7644 table 3 refuses order for booleans and bytes.
    const fn fits(self, kind: Kind) -> bool {
        match kind {
            Kind::String | Kind::Reference | Kind::DateTime => true,
            Kind::Binary => self.is_equality() || self.is_substring(),
            Kind::Integer | Kind::Decimal => !self.is_substring(),
            Kind::Boolean => self.is_equality(),
            Kind::Complex => false,
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Co | Self::Sw | Self::Ew => false,
        }
    }
}

impl Operand {
    /// The operand that a literal is for an attribute, or what is wrong with it.
    pub(crate) fn new(
        attribute: &Attribute,
        operator: Operator,
        literal: Literal,
    ) -> Result<Self, String> {
        if !operator.fits(attribute.kind) {
            return Err(format!(
                "`{}` does not apply to `{}`, which is of type {}",
                operator.as_str(),
                attribute.name,
                attribute.kind.as_str()
            ));
        }
        let value = typed(attribute.kind, operator, literal).ok_or_else(|| {
            format!(
                "the value for `{}` must be of type {}",
                attribute.name,
                attribute.kind.as_str()
            )
        })?;
        if value.is_null() && !operator.is_equality() {
            return Err(format!("`null` does not go with `{}`", operator.as_str()));
        }
        let text = value.as_str();
        Ok(Self {
            folded: text
                .filter(|_| !attribute.case_exact)
                .map(str::to_lowercase),
            instant: text
                .filter(|_| attribute.kind == Kind::DateTime && !operator.is_substring())
                .and_then(instant),
            value,
        })
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Whether a present value of the attribute stands in the operator's relation to this one.
    pub(crate) fn accepts(&self, operator: Operator, value: &Value) -> bool {
        match (value, &self.value) {
            (_, Value::Null) => operator == Operator::Ne,
            (Value::String(text), Value::String(operand)) => {
                self.accepts_text(operator, text, operand)
            }
            (Value::Bool(a), Value::Bool(b)) => operator.accepts(a.cmp(b)),
            (Value::Number(a), Value::Number(b)) => {
                let order = match (a.as_i64(), b.as_i64()) {
                    (Some(a), Some(b)) => Some(a.cmp(&b)),
                    _ => a.as_f64().partial_cmp(&b.as_f64()),
                };
                order.is_some_and(|order| operator.accepts(order))
            }
            _ => operator == Operator::Ne,
        }
    }

    fn accepts_text(&self, operator: Operator, text: &str, operand: &str) -> bool {
        if let Some(wanted) = self.instant {
            // What is no moment is neither before nor after one.
            return instant(text).map_or(operator == Operator::Ne, |found| {
                operator.accepts(found.cmp(&wanted))
            });
        }
        match &self.folded {
            Some(folded) => relate(operator, &text.to_lowercase(), folded),
            None => relate(operator, text, operand),
        }
    }
}

/// Whether two values of an attribute are equal as the schema compares them.
pub(crate) fn same(attribute: &Attribute, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) if !attribute.case_exact => {
            a.to_lowercase() == b.to_lowercase()
        }
        _ => a == b,
    }
}

fn relate(operator: Operator, text: &str, operand: &str) -> bool {
    match operator {
        Operator::Co => text.contains(operand),
        Operator::Sw => text.starts_with(operand),
        Operator::Ew => text.ends_with(operand),
        _ => operator.accepts(text.cmp(operand)),
    }
}

fn typed(kind: Kind, operator: Operator, literal: Literal) -> Option<Value> {
    let text = match literal {
        Literal::Bare(text) if text.eq_ignore_ascii_case("null") => return Some(Value::Null),
        Literal::Bare(text) | Literal::Quoted(text) => text,
    };
    match kind {
        Kind::String | Kind::Reference | Kind::Binary => Some(text.into()),
        Kind::DateTime => {
            (operator.is_substring() || instant(&text).is_some()).then(|| text.into())
        }
        Kind::Boolean => boolean(&text).map(Value::Bool),
        Kind::Integer => text.parse::<i64>().ok().map(Value::from),
        Kind::Decimal => serde_json::from_str(&text).ok().map(Value::Number),
        Kind::Complex => None,
    }
}

/// A boolean as providers write it: Entra's default dialect has `"True"` and `"False"`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The moment that a dateTime names; without an offset (XML Schema allows that), in UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}
