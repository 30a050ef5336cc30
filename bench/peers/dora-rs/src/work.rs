// What is to be done, from the environment, and what was measured, as JSON.
use eyre::Context;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The output and input that carry what is measured.
pub const DATA: &str = "data";
/// Messages before those that count.
pub const WARM_UP: usize = 20;

pub struct Work {
    pub size: usize,
    pub count: usize,
    pub pace: Duration,
}

impl Work {
    pub fn read() -> eyre::Result<Self> {
        Ok(Self {
            size: number("SIZE")? as usize,
            count: number("COUNT")? as usize,
            pace: Duration::from_nanos(number("PACE_NS")?),
        })
    }
}

fn number(name: &str) -> eyre::Result<u64> {
    let text = std::env::var(name).wrap_err_with(|| format!("{name} is not set"))?;
    text.parse()
        .wrap_err_with(|| format!("{name} is not a number: {text}"))
}

pub fn now_ns() -> i64 {
    since_epoch_ns(SystemTime::now())
}

pub fn since_epoch_ns(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i64)
}

/// Sleeps, and spins for the last part: a late sender is not what is measured.
pub fn wait_until(at_ns: i64) {
    const SPIN_NS: i64 = 700_000;
    let left = at_ns - SPIN_NS - now_ns();
    if left > 0 {
        std::thread::sleep(Duration::from_nanos(left as u64));
    }
    while now_ns() < at_ns {
        std::hint::spin_loop();
    }
}

/// A list of times as JSON.
pub fn list(times: &[i64]) -> String {
    let texts: Vec<String> = times.iter().map(i64::to_string).collect();
    format!("[{}]", texts.join(","))
}
