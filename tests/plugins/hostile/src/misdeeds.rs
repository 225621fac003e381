//! The misdeeds that need nothing but the processor.

use crate::Behaviour;
use gatewright_sdk::Refusal;
use std::{hint::black_box, thread, time::Duration};

/// Does what `behaviour` says. What is a matter of the answer alone is not done here.
pub(crate) fn commit(behaviour: Behaviour) -> Result<(), Refusal> {
    match behaviour {
        Behaviour::Loop => spin(),
        Behaviour::Allocate => hoard(),
        Behaviour::Recurse => {
            black_box(recurse(1));
        }
        Behaviour::Trap => panic!("a bug in the policy"),
        Behaviour::Print => print(),
        Behaviour::Flood => flood(),
        Behaviour::Sleep => thread::sleep(Duration::from_secs(5)),
        Behaviour::Refuse => return Err(Refusal::new("I would rather not")),
        Behaviour::BadIndex
        | Behaviour::BigOutput
        | Behaviour::Garbage
        | Behaviour::TellCustom
        | Behaviour::Ungranted
        | Behaviour::WrongCount => {}
    }
    Ok(())
}

fn spin() -> ! {
    loop {
        black_box(0);
    }
}

fn hoard() -> ! {
    loop {
        // Written to, so that the pages are really taken.
        black_box(Box::leak(vec![1_u8; 1 << 20].into_boxed_slice()));
    }
}

/// Has something left to do after each call, so that the compiler cannot make a loop of it.
#[expect(
    unconditional_recursion,
    reason = "the stack's limit is what is to be tested"
)]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1))) + depth
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what becomes of it is to be tested"
)]
fn print() {
    println!("a line on standard output");
    eprintln!("a line on standard error");
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what becomes of it is to be tested"
)]
fn flood() {
    let line = "x".repeat(63 << 10);
    for _ in 0..66 {
        println!("{line}");
        eprintln!("{line}");
    }
}
