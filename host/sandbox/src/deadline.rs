//! How long a call may run. What counts is the processor's time that its thread has had: on a busy
//! machine a decent call may wait for its turn as long as it must, and a call that never ends has
//! had its time all the same. Nothing that a guest can call waits, so it cannot stand still either.

use rustix::time::{ClockId, clock_gettime};
use std::{thread, time::Duration};
use wasmtime::{Store, UpdateDeadline};

/// Gives what the store runs next this much time from now on, on this thread.
///
/// The epoch only says when to look, at each of its ticks. There the call also lets others on this
/// processor go first: a push that has just become runnable would else wait until the kernel takes
/// the processor away from a policy that loops, which are some milliseconds.
pub(crate) fn arm<T: 'static>(store: &mut Store<T>, time: Duration) {
    let end = used() + time;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if used() >= end {
            return Ok(UpdateDeadline::Interrupt);
        }
        thread::yield_now();
        Ok(UpdateDeadline::Continue(1))
    });
}

/// The processor's time that this thread has had.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::used;
    use std::{hint, thread, time::Duration};

    #[test]
    fn waiting_is_not_counted_and_working_is() {
        let began = used();
        thread::sleep(Duration::from_millis(50));
        assert!(used() - began < Duration::from_millis(25));
        while used() - began < Duration::from_millis(25) {
            hint::spin_loop();
        }
    }
}
