//! One condition: read and checked when the rule is entered, evaluated in a decision.

use crate::check::{self, Mistake};
use crate::names::Variable;
use crate::{MAX_CONDITION, MAX_DEPTH};
use cel::common::ast::SourceInfo;
use cel::common::types::CelBool;
use cel::parser::Parser;
use cel::{Context, ExecutionError, IdedExpr, OverloadError, ParseError, Value};

/// A condition that was checked.
#[derive(Debug)]
pub(crate) struct Condition(IdedExpr);

impl Condition {
    /// Reads a condition that may name these variables. An error is a sentence that says where.
    pub(crate) fn compile(text: &str, variables: &[Variable]) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("must not be empty: \"true\" is a condition that always holds".to_owned());
        }
        let length = text.chars().count();
        if length > MAX_CONDITION {
            return Err(format!(
                "has {length} characters, and {MAX_CONDITION} are allowed: make several rules of it"
            ));
        }
        // The parser's own bound is on its recursion; what it lets pass is counted by the check.
        let depth = u16::try_from(MAX_DEPTH).unwrap_or(u16::MAX);
        let parser = Parser::new().max_recursion_depth(depth);
        let (expression, source) = parser
            .parse_with_source_info(text)
            .map_err(|errors| unreadable(&errors.errors))?;
        check::check(&expression, variables).map_err(|mistake| located(&mistake, &source))?;
        Ok(Self(expression))
    }

    /// Whether it holds. What the person does not have makes it not hold, unless it holds or does not
    /// whatever that would be: `user.title == "CEO" || true`. An error is a sentence for the
    /// administrator.
    pub(crate) fn holds(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        match Value::resolve_val(&self.0, context) {
            Ok(value) => value
                .downcast_ref::<CelBool>()
                .map(|truth| *truth.inner())
                .ok_or_else(|| {
                    let kind = value.get_type().name();
                    format!("its condition is a {kind}, and not true or false")
                }),
            Err(ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_)) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn located(mistake: &Mistake, source: &SourceInfo) -> String {
    let message = &mistake.message;
    let Some((first, last)) = source.offset_for(mistake.node) else {
        return message.clone();
    };
    let start = if mistake.behind { last + 1 } else { first };
    let before = source.source.get(..start as usize).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("{}: {message}", place(line, column))
}

fn place(line: usize, column: usize) -> String {
    match line {
        1 => format!("at column {column}"),
        _ => format!("at line {line}, column {column}"),
    }
}

/// The first of what the parser complains of. What its grammar would have taken instead is left out:
/// it is a list of thirty tokens.
fn unreadable(errors: &[ParseError]) -> String {
    let syntax = |error: &&ParseError| error.msg.starts_with(SYNTAX);
    let Some(error) = errors.iter().find(syntax).or(errors.first()) else {
        return "cannot be read".to_owned();
    };
    if errors
        .iter()
        .any(|error| error.msg.contains("Recursion limit"))
    {
        return check::too_deep();
    }
    let said = error.msg.strip_prefix(SYNTAX).unwrap_or(&error.msg);
    let (said, _) = said.split_once(" expecting ").unwrap_or((said, ""));
    let why = match said {
        _ if said.ends_with("input '<EOF>'") => "something is missing behind it".to_owned(),
        _ if said.starts_with("token recognition error at: '= ") => {
            "\"=\" compares nothing: write \"==\"".to_owned()
        }
        _ if said.starts_with("missing ") => {
            let (missing, _) = said.split_once(" at ").unwrap_or((said, ""));
            format!("{} is missing here", missing.replacen("missing ", "", 1))
        }
        _ => {
            let found = said
                .strip_prefix("mismatched input ")
                .or(said.strip_prefix("extraneous input "))
                .or(said.strip_prefix("token recognition error at: "));
            found.map_or(said.to_owned(), |found| {
                format!("{found} cannot stand here")
            })
        }
    };
    let whole = |number: isize| usize::try_from(number).unwrap_or(1).max(1);
    format!("{}: {why}", place(whole(error.pos.0), whole(error.pos.1)))
}

const SYNTAX: &str = "Syntax error: ";

/// A sentence without the values: these are a person's, and alerts are kept.
fn failed(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(error) => misapplied(error),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            let (left, right) = (left.type_of(), right.type_of());
            format!("its condition cannot {operator} {left} and {right}")
        }
        ExecutionError::UnexpectedType { got, want } => {
            let want = if want == "iterable" { "list" } else { want };
            format!("its condition has a {got} where a {want} is wanted")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "its condition divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "its condition comes to a number beyond 64 bits".to_owned(),
        ExecutionError::DuplicateKey(_) => {
            "its condition makes a map with one key twice".to_owned()
        }
        ExecutionError::UnsupportedKeyType(_) => {
            "its condition makes a map with a key that cannot be one".to_owned()
        }
        _ => "its condition cannot be evaluated".to_owned(),
    }
}

fn misapplied(error: &OverloadError) -> String {
    let types = error.argument_types().join(" and ");
    let function = error.function();
    let operator = function.trim_matches(['_', '@']).replace('_', "");
    format!("its condition applies {operator} to {types}, which it does not take")
}
