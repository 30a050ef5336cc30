// An operator in Rust without its standard library, by ffi/wasm-abi.md: doubles float32 elements, and sends on everything else.
#![no_std]
use core::{panic::PanicInfo, ptr, slice};

#[repr(C)]
pub struct Event {
    kind: i32,
    id: *const u8,
    id_length: u32,
    data: *const u8,
    data_length: u32,
    parameters: *const u8,
    parameters_length: u32,
    element_type: i32,
    elements: *const f32,
    length: u32,
}

const INPUT: i32 = 0;
const FLOAT32: i32 = 10;
const PAGE: usize = 65536;
const OUT: &[u8] = b"out";

#[link(wasm_import_module = "dora")]
extern "C" {
    fn send_output(id: *const u8, id_length: usize, stream: *const u8, length: u32, parameters: *const u8, parameters_length: u32) -> i32;
    fn send_elements(id: *const u8, id_length: usize, kind: i32, elements: *const f32, count: usize, parameters: *const u8, parameters_length: u32) -> i32;
    fn fail(text: *const u8, length: usize);
}

/// Pages at the end of the memory, for good.
#[no_mangle]
pub extern "C" fn dora_alloc(size: usize) -> usize {
    let page = core::arch::wasm32::memory_grow(0, size / PAGE + 1);
    if page == usize::MAX { 0 } else { page * PAGE }
}

#[no_mangle]
pub extern "C" fn dora_init_operator() -> i32 {
    0
}

#[no_mangle]
pub unsafe extern "C" fn dora_on_event(event: &Event) -> i32 {
    if event.kind != INPUT {
        return 0;
    }
    if event.element_type != FLOAT32 {
        return answer(send_output(OUT.as_ptr(), OUT.len(), event.data, event.data_length, event.parameters, event.parameters_length));
    }
    let mut doubled = [0f32; 256];
    let samples = slice::from_raw_parts(event.elements, event.length as usize);
    let count = samples.len().min(doubled.len());
    for (to, from) in doubled.iter_mut().zip(samples) {
        *to = 2.0 * from;
    }
    answer(send_elements(OUT.as_ptr(), OUT.len(), FLOAT32, doubled.as_ptr(), count, ptr::null(), 0))
}

unsafe fn answer(sent: i32) -> i32 {
    if sent == 0 {
        return 0;
    }
    let why = b"it was not sent";
    fail(why.as_ptr(), why.len());
    -1
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
