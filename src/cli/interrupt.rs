//! Ended by a signal: no temporary stays behind.

use careen::bytes::publish;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Wait, beside all work, for a signal that ends the process, and clear up before it does.
pub(super) fn watch() {
    // Without it, only a temporary stays behind.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let waiting = std::thread::Builder::new().name("interrupt".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            publish::abandon();
            let _ = emulate_default_handler(signal);
        }
    });
    drop(waiting);
}
