//! `work MIB MILLISECONDS NAP`: has a child that keeps a processor busy for so long, then takes so much memory and gives
//! it back, and sleeps for NAP milliseconds. What it needs is known, so that a measurement can be judged.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    match numbers[..] {
        [busy] => burn(busy),
        [mib, busy, nap] => {
            if let Ok(program) = std::env::current_exe() {
                let _ = Command::new(program).arg(busy.to_string()).status();
            }
            // Touched a page at a time: memory counts when it is written to.
            let mut memory = vec![0_u8; (mib << 20) as usize];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            drop(std::hint::black_box(memory));
            sleep(Duration::from_millis(nap));
        }
        _ => {}
    }
}

/// Until this process has been on a processor for so long, by the kernel's own count: however busy the machine is.
fn burn(milliseconds: u64) {
    while on_processor() < milliseconds * 1_000_000 {
        std::hint::black_box((0..100_000_u64).sum::<u64>());
    }
}

/// Nanoseconds. proc_pid_schedstat(5): the first number.
fn on_processor() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}
