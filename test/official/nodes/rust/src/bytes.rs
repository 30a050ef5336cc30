// "bytes" sends a message of bytes on "bytes" at each input, COUNT in all; "check" compares what arrives with them.
use crate::say::{join, number, say_event, say_pid};
use dora_node_api::{Event, MetadataParameters, Parameter};
use std::collections::BTreeMap;

/// Lengths of the messages, in turn.
const SIZES: [usize; 6] = [0, 4, 100, 5000, 70_000, 300_000];
const NUMBER_BYTES: usize = 4;

/// Message `n`: its number in the first four bytes, then a pattern. The other languages have the same.
fn message(n: usize) -> Vec<u8> {
    let byte = |at| match at {
        0..NUMBER_BYTES => n >> (8 * at),
        _ => at * 7 + n,
    };
    (0..SIZES[n % SIZES.len()])
        .map(|at| byte(at) as u8)
        .collect()
}

/// The number of a message, if it is one. An empty one has the number that is expected.
fn number_of(data: &[u8], expected: usize) -> Option<usize> {
    let n = match data.first_chunk::<NUMBER_BYTES>() {
        Some(bytes) => u32::from_le_bytes(*bytes) as usize,
        None => expected,
    };
    (data == message(n)).then_some(n)
}

pub fn run() -> eyre::Result<()> {
    let (mut node, mut events) = join()?;
    let count = number("COUNT", 12i64);
    let mut n = 0;
    while let Some(event) = events.recv() {
        let Event::Input { .. } = event else {
            say_event(&event);
            continue;
        };
        let parameters = MetadataParameters::from([("n".to_owned(), Parameter::Integer(n as i64))]);
        node.send_output("bytes".to_owned().into(), parameters, message(n))?;
        if n == 0 {
            say_pid();
        }
        n += 1;
        if n as i64 == count {
            break;
        }
    }
    Ok(())
}

/// With GAPS some may be missing, and the numbers may begin again.
pub fn check() -> eyre::Result<()> {
    let (_node, mut events) = join()?;
    let gaps = std::env::var("GAPS").is_ok();
    // By input: the number that is expected next, and how many were right.
    let mut inputs = BTreeMap::<String, (usize, u64)>::new();
    let (mut wrong, mut begun) = (false, false);
    while let Some(event) = events.recv() {
        let Event::Input { id, data, .. } = event else {
            say_event(&event);
            continue;
        };
        if !std::mem::replace(&mut begun, true) {
            say_pid();
        }
        let bytes: Vec<u8> = dora_node_api::into_vec(&data)?;
        if gaps && bytes.is_empty() {
            continue;
        }
        let (next, right) = inputs.entry(id.to_string()).or_default();
        match number_of(&bytes, *next) {
            Some(n) if gaps || n == *next => {
                if gaps && (*next == 0 || n < *next) {
                    println!("{{\"began\":{n}}}");
                }
                *next = n + 1;
                *right += 1;
            }
            n => {
                let length = bytes.len();
                println!("{{\"wrong\":\"{id}: {length} bytes, number {n:?}, expected {next}\"}}");
                wrong = true;
            }
        }
    }
    let right: BTreeMap<_, _> = inputs.iter().map(|(id, (_, right))| (id, right)).collect();
    println!("{{\"right\":{right:?}}}");
    eyre::ensure!(!wrong, "not what was sent");
    Ok(())
}
