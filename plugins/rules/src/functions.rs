//! The functions that a condition may call. Operators and the macros `has`, `all`, `exists`,
//! `exists_one`, `filter` and `map` are part of the language; there is nothing else.
//!
//! The standard library of CEL has conversions and much besides that no rule needs. What is not
//! there can neither fail nor cost.

use cel::common::types::{CelBool, CelString, LIST_TYPE, STRING_TYPE, Type};
use cel::common::value::CowVal;
use cel::{Env, ExecutionError};

type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;
type Body = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v>;

/// A function that is called on a value: `text.startsWith("x")`.
struct Function {
    name: &'static str,
    on: Type,
    /// How many texts it takes beside the value.
    arguments: usize,
    body: Body,
}

/// `size` may also be called with its value as the argument.
const SIZE: &str = "size";

static FUNCTIONS: [Function; 6] = [
    on(LIST_TYPE, SIZE, 0, |arguments| size(&arguments)),
    on(STRING_TYPE, SIZE, 0, |arguments| size(&arguments)),
    on(STRING_TYPE, "startsWith", 1, |arguments| {
        compare(&arguments, |text, start| text.starts_with(start))
    }),
    on(STRING_TYPE, "endsWith", 1, |arguments| {
        compare(&arguments, |text, end| text.ends_with(end))
    }),
    on(STRING_TYPE, "contains", 1, |arguments| {
        compare(&arguments, |text, part| text.contains(part))
    }),
    on(STRING_TYPE, "lowerAscii", 0, |arguments| lower(&arguments)),
];

const fn on(on: Type, name: &'static str, arguments: usize, body: Body) -> Function {
    Function {
        name,
        on,
        arguments,
        body,
    }
}

/// What conditions are evaluated in.
pub(crate) fn environment() -> Env {
    let mut env = Env::default();
    for function in &FUNCTIONS {
        let Function { name, on, body, .. } = function;
        let id = format!("{name}_{}", on.name());
        let arguments = (0..function.arguments).map(|_| STRING_TYPE).collect();
        let mut added = env.add_member_overload(name, &id, on.to_owned(), arguments, *body);
        if *name == SIZE {
            let global = format!("{id}_global");
            added = added.and(env.add_overload(SIZE, &global, vec![on.to_owned()], *body));
        }
        debug_assert_eq!(added, Ok(()), "names and signatures differ");
    }
    env
}

/// Whether a call of this form is one of a function that there is.
pub(crate) fn is_known(name: &str, on_a_value: bool, arguments: usize) -> bool {
    match on_a_value {
        true => FUNCTIONS
            .iter()
            .any(|known| known.name == name && known.arguments == arguments),
        false => name == SIZE && arguments == 1,
    }
}

/// For who called another.
pub(crate) const THERE_ARE: &str = "has(user.x), list.all(x, ...), list.exists(x, ...), \
     list.exists_one(x, ...), list.filter(x, ...), list.map(x, ...), size(x), text.startsWith(x), \
     text.endsWith(x), text.contains(x) and text.lowerAscii()";

fn size<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Answer<'b, 'v> {
    let value = first(arguments)?;
    let sizer = value.as_sizer().ok_or_else(no_argument)?;
    Ok(CowVal::owned(sizer.size()))
}

fn lower<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Answer<'b, 'v> {
    let text = text(arguments, 0)?.to_ascii_lowercase();
    Ok(CowVal::owned(CelString::from(text)))
}

fn compare<'b, 'v>(arguments: &[CowVal<'b, 'v>], holds: fn(&str, &str) -> bool) -> Answer<'b, 'v> {
    let holds = holds(text(arguments, 0)?, text(arguments, 1)?);
    Ok(CowVal::owned(CelBool::from(holds)))
}

fn first<'c, 'b, 'v>(
    arguments: &'c [CowVal<'b, 'v>],
) -> Result<&'c CowVal<'b, 'v>, ExecutionError> {
    arguments.first().ok_or_else(no_argument)
}

fn text<'c>(arguments: &'c [CowVal<'_, '_>], place: usize) -> Result<&'c str, ExecutionError> {
    let text = arguments
        .get(place)
        .map(|value| value.downcast_ref::<CelString<'_>>());
    let text = text.flatten().ok_or_else(no_argument)?;
    Ok(text.inner())
}

/// The interpreter calls a function only with what its overload takes.
fn no_argument() -> ExecutionError {
    ExecutionError::MissingArgumentOrTarget
}
