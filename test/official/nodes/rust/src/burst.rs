// "burst" sends numbered messages of SIZE bytes on "numbers"; "count" takes them and says what is missing or out of order.
use crate::say::{join, number, say_event};
use dora_node_api::Event;
use std::time::{Duration, Instant};

/// COUNT messages, INTERVAL_MS apart, from FIRST on; then it leaves with the code EXIT.
pub fn run() -> eyre::Result<()> {
    let (mut node, _events) = join()?;
    let interval = Duration::from_millis(number("INTERVAL_MS", 0));
    let first: i64 = number("FIRST", 0);
    let mut values = vec![0i64; number::<usize>("SIZE", 8).div_ceil(8)];
    for i in first..first + number::<i64>("COUNT", 100) {
        values[0] = i;
        node.send_output(
            "numbers".to_owned().into(),
            Default::default(),
            values.clone(),
        )?;
        if !interval.is_zero() {
            std::thread::sleep(interval);
        }
    }
    let code = number("EXIT", 0);
    if code != 0 && node.restart_count() == 0 {
        eprintln!("told to fail with {code}");
        std::process::exit(code);
    }
    Ok(())
}

/// Takes the messages of its inputs, DELAY_MS for each.
pub fn count() -> eyre::Result<()> {
    let (_node, mut events) = join()?;
    let delay = Duration::from_millis(number("DELAY_MS", 0));
    let (mut received, mut disordered, mut bytes) = (0u64, 0u64, 0u64);
    let (mut first, mut last) = (None, i64::MIN);
    let mut start = Instant::now();
    let mut seconds = 0.0;
    while let Some(event) = events.recv() {
        let Event::Input { data, .. } = event else {
            say_event(&event);
            continue;
        };
        if first.is_none() {
            start = Instant::now();
        }
        let values: Vec<i64> = dora_node_api::into_vec(&data)?;
        received += 1;
        bytes += values.len() as u64 * 8;
        disordered += u64::from(values[0] <= last);
        last = values[0];
        first.get_or_insert(last);
        seconds = start.elapsed().as_secs_f64();
        std::thread::sleep(delay);
    }
    let first = first.unwrap_or(-1);
    println!(
        "{{\"received\":{received},\"disordered\":{disordered},\"bytes\":{bytes},\"first\":{first},\"last\":{last},\"seconds\":{seconds}}}"
    );
    Ok(())
}
